/**
 * A password or token as the configuration has it: in the clear, or as a bcrypt hash.
 *
 * @module
 */

const encoder = new TextEncoder();

/**
 * Whether a configured secret is a bcrypt hash rather than the secret itself: `$2a$`, `$2b$`, `$2x$` or
 * `$2y$`, two digits of cost, `$`. The same test as nats-server's, so that `$2$...` and `$2z$...` are
 * plain passwords.
 */
export function isBcrypt(secret: string): boolean {
  return /^\$2[abxy]\$\d{2}\$/.test(secret);
}

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
