/**
 * Chance from the system.
 *
 * @module
 */
import type { Random } from "./random.ts";
import { Xoshiro } from "./xoshiro.ts";

/** Most bytes the runtime gives out in one call. */
const BYTES_PER_CALL = 65_536;

/** {@link Random} whose fast numbers are seeded by, and whose bytes come from, the system. */
export class SystemRandom implements Random {
  readonly #generator: Xoshiro;

  /** Seeds itself. */
  constructor() {
    const [a = 1, b = 2, c = 3, d = 4] = crypto.getRandomValues(new Uint32Array(4));
    this.#generator = new Xoshiro(a, b, c, d);
  }

  /** See {@link Random.next}. */
  next(): number {
    return this.#generator.next();
  }

  /** See {@link Random.below}. */
  below(limit: number): number {
    return this.#generator.below(limit);
  }

  /** Cryptographically strong bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let start = 0; start < length; start += BYTES_PER_CALL) {
      crypto.getRandomValues(bytes.subarray(start, start + BYTES_PER_CALL));
    }
    return bytes;
  }
}
