/**
 * The outboxes that one chunk of input put something into.
 *
 * @module
 */
import type { Outbox } from "./outbox.ts";

/** What must be waited for before more is read. */
export interface Congestion {
  /** The outboxes that are congested or crowded. */
  readonly outboxes: readonly Outbox[];
  /** How many outboxes of others the chunk went to in all. */
  readonly recipients: number;
}

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
   * Flushes them all and forgets them. `own` is the outbox of whoever sent the chunk.
   *
   * @returns what the publisher should wait for, or null where that is nothing.
   */
  flush(own: Outbox | null = null): Congestion | null {
    const outboxes = this.#outboxes;
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
    return congested === null ? null : { outboxes: congested, recipients };
  }
}
