/**
 * What only a task that restarts has to remember.
 *
 * @module
 */
import type { Clock, Random, Timer } from "../platform/mod.ts";
import { Backoff } from "./backoff.ts";
import type { RestartBackoff, Task } from "./scope_options.ts";

const DEFAULT_BACKOFF: RestartBackoff = { initialMs: 100, maxMs: 30_000 };

/** When a task that threw runs again, if it does. */
export class Restart {
  /** What runs again. */
  readonly task: Task;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #healthyAfterMs: number;
  readonly #maxRestarts: number;
  #attemptedAtMs: number;
  #count = 0;
  #delayMs = 0;
  #timer: Timer | undefined;

  /** The first attempt begins now. */
  constructor(
    task: Task,
    clock: Clock,
    random: Random,
    options: RestartBackoff = DEFAULT_BACKOFF,
  ) {
    this.task = task;
    this.#clock = clock;
    this.#backoff = new Backoff(options, random);
    this.#healthyAfterMs = options.maxMs;
    this.#maxRestarts = options.maxRestarts ?? Infinity;
    this.#attemptedAtMs = clock.monotonic();
  }

  /** Restarts so far. */
  get count(): number {
    return this.#count;
  }

  /** Whether the time to the next attempt is running. */
  get scheduled(): boolean {
    return this.#timer !== undefined;
  }

  /**
   * The attempt threw: milliseconds until the next one, or `undefined` when there were too many in a
   * row. An attempt that lasted as long as the longest delay begins a new row.
   */
  nextDelayMs(): number | undefined {
    const lastedMs = this.#clock.monotonic() - this.#attemptedAtMs;
    if (lastedMs >= this.#healthyAfterMs) this.#backoff.reset();
    if (this.#backoff.attempts >= this.#maxRestarts) return undefined;
    this.#delayMs = this.#backoff.next();
    return this.#delayMs;
  }

  /** Calls `attempt` after the delay drawn last. */
  schedule(attempt: () => void): void {
    this.#timer ??= this.#clock.setTimer(this.#delayMs, () => {
      this.#timer = undefined;
      this.#count++;
      this.#attemptedAtMs = this.#clock.monotonic();
      attempt();
    });
  }

  /** There is no next attempt. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
