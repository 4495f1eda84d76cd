/**
 * The outboxes that one chunk of input put something into.
 *
 * @module
 */
import type { Outbox } from "./outbox.ts";

/** How many outboxes are flushed at a time: each may cost a system call, 5 to 10 us. */
const FLUSHED_AT_A_TIME = 256;

/** What must be waited for before more is read. */
export interface Congestion {
  /** The outboxes that are congested or crowded. */
  readonly outboxes: Outbox[];
  /** How many outboxes of others the chunk went to in all. */
  readonly recipients: number;
  /** Those of them that {@link TouchedOutboxes.flushMore} is still to flush, and from where on. */
  readonly unflushed: readonly Outbox[];
  /** See {@link Congestion.unflushed}. */
  flushed: number;
}

const NONE: readonly never[] = [];

/** Collects outboxes while a chunk is processed, and flushes each of them once at its end. */
export class TouchedOutboxes {
  #outboxes: Outbox[] = [];
  #spare: Outbox[] = [];

  /** Notes an outbox; does nothing when it is noted already. */
  add(outbox: Outbox): void {
    if (outbox.touched) return;
    outbox.touched = true;
    this.#outboxes.push(outbox);
  }

  /**
   * Flushes them and forgets them. `own` is the outbox of whoever sent the chunk. When there are very
   * many, what is left is for {@link TouchedOutboxes.flushMore}, which the caller must call.
   *
   * @returns what the publisher should wait for, or null where that is nothing.
   */
  flush(own: Outbox | null = null): Congestion | null {
    const outboxes = this.#outboxes;
    if (outboxes.length > FLUSHED_AT_A_TIME) return this.#flushMany(outboxes, own);
    let recipients = outboxes.length;
    // Flushing may fail an outbox and so end a session, which may touch others: a fresh list.
    this.#outboxes = this.#spare;
    let congested: Outbox[] | null = null;
    for (let i = 0; i < outboxes.length; i++) {
      const outbox = outboxes[i]!;
      if (outbox === own) recipients--;
      outbox.flush();
      if (outbox.congested || outbox.crowded) (congested ??= []).push(outbox);
    }
    outboxes.length = 0;
    this.#spare = outboxes;
    return congested === null
      ? null
      : { outboxes: congested, recipients, unflushed: NONE, flushed: 0 };
  }

  /** Whether any of them, `own` aside, is not one of `known`. */
  reachesOthers(known: WeakSet<Outbox>, own: Outbox): boolean {
    const outboxes = this.#outboxes;
    for (let i = 0; i < outboxes.length; i++) {
      if (outboxes[i] !== own && !known.has(outboxes[i]!)) return true;
    }
    return false;
  }

  #flushMany(unflushed: readonly Outbox[], own: Outbox | null): Congestion {
    this.#outboxes = [];
    const recipients = unflushed.length - (own !== null && own.touched ? 1 : 0);
    const congestion = { outboxes: [], recipients, unflushed, flushed: 0 };
    this.flushMore(congestion);
    return congestion;
  }

  /** Flushes some of what {@link TouchedOutboxes.flush} left; false once nothing is left. */
  flushMore(congestion: Congestion): boolean {
    const { unflushed, outboxes } = congestion;
    const end = Math.min(congestion.flushed + FLUSHED_AT_A_TIME, unflushed.length);
    while (congestion.flushed < end) {
      const outbox = unflushed[congestion.flushed++]!;
      outbox.flush();
      if (outbox.congested || outbox.crowded) outboxes.push(outbox);
    }
    return end < unflushed.length;
  }

  /** Flushes them where nobody waits for anybody: outside of any chunk. */
  flushAll(): void {
    if (this.#outboxes.length === 0) return;
    const rest = this.flush();
    while (rest !== null && this.flushMore(rest));
  }
}
