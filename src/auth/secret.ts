/**
 * A password or token that the configuration has in the clear.
 *
 * @module
 */

const encoder = new TextEncoder();

/** A secret configured in the clear. */
export class PlainSecret {
  readonly #bytes: Uint8Array;

  /** Keeps `secret` as UTF-8. */
  constructor(secret: string) {
    this.#bytes = encoder.encode(secret);
  }

  /**
   * Whether `offered` is the secret. The time taken depends on the length of `offered` alone, so it
   * tells neither the secret's length nor how far a guess was right.
   */
  matches(offered: string): boolean {
    const secret = this.#bytes;
    const guess = encoder.encode(offered);
    let difference = guess.length ^ secret.length;
    for (let i = 0; i < guess.length; i++) {
      difference |= guess[i]! ^ (secret[i % secret.length] ?? 0);
    }
    return difference === 0;
  }
}
