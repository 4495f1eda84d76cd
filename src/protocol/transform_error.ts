/**
 * Transforms that cannot be.
 *
 * @module
 */

/** A source and a destination that make no transform. */
export class TransformError extends Error {
  /** The class's name. */
  override readonly name = "TransformError";

  /**
   * Describes a mistake.
   *
   * @param reason What is wrong, in nats-server's words.
   * @param culprit The subject or token (a byte string) that is wrong.
   */
  constructor(readonly reason: string, readonly culprit: string) {
    super(`${reason} in ${JSON.stringify(culprit)}`);
  }
}
