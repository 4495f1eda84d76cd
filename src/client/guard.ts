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
  admits(message: ClientMessage): boolean {
    const { slab: { bytes }, subjectStart, subjectEnd, subjectHash } = message;
    if (this.#filter?.allows(bytes, subjectStart, subjectEnd, subjectHash) === false) return false;
    if (this.#replies !== null && message.hasReply) {
      const { replyStart, replyEnd } = message, hash = hashSubject(bytes, replyStart, replyEnd);
      this.#replies.asked(bytes, replyStart, replyEnd, hash, this.#clock.monotonic());
    }
    return true;
  }
}
