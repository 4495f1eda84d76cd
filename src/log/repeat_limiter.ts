/**
 * Keeps what happens a thousand times a second from filling the log.
 *
 * @module
 */
import type { Clock } from "../platform/mod.ts";

/** How many keys are remembered; past that the one admitted longest ago is forgotten. */
const maxKeys = 1024;

interface Repeat {
  /** Monotonic time from which on the key is admitted again, in milliseconds. */
  readonly untilMs: number;
  suppressed: number;
}

/** Admits each key once per period, and counts how often it was refused in between. */
export class RepeatLimiter {
  readonly #clock: Clock;
  readonly #repeats = new Map<string, Repeat>();

  /** A limiter on the clock's monotonic time. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * How many times `key` was refused since it was last admitted, which it now is again; undefined
   * when it was admitted less than `per_ms` milliseconds ago.
   */
  admit(key: string, per_ms: number): number | undefined {
    const now = this.#clock.monotonic();
    const last = this.#repeats.get(key);
    if (last !== undefined && now < last.untilMs) {
      last.suppressed++;
      return undefined;
    }
    this.#repeats.delete(key); // to be the youngest again
    if (this.#repeats.size >= maxKeys) {
      for (const oldest of this.#repeats.keys()) {
        this.#repeats.delete(oldest);
        break;
      }
    }
    this.#repeats.set(key, { untilMs: now + per_ms, suppressed: 0 });
    return last?.suppressed ?? 0;
  }
}
