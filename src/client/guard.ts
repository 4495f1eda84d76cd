/**
 * What a client's permissions do to deliveries.
 *
 * @module
 */
import type { DeliveryGuard } from "../account/mod.ts";
import type { AllowedReplies, DeliveryFilter } from "../auth/mod.ts";
import type { Clock } from "../platform/mod.ts";
import { type ClientMessage, hashSubject } from "../protocol/mod.ts";

/** Holds back what a client must not get, and notes what it may answer. */
export class ClientGuard implements DeliveryGuard {
  readonly #filter: DeliveryFilter | null;
  readonly #replies: AllowedReplies | null;
  readonly #clock: Clock;

  /** A guard of one subscription. */
  constructor(filter: DeliveryFilter | null, replies: AllowedReplies | null, clock: Clock) {
    this.#filter = filter;
    this.#replies = replies;
    this.#clock = clock;
  }

  /** See {@link DeliveryGuard}. */
  admits(bytes: Uint8Array, start: number, end: number, hash: number): boolean {
    return this.#filter === null || this.#filter.allows(bytes, start, end, hash);
  }

  /** See {@link DeliveryGuard}. */
  delivered(message: ClientMessage): void {
    if (this.#replies === null || !message.hasReply) return;
    const { slab: { bytes }, replyStart, replyEnd } = message;
    const hash = hashSubject(bytes, replyStart, replyEnd);
    this.#replies.asked(bytes, replyStart, replyEnd, hash, this.#clock.monotonic());
  }
}
