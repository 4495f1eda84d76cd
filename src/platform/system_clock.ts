/**
 * The machine's own time.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { Clock, Timer } from "./clock.ts";
import { sleep } from "./sleep.ts";

/** The longest delay the runtime's timers take; a longer one would fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/**
 * Turns of the event loop that a yield takes. A busy runtime looks at its sockets only every 61st turn
 * (tokio's `event_interval`); 64 turns take about 0.3 ms.
 */
const YIELD_TURNS = 64;

type Handle = ReturnType<typeof setTimeout>;

/** {@link Clock} over the system's clocks and the runtime's timers. */
export class SystemClock implements Clock {
  /** Milliseconds since the Unix epoch; follows every adjustment of the system's time. */
  now(): number {
    return Date.now();
  }

  /** Milliseconds since the process started; never goes back. */
  monotonic(): number {
    return performance.now();
  }

  /** Calls `callback` after `delayMs`, which may be longer than the runtime's own 24.8 days. */
  setTimer(delayMs: number, callback: () => void): Timer {
    return new SystemTimer(delayMs, callback);
  }

  /** See {@link Clock.sleep}. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleep(this, delayMs, signal);
  }

  /** See {@link Clock.yield}. */
  yield(): Promise<void> {
    return new Promise((resolve) => {
      let turns = 0;
      const turn = () => {
        if (++turns === YIELD_TURNS) resolve();
        else setImmediate(turn);
      };
      setImmediate(turn);
    });
  }
}

class SystemTimer implements Timer {
  #handle: Handle;

  constructor(delayMs: number, callback: () => void) {
    this.#handle = this.#arm(delayMs, callback);
  }

  #arm(delayMs: number, callback: () => void): Handle {
    if (delayMs <= LONGEST_DELAY_MS) return setTimeout(callback, delayMs);
    return setTimeout(() => {
      this.#handle = this.#arm(delayMs - LONGEST_DELAY_MS, callback);
    }, LONGEST_DELAY_MS);
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }
}
