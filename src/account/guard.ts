/**
 * Deliveries that a subscriber's permissions look at.
 *
 * @module
 */
import type { ClientMessage } from "../protocol/mod.ts";
import type { Account } from "./account.ts";
import type { Subscriber } from "./subscriber.ts";
import type { DeliveryHook, Subscription } from "./subscription.ts";

/** Looks at what is delivered to a subscription. */
export interface DeliveryGuard {
  /**
   * Whether messages may be delivered whose subject the bytes from `start` to `end` spell, and whose
   * `hashSubject` is `hash`. It always says the same of a subject.
   */
  admits(bytes: Uint8Array, start: number, end: number, hash: number): boolean;
  /** A message was delivered. */
  delivered(message: ClientMessage): void;
}

/** Delivers what a guard lets pass. */
export class GuardHook implements DeliveryHook {
  /** What it asks. */
  readonly guard: DeliveryGuard;
  readonly #account: Account;

  /** A guard of one subscription in an account. */
  constructor(account: Account, guard: DeliveryGuard) {
    this.#account = account;
    this.guard = guard;
  }

  /** See {@link DeliveryHook}. */
  deliver(
    subscription: Subscription,
    message: ClientMessage,
    publisher: Subscriber | null,
  ): boolean {
    const { slab: { bytes }, subjectStart, subjectEnd, subjectHash } = message;
    return this.guard.admits(bytes, subjectStart, subjectEnd, subjectHash) &&
      this.deliverAdmitted(subscription, message, publisher);
  }

  /** {@link deliver} where it is known that the guard admits the message's subject. */
  deliverAdmitted(
    subscription: Subscription,
    message: ClientMessage,
    publisher: Subscriber | null,
  ): boolean {
    if (!this.#account.deliverTo(subscription, message, publisher)) return false;
    this.guard.delivered(message);
    return true;
  }
}

/** For {@link Interest.admits}: whether a subscription's guard, if it has one, admits a subject. */
export function guardAdmits(
  { hook }: Subscription,
  bytes: Uint8Array,
  start: number,
  end: number,
  hash: number,
): boolean {
  return !(hook instanceof GuardHook) || hook.guard.admits(bytes, start, end, hash);
}
