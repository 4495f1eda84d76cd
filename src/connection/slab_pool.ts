/**
 * Reuse of the buffers that bytes are read into and written from.
 *
 * @module
 */
import { Slab } from "../protocol/mod.ts";

/** Capacity of a small slab in bytes: what a connection with little to say needs. */
export const SMALL_SLAB_BYTES = 2048;
/** Capacity of a medium slab in bytes. */
export const MEDIUM_SLAB_BYTES = 8192;
/** Capacity of a large slab in bytes. */
export const LARGE_SLAB_BYTES = 131072;
/** Capacity of a huge slab in bytes: room for four frames with payloads of 64 KiB. */
export const HUGE_SLAB_BYTES = 278528;

/**
 * Keeps slabs that are not in use, up to a limit; more are left to the garbage collector. Taking
 * one costs no allocation and no zeroing while the pool has some.
 */
export class SlabPool {
  readonly #small: Slab[] = [];
  readonly #medium: Slab[] = [];
  readonly #large: Slab[] = [];
  readonly #huge: Slab[] = [];
  readonly #smallLimit: number;
  readonly #mediumLimit: number;
  readonly #largeLimit: number;
  readonly #hugeLimit: number;

  /** A pool that keeps at most so many slabs (by default 2, 4, 16 and 4 MiB of them). */
  constructor(limits: { small?: number; medium?: number; large?: number; huge?: number } = {}) {
    this.#smallLimit = limits.small ?? 1024;
    this.#mediumLimit = limits.medium ?? 512;
    this.#largeLimit = limits.large ?? 128;
    this.#hugeLimit = limits.huge ?? 16;
  }

  /** A slab of {@link SMALL_SLAB_BYTES}, with arbitrary content. */
  takeSmall(): Slab {
    return taken(this.#small.pop()) ?? new Slab(SMALL_SLAB_BYTES);
  }

  /** A slab of {@link MEDIUM_SLAB_BYTES}, with arbitrary content. */
  takeMedium(): Slab {
    return taken(this.#medium.pop()) ?? new Slab(MEDIUM_SLAB_BYTES);
  }

  /** A slab of {@link LARGE_SLAB_BYTES}, with arbitrary content. */
  takeLarge(): Slab {
    return taken(this.#large.pop()) ?? new Slab(LARGE_SLAB_BYTES);
  }

  /** A slab of {@link HUGE_SLAB_BYTES}, with arbitrary content. */
  takeHuge(): Slab {
    return taken(this.#huge.pop()) ?? new Slab(HUGE_SLAB_BYTES);
  }

  /**
   * Takes back a slab that nothing refers to any more. Others than the four sizes are dropped.
   *
   * @throws {Error} when it is in the pool already: two connections would write into one another's
   * frames.
   */
  give(slab: Slab): void {
    if (slab.capacity === LARGE_SLAB_BYTES) keep(this.#large, this.#largeLimit, slab);
    else if (slab.capacity === SMALL_SLAB_BYTES) keep(this.#small, this.#smallLimit, slab);
    else if (slab.capacity === MEDIUM_SLAB_BYTES) keep(this.#medium, this.#mediumLimit, slab);
    else if (slab.capacity === HUGE_SLAB_BYTES) keep(this.#huge, this.#hugeLimit, slab);
  }

  /** Lets go of half of what is kept, so that a burst does not hold its memory for ever. */
  trim(): void {
    this.#small.length >>= 1;
    this.#medium.length >>= 1;
    this.#large.length >>= 1;
    this.#huge.length >>= 1;
  }
}

function keep(slabs: Slab[], limit: number, slab: Slab): void {
  if (slab.pooled) throw new Error("a slab was given back twice");
  if (slabs.length === limit) return;
  slab.pooled = true;
  slabs.push(slab);
}

function taken(slab: Slab | undefined): Slab | undefined {
  if (slab !== undefined) slab.pooled = false;
  return slab;
}
