/**
 * A picture of everything that runs.
 *
 * @module
 */

/** One scope in the picture; the field names are those of the monitoring endpoint `/tasksz`. */
export interface TaskInfo {
  /** Name within the parent, such as `client:17`. */
  readonly name: string;
  /** `restarting`: its task threw and waits to be run again. */
  readonly state: "running" | "restarting" | "closing" | "closed";
  /** Milliseconds since the scope was made. */
  readonly age_ms: number;
  /** How often its task was run again after a panic. */
  readonly restarts: number;
  /** Panics in it and in everything that ever ran beneath it. */
  readonly panics: number;
  /** Its live children, oldest first. */
  readonly children: readonly TaskInfo[];
}
