/**
 * Time as one process of a simulation sees it.
 *
 * @module
 */
import type { Clock, Timer } from "../../src/platform/mod.ts";
import { sleep } from "../../src/platform/sleep.ts";
import type { Ticks } from "./ticks.ts";

/**
 * The {@link Clock} of one process: its wall clock can be set to another time, the process can stand
 * still, and once it is dead nothing ever happens in it again.
 */
export class NodeClock implements Clock {
  /** Timers that are set and have neither fired nor been cancelled. */
  pendingTimers = 0;
  readonly #ticks: Ticks;
  #wallOffsetMs = 0;
  #dead = false;
  #standing = false;
  /** What fell due while the process stood still. */
  #held: (() => void)[] = [];

  /** A process's clock over the time that all share. */
  constructor(ticks: Ticks) {
    this.#ticks = ticks;
  }

  /** The process's wall-clock time. */
  now(): number {
    return this.#ticks.clock.now() + this.#wallOffsetMs;
  }

  /** Milliseconds of the time that all share. */
  monotonic(): number {
    return this.#ticks.nowMs;
  }

  /** See {@link Clock.setTimer}. */
  setTimer(delayMs: number, callback: () => void): Timer {
    if (this.#dead) return { cancel: () => {} };
    this.pendingTimers++;
    let pending = true;
    const done = () => {
      if (!pending) return false;
      pending = false;
      this.pendingTimers--;
      return true;
    };
    const fire = () => {
      if (!pending || this.#dead) return;
      if (this.#standing) this.#held.push(fire);
      else if (done()) callback();
    };
    const timer = this.#ticks.after(delayMs, fire);
    return {
      cancel: () => {
        if (done()) timer.cancel();
      },
    };
  }

  /** See {@link Clock.sleep}. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleep(this, delayMs, signal);
  }

  /** See {@link Clock.yield}: everything else of this millisecond has its turn first. */
  yield(): Promise<void> {
    return this.sleep(0);
  }

  /** Sets the wall clock forward, or back for a negative number. */
  jump(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** The process stands still until {@link NodeClock.resume}: no timer fires in it. */
  stand(): void {
    this.#standing = true;
  }

  /** The process goes on: what fell due meanwhile fires now, in order. */
  resume(): void {
    this.#standing = false;
    for (const fire of this.#held.splice(0)) fire();
  }

  /** The process is gone: no timer of it fires any more. */
  kill(): void {
    this.#dead = true;
    this.#held = [];
  }
}
