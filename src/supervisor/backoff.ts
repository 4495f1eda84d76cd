/**
 * How long to wait before trying again.
 *
 * @module
 */
import type { Random } from "../platform/mod.ts";

/** The range of a {@link Backoff}'s delays. */
export interface BackoffOptions {
  /** Upper end of the first delay in milliseconds, more than 0. */
  readonly initialMs: number;
  /** Upper end of every delay in milliseconds, at least `initialMs`. */
  readonly maxMs: number;
}

/**
 * Delays that double up to a cap. Each is drawn from the upper half of its range, so that many who
 * failed together do not come back together.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { SeededRandom } from "../platform/mod.ts";
 * import { Backoff } from "./backoff.ts";
 *
 * const backoff = new Backoff({ initialMs: 100, maxMs: 5_000 }, new SeededRandom(1));
 * const first = backoff.next();
 * assert(first >= 50 && first <= 100);
 * const second = backoff.next();
 * assert(second >= 100 && second <= 200);
 * backoff.reset();
 * assert(backoff.next() <= 100);
 * ```
 */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: Random;
  #attempts = 0;

  /** Starts with the initial delay. */
  constructor(options: BackoffOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** Delays drawn since the start or the last reset. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The next delay in whole milliseconds. */
  next(): number {
    const { initialMs, maxMs } = this.#options;
    const limitMs = Math.min(maxMs, initialMs * 2 ** this.#attempts++);
    return Math.round(limitMs * (0.5 + this.#random.next() / 2));
  }

  /** Something worked: the next delay is the initial one again. */
  reset(): void {
    this.#attempts = 0;
  }
}
