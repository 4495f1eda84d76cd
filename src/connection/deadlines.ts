/**
 * The deadlines of all connections, looked at together.
 *
 * @module
 */
import type { TimerWheel } from "./timer_wheel.ts";
import { WRITE_WATCH_PERIOD_MS, type WriteWatch } from "./write_watch.ts";

/** How often {@link Deadlines.look} is to be called: those of writes set the pace. */
export const DEADLINES_PERIOD_MS = WRITE_WATCH_PERIOD_MS;

/** How late a look may be before that is taken for a standstill of the whole process. */
const PAUSE_MS = 1000;

/** What connections are to do in time, and what they are to have taken in time. */
export class Deadlines {
  readonly #wheel: TimerWheel;
  readonly #watches: readonly WriteWatch[];
  #stoodStill = false;

  /** Looks at all of them. */
  constructor(wheel: TimerWheel, ...watches: readonly WriteWatch[]) {
    this.#wheel = wheel;
    this.#watches = watches;
  }

  /**
   * Calls what is due, and judges who does not take what is sent to it; `nowMs` is monotonic time.
   *
   * @throws what the first of those that were called threw, after all of it is done.
   */
  look(nowMs: number): void {
    const pausedMs = nowMs - this.#wheel.nowMs - DEADLINES_PERIOD_MS;
    if (pausedMs > PAUSE_MS && !this.#stoodStill) {
      // The process stood still. What peers sent meanwhile is handled before they are judged.
      for (const watch of this.#watches) watch.resumed(pausedMs);
      this.#wheel.nowMs = nowMs;
      // Only once in a row: a loop that is late all the time is overloaded, and must judge.
      this.#stoodStill = true;
      return;
    }
    this.#stoodStill = false;
    try {
      this.#wheel.turn(nowMs);
    } finally {
      for (const watch of this.#watches) watch.look(nowMs);
    }
  }
}
