/** What every assertion of this package throws. */
export class AssertionError extends Error {
  /** Builds the error; `options.cause` is kept. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}
