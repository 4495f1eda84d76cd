/**
 * Who may subscribe to what.
 *
 * @module
 */
import { ERROR_TEXT, subscriptionViolation, tokenCount, tooManyTokens } from "../protocol/mod.ts";
import type { ClientLimits } from "./limits.ts";

/** The queue group that is the server's own. */
const SYSTEM_QUEUE = "_sys_";

/** Why a SUB is refused. */
export interface SubscriptionRefusal {
  /** The text of the -ERR. */
  readonly text: string;
  /** Whether it is a violation, which is worth a line in the log. */
  readonly violation: boolean;
}

/**
 * Why a client with `count` subscriptions may not have one more to `subject`; null when it may. The
 * order of the checks is nats-server's: which text a client gets depends on it.
 */
export function subscriptionRefusal(
  limits: Pick<ClientLimits, "max_sub_tokens" | "max_subscriptions">,
  count: number,
  subject: string,
  queue: string | null,
): SubscriptionRefusal | null {
  const { max_sub_tokens, max_subscriptions } = limits;
  if (queue === SYSTEM_QUEUE) {
    return { text: subscriptionViolation(subject, queue), violation: true };
  }
  if (max_sub_tokens > 0 && tokenCount(subject) > max_sub_tokens) {
    return { text: tooManyTokens(subject), violation: true };
  }
  if (max_subscriptions > 0 && count >= max_subscriptions) {
    return { text: ERROR_TEXT.subscriptions, violation: false };
  }
  return null;
}
