/**
 * The time that everything in a simulation shares.
 *
 * @module
 */
import { type Timer, VirtualClock } from "../../src/platform/mod.ts";

interface Entry {
  callback: (() => void) | undefined;
}

/**
 * Callbacks by the virtual millisecond. All of a millisecond run one after another, in the order they
 * were set, and then everything settles once: a cluster sets so many timers that a pause after each
 * would be most of the work. What is set for now while now is running comes after that pause.
 */
export class Ticks {
  /** The clock underneath; nobody else sets timers on it. */
  readonly clock: VirtualClock = new VirtualClock();
  readonly #entries = new Map<number, Entry[]>();
  #halted = false;

  /** Virtual milliseconds since the start, whole. */
  get nowMs(): number {
    return this.clock.monotonic();
  }

  /** Calls `callback` in `delayMs`, rounded up to a whole millisecond. */
  after(delayMs: number, callback: () => void): Timer {
    const dueMs = Math.ceil(this.nowMs + Math.max(0, delayMs));
    const entry: Entry = { callback };
    const entries = this.#entries.get(dueMs);
    if (entries !== undefined) entries.push(entry);
    else {
      this.#entries.set(dueMs, [entry]);
      this.clock.setTimer(dueMs - this.nowMs, () => this.#run(dueMs));
    }
    return { cancel: () => entry.callback = undefined };
  }

  #run(dueMs: number): void {
    const entries = this.#entries.get(dueMs)!;
    this.#entries.delete(dueMs);
    for (const entry of entries) {
      if (this.#halted) return;
      const callback = entry.callback;
      entry.callback = undefined;
      callback?.();
    }
  }

  /** Nothing is called any more, however much time passes. */
  halt(): void {
    this.#halted = true;
  }

  /** Lets so many milliseconds pass. */
  advance(durationMs: number): Promise<void> {
    return this.clock.advance(durationMs);
  }
}
