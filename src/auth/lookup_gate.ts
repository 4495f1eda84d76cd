/**
 * How many things go on at once, and how many wait for their turn.
 *
 * @module
 */

/** Too many wait for their turn. */
export class GateFullError extends Error {
  /** Always `"GateFullError"`. */
  override readonly name = "GateFullError";
}

/** Lets tasks run, a few at a time, in the order in which they came. */
export class LookupGate {
  readonly #runningMax: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** Lets at most `runningMax` tasks run at once and at most `waitingMax` wait for that. */
  constructor(runningMax: number, waitingMax: number) {
    this.#runningMax = runningMax;
    this.#waitingMax = waitingMax;
  }

  /**
   * What `task` resolves to, once it had its turn.
   *
   * @throws {GateFullError} when too many wait already; `task` is not called then.
   */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running < this.#runningMax) this.#running++;
    else {
      if (this.#waiting.length >= this.#waitingMax) {
        throw new GateFullError(`${this.#waiting.length} wait for their turn already`);
      }
      // Whoever leaves hands its place on.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
