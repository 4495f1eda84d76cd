/**
 * The generator behind both {@link Random} implementations.
 *
 * @module
 */

/** Width of one draw of {@link Xoshiro.below}. */
const DRAW_LIMIT = 2 ** 31;

/**
 * xoshiro128** by Blackman and Vigna (https://prng.di.unimi.it/xoshiro128starstar.c): 128 bits of
 * state, period 2^128 - 1, a few integer operations a draw. Not for secrets.
 */
export class Xoshiro {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** Starts from four 32-bit words; all zero, the one state it cannot leave, is replaced. */
  constructor(a: number, b: number, c: number, d: number) {
    this.#a = a | 0;
    this.#b = b | 0;
    this.#c = c | 0;
    this.#d = d | 0;
    if ((this.#a | this.#b | this.#c | this.#d) === 0) this.#a = 1;
  }

  /** The next 32 bits, as a signed integer. */
  bits(): number {
    const b = this.#b;
    const scaled = Math.imul(b, 5);
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9);
    const c = this.#c ^ this.#a;
    const d = this.#d ^ b;
    this.#b = b ^ c;
    this.#a ^= d;
    this.#c = c ^ (b << 9);
    this.#d = (d << 11) | (d >>> 21);
    return result;
  }

  /** Uniform in [0, 1), in steps of 2^-53. */
  next(): number {
    return ((this.bits() >>> 5) * 2 ** 26 + (this.bits() >>> 6)) / 2 ** 53;
  }

  /** Uniform in [0, limit), for 1 <= limit <= 2^31; without the bias of a plain remainder. */
  below(limit: number): number {
    const fair = DRAW_LIMIT - DRAW_LIMIT % limit;
    for (;;) {
      const draw = this.bits() >>> 1;
      if (draw < fair) return draw % limit;
    }
  }
}
