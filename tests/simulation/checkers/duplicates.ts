/**
 * No message is delivered twice to one subscription, whatever happens.
 *
 * @module
 */
import { describeMessage, describeSubscription } from "../ledger.ts";
import { Violation } from "../violation.ts";
import type { Checker } from "./checker.ts";

/** See the module. */
export function duplicatesChecker(): Checker {
  return {
    delivered: (subscription, message) => {
      if (!subscription.received.has(message)) return;
      throw new Violation(
        "duplicates",
        `${describeSubscription(subscription)} got ${describeMessage(message)} twice`,
      );
    },
  };
}
