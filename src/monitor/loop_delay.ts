/**
 * How busy the event loop is.
 *
 * @module
 */

/** Measures how late a regular job runs. */
export class LoopDelay {
  /** How late the last tick was, in milliseconds. */
  delayMs = 0;
  readonly #periodMs: number;
  #lastMs: number;

  /** For a job that runs every `periodMs`. */
  constructor(periodMs: number, nowMs: number) {
    this.#periodMs = periodMs;
    this.#lastMs = nowMs;
  }

  /** The job runs, at `nowMs`. */
  tick(nowMs: number): void {
    this.delayMs = Math.max(0, nowMs - this.#lastMs - this.#periodMs);
    this.#lastMs = nowMs;
  }
}
