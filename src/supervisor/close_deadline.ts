/**
 * The time a scope is given to end.
 *
 * @module
 */
import type { Clock, Timer } from "../platform/mod.ts";

/**
 * Waits until a scope has ended or its time is up. Several may ask for the same scope to end, each
 * with a deadline of its own: the earliest counts for all.
 */
export class CloseDeadline {
  readonly #settled = Promise.withResolvers<void>();
  #timer: Timer | undefined;
  #dueMs = Infinity;
  #over = false;

  /** Resolves when the scope has ended or the deadline has passed. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Calls `onPassed` in `deadlineMs` milliseconds, unless that is settled earlier. */
  set(clock: Clock, deadlineMs: number, onPassed: () => void): void {
    const dueMs = clock.monotonic() + deadlineMs;
    if (this.#over || dueMs >= this.#dueMs) return;
    this.#timer?.cancel();
    this.#dueMs = dueMs;
    this.#timer = clock.setTimer(deadlineMs, () => {
      this.#over = true;
      onPassed();
      this.#settled.resolve();
    });
  }

  /** The scope has ended. */
  met(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#settled.resolve();
  }
}
