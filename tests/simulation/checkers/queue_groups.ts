/**
 * Of all members of a queue group in the whole cluster, at most one gets a message, whatever happens.
 * That it is exactly one where nothing happens is a question of loss.
 *
 * @module
 */
import type { MessageRecord, SubscriptionRecord } from "../ledger.ts";
import { describeMessage, describeSubscription } from "../ledger.ts";
import { Violation } from "../violation.ts";
import type { Checker } from "./checker.ts";

/** See the module. */
export function queueGroupsChecker(): Checker {
  const takers = new WeakMap<MessageRecord, Map<string, SubscriptionRecord>>();
  return {
    delivered: (subscription, message) => {
      const { queue } = subscription;
      if (queue === null) return;
      let groups = takers.get(message);
      if (groups === undefined) takers.set(message, groups = new Map());
      const taker = groups.get(queue);
      if (taker !== undefined && taker !== subscription) {
        throw new Violation(
          "queue groups",
          `${describeMessage(message)} went to ${describeSubscription(taker)} and also to ${
            describeSubscription(subscription)
          }`,
        );
      }
      groups.set(queue, subscription);
    },
  };
}
