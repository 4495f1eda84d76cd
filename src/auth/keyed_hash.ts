/**
 * Short names for texts that are not to be kept, under a key that nobody knows.
 *
 * @module
 */

/**
 * HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein, https://github.com/veorq/SipHash), over
 * the 16-bit units of texts. Whoever does not know the key can neither choose texts of the same name nor
 * find out what a name is that of. It takes a microsecond, where HMAC takes fifty.
 */
export class KeyedHash {
  readonly #low: number;
  readonly #high: number;

  /** A hash of its own for each `key` of 8 bytes. */
  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, 8);
    this.#low = view.getInt32(0, true);
    this.#high = view.getInt32(4, true);
  }

  /** The name of two texts together. */
  of(one: string, other: string): string {
    let a = this.#low,
      b = this.#high ^ 0xee,
      c = this.#low ^ 0x6c796765,
      d = this.#high ^ 0x74656463;
    const rounds = (count: number) => {
      for (let i = 0; i < count; i++) {
        a = (a + b) | 0;
        b = (b << 5 | b >>> 27) ^ a;
        a = a << 16 | a >>> 16;
        c = (c + d) | 0;
        d = (d << 8 | d >>> 24) ^ c;
        a = (a + d) | 0;
        d = (d << 7 | d >>> 25) ^ a;
        c = (c + b) | 0;
        b = (b << 13 | b >>> 19) ^ c;
        c = c << 16 | c >>> 16;
      }
    };
    const mix = (word: number) => {
      d ^= word;
      rounds(2);
      a ^= word;
    };
    for (const text of [one, other]) {
      // The length first, so that no two pairs are the same words.
      mix(text.length);
      for (let i = 0; i < text.length; i += 2) {
        mix(text.charCodeAt(i) | (i + 1 < text.length ? text.charCodeAt(i + 1) << 16 : 0));
      }
    }
    c ^= 0xee;
    rounds(4);
    const first = (b ^ d) >>> 0;
    b ^= 0xdd;
    rounds(4);
    return `${first.toString(36)}.${((b ^ d) >>> 0).toString(36)}`;
  }
}
