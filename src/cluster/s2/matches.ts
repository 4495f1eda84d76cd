/**
 * Finding earlier occurrences: hash tables of positions, and how far two places agree.
 *
 * @module
 */

/** Positions are counted on from block to block until here; then the tables are cleared. */
const LAST_POSITION = 0x7000_0000;

/**
 * Hash tables of positions in the block that is being encoded.
 *
 * Clearing a table of 64 KiB would cost more than encoding a flush of 100 bytes. So positions count
 * on from block to block: an entry lower than the block's first position is of an earlier block, and
 * means nothing. That also holds for entries that were written with another number of bits.
 */
export class MatchTables {
  /** One table for each size that was asked for. */
  readonly tables: readonly Int32Array[];
  #next = 1;

  /** Tables with these numbers of entries. */
  constructor(...sizes: number[]) {
    this.tables = sizes.map((size) => new Int32Array(size));
  }

  /** Begins a block of `length` bytes: returns the position of its first byte. */
  begin(length: number): number {
    if (this.#next > LAST_POSITION - length) {
      for (const table of this.tables) table.fill(0);
      this.#next = 1;
    }
    const first = this.#next;
    this.#next += length;
    return first;
  }
}

/** log2 of the table size for a block of `length` bytes: no more than it can fill, at most `most`. */
export function tableBits(length: number, most: number): number {
  return Math.max(8, Math.min(most, 32 - Math.clz32(length - 1)));
}

/** Whether the four bytes at `candidate`, which may lie before the block's `start`, are `first`. */
export function agrees(view: DataView, start: number, candidate: number, first: number): boolean {
  return candidate >= start && view.getInt32(candidate, true) === first;
}

/**
 * Where the agreement of what begins at `s` with what begins at the earlier `candidate` ends, as an
 * offset between `s` and `end`.
 */
export function matchEnd(view: DataView, s: number, candidate: number, end: number): number {
  for (const last = end - 4; s <= last; s += 4, candidate += 4) {
    const difference = view.getInt32(s, true) ^ view.getInt32(candidate, true);
    if (difference !== 0) {
      // The lowest bit that is set says how many bytes agree.
      return s + ((31 - Math.clz32(difference & -difference)) >> 3);
    }
  }
  while (s < end && view.getUint8(s) === view.getUint8(candidate)) s++, candidate++;
  return s;
}

// Hashes of the first bytes at a place, as so many bits as remain of 32 - shift. The low bits of a product
// depend on few bits of its factors, so the high ones are taken.

/** A hash of the four bytes `low`. */
export function hash4(low: number, shift: number): number {
  return Math.imul(low, 0x9e3779b1) >>> shift;
}

/** A hash of six bytes: `low`, and the lower half of `high`. */
export function hash6(low: number, high: number, shift: number): number {
  return (Math.imul(low, 0x9e3779b1) + Math.imul(high << 16, 0x85ebca6b)) >>> shift;
}

/** A hash of seven bytes: `low`, and all but the highest of `high`. */
export function hash7(low: number, high: number, shift: number): number {
  return (Math.imul(low, 0x9e3779b1) + Math.imul(high << 8, 0x85ebca6b)) >>> shift;
}

/** A hash of the eight bytes `low` and `high`. */
export function hash8(low: number, high: number, shift: number): number {
  return (Math.imul(low, 0x9e3779b1) + Math.imul(high, 0x85ebca6b)) >>> shift;
}
