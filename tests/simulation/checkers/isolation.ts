/**
 * What is published in one account reaches nobody in another, whatever happens.
 *
 * @module
 */
import { describeMessage, describeSubscription } from "../ledger.ts";
import { Violation } from "../violation.ts";
import type { Checker } from "./checker.ts";

/** See the module. */
export function isolationChecker(): Checker {
  return {
    delivered: (subscription, message) => {
      if (subscription.party.account === message.publisher.account) return;
      throw new Violation(
        "isolation",
        `${describeSubscription(subscription)} got ${describeMessage(message)}`,
      );
    },
  };
}
