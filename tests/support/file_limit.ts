/**
 * Programs that may open no more files than a test says.
 *
 * @module
 */

/** A program and its arguments. */
export interface ProgramCall {
  /** The program. */
  readonly command: string;
  /** Its arguments. */
  readonly args: readonly string[];
}

/**
 * How to call a program so that it may open `limit` files, sockets included. The program ends at once
 * with a line on its standard error where the system does not allow that many.
 */
export function withFileLimit(limit: number, { command, args }: ProgramCall): ProgramCall {
  const script = 'ulimit -n "$0" && exec "$@"';
  return { command: "sh", args: ["-c", script, String(limit), command, ...args] };
}
