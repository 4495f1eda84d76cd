/**
 * Deliveries that a subscriber's permissions look at.
 *
 * @module
 */
import type { ClientMessage } from "../protocol/mod.ts";
import type { Account } from "./account.ts";
import type { Subscriber } from "./subscriber.ts";
import type { DeliveryHook, Subscription } from "./subscription.ts";

/** Looks at every message before it is delivered. */
export interface DeliveryGuard {
  /** Whether the message may be delivered. */
  admits(message: ClientMessage): boolean;
}

/** Delivers what a guard lets pass. */
export class GuardHook implements DeliveryHook {
  readonly #account: Account;
  readonly #guard: DeliveryGuard;

  /** A guard of one subscription in an account. */
  constructor(account: Account, guard: DeliveryGuard) {
    this.#account = account;
    this.#guard = guard;
  }

  /** See {@link DeliveryHook}. */
  deliver(
    subscription: Subscription,
    message: ClientMessage,
    publisher: Subscriber | null,
  ): boolean {
    return this.#guard.admits(message) &&
      this.#account.deliverTo(subscription, message, publisher);
  }
}
