/**
 * The outboxes that one chunk of input put something into.
 *
 * @module
 */
import type { Outbox } from "./outbox.ts";

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
   * Flushes them all and forgets them.
   *
   * @returns those that publishers should wait for, or null where there are none.
   */
  flush(): Outbox[] | null {
    const outboxes = this.#outboxes;
    // Flushing may fail an outbox and so end a session, which may touch others: a fresh list.
    this.#outboxes = this.#spare;
    let congested: Outbox[] | null = null;
    for (let i = 0; i < outboxes.length; i++) {
      const outbox = outboxes[i]!;
      outbox.flush();
      if (outbox.congested) (congested ??= []).push(outbox);
    }
    outboxes.length = 0;
    this.#spare = outboxes;
    return congested;
  }
}
