/**
 * Time that moves only when a test moves it.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { Clock, Timer } from "./clock.ts";
import { sleep } from "./sleep.ts";

/** How a {@link VirtualClock} starts. */
export interface VirtualClockOptions {
  /** Wall-clock time at the start in milliseconds since the epoch; 2025-01-01T00:00:00Z if absent. */
  readonly startMs?: number;
}

/**
 * A deterministic {@link Clock}: timers fire in the order they are due, those due at the same moment
 * in the order they were set, and everything a timer set in motion (promises, not real input and
 * output) comes to rest before the next one fires.
 *
 * @example Two minutes in no time
 * ```ts
 * import { assert } from "@std/assert";
 * import { VirtualClock } from "./virtual_clock.ts";
 *
 * const clock = new VirtualClock();
 * let awake = false;
 * const sleeper = clock.sleep(120_000).then(() => awake = true);
 * await clock.advance(119_999);
 * assert(!awake);
 * await clock.advance(1);
 * assert(awake);
 * await sleeper;
 * ```
 */
export class VirtualClock implements Clock {
  readonly #startMs: number;
  readonly #timers = new TimerHeap();
  #elapsedMs = 0;
  #sequence = 0;
  #moving = false;

  /** A clock that stands still at its start. */
  constructor(options: VirtualClockOptions = {}) {
    this.#startMs = options.startMs ?? Date.UTC(2025, 0, 1);
  }

  /** The virtual wall-clock time. */
  now(): number {
    return this.#startMs + this.#elapsedMs;
  }

  /** Virtual milliseconds since the clock was made. */
  monotonic(): number {
    return this.#elapsedMs;
  }

  /** Timers that are set and neither fired nor cancelled. */
  get pendingTimers(): number {
    return this.#timers.live;
  }

  /** See {@link Clock.setTimer}. */
  setTimer(delayMs: number, callback: () => void): Timer {
    const dueMs = this.#elapsedMs + Math.max(0, delayMs);
    return this.#timers.add(dueMs, this.#sequence++, callback);
  }

  /** See {@link Clock.sleep}. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleep(this, delayMs, signal);
  }

  /** See {@link Clock.yield}; takes no time. */
  yield(): Promise<void> {
    return this.settle();
  }

  /** Resolves when every promise that can make progress without time passing has made it. */
  settle(): Promise<void> {
    // A turn of the event loop begins only once the queue of promise continuations is empty.
    return new Promise((resolve) => setImmediate(() => resolve()));
  }

  /**
   * Moves time on by `durationMs` (0 or more), firing what falls due, and lets things settle before
   * the first timer, between timers and at the end.
   *
   * @throws {Error} when the clock is already being moved.
   */
  async advance(durationMs: number): Promise<void> {
    await this.#move(this.#elapsedMs + durationMs, true);
  }

  /**
   * Moves time on from timer to timer until none is left, and resolves to the milliseconds passed.
   *
   * @throws {Error} when timers are still pending after `limitMs` (a day if absent), as they are for
   *   as long as a ticker runs, or when the clock is already being moved.
   */
  async runUntilIdle(limitMs = 86_400_000): Promise<number> {
    const startedMs = this.#elapsedMs;
    await this.#move(startedMs + limitMs, false);
    if (this.#timers.live > 0) {
      throw new Error(`${this.#timers.live} timers are still pending after ${limitMs} ms`);
    }
    return this.#elapsedMs - startedMs;
  }

  async #move(untilMs: number, toTheEnd: boolean): Promise<void> {
    if (this.#moving) throw new Error("the virtual clock is already being moved");
    this.#moving = true;
    try {
      await this.settle();
      for (
        let timer = this.#timers.takeDue(untilMs);
        timer !== undefined;
        timer = this.#timers.takeDue(untilMs)
      ) {
        this.#elapsedMs = timer.dueMs;
        timer.fire();
        await this.settle();
      }
      if (toTheEnd) this.#elapsedMs = untilMs;
    } finally {
      this.#moving = false;
    }
  }
}

class VirtualTimer implements Timer {
  readonly dueMs: number;
  readonly sequence: number;
  readonly #heap: TimerHeap;
  #callback: (() => void) | undefined;

  constructor(heap: TimerHeap, dueMs: number, sequence: number, callback: () => void) {
    this.#heap = heap;
    this.dueMs = dueMs;
    this.sequence = sequence;
    this.#callback = callback;
  }

  get cancelled(): boolean {
    return this.#callback === undefined;
  }

  isBefore(other: VirtualTimer): boolean {
    return this.dueMs === other.dueMs ? this.sequence < other.sequence : this.dueMs < other.dueMs;
  }

  fire(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }

  cancel(): void {
    if (this.#callback === undefined) return;
    this.#callback = undefined;
    this.#heap.forget();
  }
}

/** A binary heap in which cancelled timers stay until half of it is cancelled. */
class TimerHeap {
  #timers: VirtualTimer[] = [];
  live = 0;

  add(dueMs: number, sequence: number, callback: () => void): VirtualTimer {
    const timer = new VirtualTimer(this, dueMs, sequence, callback);
    this.live++;
    this.#timers.push(timer);
    this.#rise(this.#timers.length - 1);
    return timer;
  }

  /** Removes and returns the earliest timer that is due at `untilMs` or before. */
  takeDue(untilMs: number): VirtualTimer | undefined {
    for (let first = this.#timers[0]; first !== undefined; first = this.#timers[0]) {
      if (!first.cancelled && first.dueMs > untilMs) return undefined;
      this.#removeFirst();
      if (!first.cancelled) {
        this.live--;
        return first;
      }
    }
    return undefined;
  }

  /** Called when a timer was cancelled. */
  forget(): void {
    this.live--;
    if (this.#timers.length < 64 || this.live > this.#timers.length / 2) return;
    // A sorted array is a valid heap.
    this.#timers = this.#timers.filter((timer) => !timer.cancelled)
      .sort((a, b) => a.isBefore(b) ? -1 : 1);
  }

  #removeFirst(): void {
    const last = this.#timers.pop()!;
    if (this.#timers.length === 0) return;
    this.#timers[0] = last;
    this.#sink();
  }

  #rise(from: number): void {
    const timers = this.#timers;
    for (let index = from; index > 0;) {
      const parent = (index - 1) >> 1;
      if (!timers[index]!.isBefore(timers[parent]!)) return;
      [timers[index], timers[parent]] = [timers[parent]!, timers[index]!];
      index = parent;
    }
  }

  #sink(): void {
    const timers = this.#timers;
    for (let index = 0;;) {
      let least = index;
      for (let child = 2 * index + 1; child <= 2 * index + 2 && child < timers.length; child++) {
        if (timers[child]!.isBefore(timers[least]!)) least = child;
      }
      if (least === index) return;
      [timers[index], timers[least]] = [timers[least]!, timers[index]!];
      index = least;
    }
  }
}
