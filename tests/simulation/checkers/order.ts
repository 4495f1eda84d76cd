/**
 * What one publisher sends reaches a subscription in the order in which it was sent, whatever happens
 * and whatever is lost.
 *
 * @module
 */
import type { Party, SubscriptionRecord } from "../ledger.ts";
import { describeMessage, describeSubscription } from "../ledger.ts";
import { Violation } from "../violation.ts";
import type { Checker } from "./checker.ts";

/** See the module. */
export function orderChecker(): Checker {
  const latest = new WeakMap<SubscriptionRecord, Map<Party, number>>();
  return {
    delivered: (subscription, message) => {
      // A message for a group whose member has just left takes another way than the ones behind it.
      if (subscription.queue !== null) return;
      let ids = latest.get(subscription);
      if (ids === undefined) latest.set(subscription, ids = new Map());
      const before = ids.get(message.publisher) ?? 0;
      if (message.id < before) {
        throw new Violation(
          "order",
          `${describeSubscription(subscription)} got ${
            describeMessage(message)
          } after message ${before} of the same publisher`,
        );
      }
      ids.set(message.publisher, message.id);
    },
  };
}
