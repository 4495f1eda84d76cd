/**
 * What is told when a scope does not end in time.
 *
 * @module
 */

/** Most paths that one {@link OverdueReport} names. */
export const OVERDUE_PATHS_MAX = 100;

/** A scope passed its closing deadline. */
export interface OverdueReport {
  /** The scope that was to end. */
  readonly path: string;
  /** The time it was given, in milliseconds. */
  readonly deadlineMs: number;
  /** Paths of the tasks still running or cleaning up in it, at most {@link OVERDUE_PATHS_MAX}. */
  readonly tasks: readonly string[];
  /** How many there are, named or not. */
  readonly taskCount: number;
}
