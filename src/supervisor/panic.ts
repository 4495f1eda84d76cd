/**
 * What a task's unexpected throw is, and what follows from it.
 *
 * @module
 */

/**
 * What follows when a task throws:
 * - `contain`: its scope ends and nothing else;
 * - `restart`: it is run again after a back-off;
 * - `escalate`: its parent scope ends.
 */
export type PanicPolicy = "contain" | "restart" | "escalate";

/** An unexpected throw in a scope. */
export interface Panic {
  /** The scope's path, such as `broker/clients/client:17/reader`. */
  readonly path: string;
  /** What was thrown. */
  readonly error: unknown;
  /** What threw: the task itself, an `onCancel` callback, or a `defer` cleanup. */
  readonly during: "task" | "cancel" | "cleanup";
  /** What happens now; `contain` for whatever throws in a scope that is ending already. */
  readonly policy: PanicPolicy;
  /** With `restart`: milliseconds until the task runs again, counted from the end of its clean-up. */
  readonly restartInMs?: number;
}
