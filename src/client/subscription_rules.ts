/**
 * Who may subscribe to what.
 *
 * @module
 */
import { ERROR_TEXT, subscriptionViolation, tokenCount, tooManyTokens } from "../protocol/mod.ts";

/** The queue group that is the server's own. */
const SYSTEM_QUEUE = "_sys_";

/** Why a SUB is refused. */
export interface SubscriptionRefusal {
  /** The text of the -ERR. */
  readonly text: string;
  /** Whether it is a violation, which is worth a line in the log. */
  readonly violation: boolean;
}

/** What subscriptions of a client are held to. */
export interface SubscriptionLimits {
  /** Most tokens of a subject; 0 for no limit. */
  readonly maxTokens: number;
  /** Most subscriptions; `Infinity` for no limit. */
  readonly maxSubscriptions: number;
}

/**
 * Why a client with `count` subscriptions may not have one more to `subject`; null when it may. The
 * order of the checks is nats-server's: which text a client gets depends on it.
 */
export function subscriptionRefusal(
  { maxTokens, maxSubscriptions }: SubscriptionLimits,
  count: number,
  subject: string,
  queue: string | null,
): SubscriptionRefusal | null {
  if (queue === SYSTEM_QUEUE) {
    return { text: subscriptionViolation(subject, queue), violation: true };
  }
  if (maxTokens > 0 && tokenCount(subject) > maxTokens) {
    return { text: tooManyTokens(subject), violation: true };
  }
  if (count >= maxSubscriptions) {
    return { text: ERROR_TEXT.subscriptions, violation: false };
  }
  return null;
}
