/**
 * How failures to accept are reported without flooding the log.
 *
 * @module
 */
import type { AcceptError, Clock } from "../platform/mod.ts";

/** One or more failures to accept a connection. */
export interface AcceptFailure {
  /** The latest. */
  readonly error: AcceptError;
  /** How many there were since the last report, this one included. */
  readonly failures: number;
  /** Milliseconds until the next attempt. */
  readonly retryInMs: number;
}

/** Reports the first failure at once and later ones together, once an interval. */
export class AcceptFailureReports {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #onError: (failure: AcceptFailure) => void;
  #unreported = 0;
  #reportedAtMs = -Infinity;

  /** Calls `onError` no more often than every `intervalMs` milliseconds. */
  constructor(clock: Clock, intervalMs: number, onError: (failure: AcceptFailure) => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#onError = onError;
  }

  /** One more failure. */
  add(error: AcceptError, retryInMs: number): void {
    this.#unreported++;
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#reportedAtMs < this.#intervalMs) return;
    const failures = this.#unreported;
    this.#reportedAtMs = nowMs;
    this.#unreported = 0;
    this.#onError({ error, failures, retryInMs });
  }
}
