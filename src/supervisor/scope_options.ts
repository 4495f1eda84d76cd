/**
 * What scopes and tasks are told when they are made or ended.
 *
 * @module
 */
import type { Clock, Random } from "../platform/mod.ts";
import type { BackoffOptions } from "./backoff.ts";
import type { OverdueReport } from "./overdue.ts";
import type { Panic, PanicPolicy } from "./panic.ts";
import type { Scope } from "./scope.ts";

/** What a whole tree of scopes shares; given to its root. */
export interface ScopeOptions {
  /** Time for back-off, deadlines and ages. */
  readonly clock: Clock;
  /** Chance for the jitter of back-offs. */
  readonly random: Random;
  /**
   * Called exactly once for every panic, before its policy is applied. Without it panics show only in
   * the counts of `Scope.tree`. A throw of the handler itself is dropped.
   */
  readonly onPanic?: (panic: Panic) => void;
  /** Called when a scope passes its closing deadline. A throw of the handler itself is dropped. */
  readonly onOverdue?: (report: OverdueReport) => void;
  /** Milliseconds a scope has to end when `close` is not told otherwise; 10,000 if absent. */
  readonly closeDeadlineMs?: number;
}

/** What a task runs. Its scope is cancelled through `scope.signal` and `scope.onCancel`. */
export type Task = (scope: Scope) => void | Promise<void>;

/** How often and how soon a task is run again. */
export interface RestartBackoff extends BackoffOptions {
  /**
   * Restarts in a row, each of an attempt that lasted less than `maxMs`, after which the next panic
   * escalates. No limit if absent.
   */
  readonly maxRestarts?: number;
}

/** Options of `Scope.spawn`. */
export interface SpawnOptions {
  /** What follows when the task throws; `contain` if absent. */
  readonly onPanic?: PanicPolicy;
  /** For `restart`; from 100 ms to 30 s without limit if absent. */
  readonly backoff?: RestartBackoff;
}

/** Options of `Scope.close`. */
export interface CloseOptions {
  /** Milliseconds to wait, 0 or more; the scope tree's `closeDeadlineMs` if absent. */
  readonly deadlineMs?: number;
  /** Reason of the aborted signals; a `ScopeClosedError` if absent. */
  readonly reason?: unknown;
}
