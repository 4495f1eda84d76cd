/**
 * Chance that repeats itself.
 *
 * @module
 */
import type { Random } from "./random.ts";
import { Xoshiro } from "./xoshiro.ts";

/** {@link Random} that draws the same numbers and bytes for the same seed. For tests only. */
export class SeededRandom implements Random {
  /** The seed it was made with, for the message of a failing test. */
  readonly seed: number;
  readonly #generator: Xoshiro;

  /** `seed` is any whole number; its low 32 bits count. */
  constructor(seed: number) {
    this.seed = seed;
    const word = spread(seed);
    this.#generator = new Xoshiro(word(), word(), word(), word());
  }

  /** See {@link Random.next}. */
  next(): number {
    return this.#generator.next();
  }

  /** See {@link Random.below}. */
  below(limit: number): number {
    return this.#generator.below(limit);
  }

  /** Reproducible bytes, of no use as secrets. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let index = 0; index < length; index++) bytes[index] = this.#generator.bits() >>> 24;
    return bytes;
  }
}

/** SplitMix32, which makes unrelated starting states of neighbouring seeds. */
function spread(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let word = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return word ^ (word >>> 15);
  };
}
