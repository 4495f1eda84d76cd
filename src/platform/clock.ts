/**
 * Time. Nothing outside `platform/` reads a clock or sets a timer directly.
 *
 * @module
 */

/** A timer that was set on a {@link Clock}. */
export interface Timer {
  /** Keeps the timer from firing; does nothing once it has fired or been cancelled. */
  cancel(): void;
}

/** A source of time and timers. */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch, possibly fractional. */
  now(): number;
  /** Milliseconds since an arbitrary start; never goes back; possibly fractional. */
  monotonic(): number;
  /** Calls `callback` once after `delayMs` (0 or more). The callback must not throw. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /**
   * Resolves after `delayMs`, or rejects with the signal's reason as soon as it is aborted; no
   * timer is left behind in either case.
   */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /**
   * Lets everything else have its turn that is ready to run, input on other sockets included.
   * Cheaper than to sleep, which takes a millisecond or two at least.
   */
  yield(): Promise<void>;
}
