/**
 * The refusal to start something in a scope that is ending.
 *
 * @module
 */

/**
 * Something was to be started in a scope that is closing or closed (or between two attempts of a
 * restarting task); it was not. Also the reason of a scope's signal when none was given to `close`.
 */
export class ScopeClosedError extends Error {
  /** Always `"ScopeClosedError"`. */
  override readonly name = "ScopeClosedError";
  /** The scope's path, such as `broker/clients`. */
  readonly path: string;

  /** For the scope at `path`. */
  constructor(path: string) {
    super(`scope is closing: ${path}`);
    this.path = path;
  }
}
