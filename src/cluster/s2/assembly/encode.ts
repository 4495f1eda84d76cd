/**
 * Encoding one S2 block, at three levels.
 *
 * JSON of small messages becomes a copy or a literal for every 12 bytes, and what takes the time is
 * that the processor cannot foretell the branches between them. So some neighbouring positions are
 * looked at together: up to 16 bytes are compared at each, whether that is any use or not, and the
 * longest agreement is taken without a branch. What is looked at is entered into the table; what a
 * match covers is not, as that takes a tenth of the time and finds no more.
 */
import { writeCopy, writeLiteral } from "./elements";
import { MATCHES, MATCHES_BYTES } from "./layout";

/** Positions are counted on from block to block until here; then the tables are cleared. */
const LAST_POSITION: u32 = 0x7000_0000;

/**
 * The next block's position. Clearing the table would cost more than encoding a flush of 100 bytes. So
 * an entry lower than the block's first position is of an earlier block, and means nothing.
 */
export let nextPosition: u32 = 1;

/** log2 of the most entries that a table has. */
const TABLE_BITS: u64 = 14;

/** The positions s and s + 2 of every 3. */
const FAST = 1;
/** All four of the positions from s to s + 3. */
const BETTER = 2;
/** The same, and with the same hash the last two occurrences. */
const BEST = 3;

/** As {@link encode} at the level "fast". */
export function encodeFast(start: usize, end: usize, output: usize): usize {
  return encode(start, end, output, FAST);
}

/** As {@link encode} at the level "better". */
export function encodeBetter(start: usize, end: usize, output: usize): usize {
  return encode(start, end, output, BETTER);
}

/** As {@link encode} at the level "best". */
export function encodeBest(start: usize, end: usize, output: usize): usize {
  return encode(start, end, output, BEST);
}

/**
 * Writes the elements of what is between `start` and `end`, at least 32 bytes, to `output`. Returns the
 * address behind them, or 0 when they would not be noticeably shorter than the input.
 */
@inline
function encode(start: usize, end: usize, output: usize, level: i32): usize {
  const length = end - start;
  const delta = beginBlock(length) - start;
  const shift: u64 = 64 - tableBits(length);
  // Hashes and comparisons of any position up to here stay within the block.
  const limit = end - 24;
  const mostAt = output + length - (length >>> 5) - 5;
  const stride: usize = level === FAST ? 3 : 4;
  let at = output, emitted = start, s = start + 1;

  while (s < limit) {
    const entry0 = entryOf(s, shift, level), entry2 = entryOf(s + 2, shift, level);
    const entry1: usize = level === FAST ? 0 : entryOf(s + 1, shift, level);
    const entry3: usize = level === FAST ? 0 : entryOf(s + 3, shift, level);
    let place0 = last(entry0, delta, start), place2 = last(entry2, delta, start);
    let place1: usize = level === FAST ? 0 : last(entry1, delta, start);
    let place3: usize = level === FAST ? 0 : last(entry3, delta, start);
    let same0 = agreement(s, place0), same2 = agreement(s + 2, place2);
    let same1: u32 = level === FAST ? 0 : agreement(s + 1, place1);
    let same3: u32 = level === FAST ? 0 : agreement(s + 3, place3);
    if (level === BEST) {
      const older0 = older(entry0, delta, start), again0 = agreement(s, older0);
      const older1 = older(entry1, delta, start), again1 = agreement(s + 1, older1);
      const older2 = older(entry2, delta, start), again2 = agreement(s + 2, older2);
      const older3 = older(entry3, delta, start), again3 = agreement(s + 3, older3);
      place0 = select(older0, place0, again0 > same0);
      place1 = select(older1, place1, again1 > same1);
      place2 = select(older2, place2, again2 > same2);
      place3 = select(older3, place3, again3 > same3);
      same0 = max(same0, again0);
      same1 = max(same1, again1);
      same2 = max(same2, again2);
      same3 = max(same3, again3);
    }
    enter(entry0, s + delta, level);
    if (level !== FAST) enter(entry1, s + 1 + delta, level);
    enter(entry2, s + 2 + delta, level);
    if (level !== FAST) enter(entry3, s + 3 + delta, level);

    // Of equal agreements the first position wins, which needs the shortest literal.
    let best = max((same0 << 2) | 3, (same2 << 2) | 1);
    if (level !== FAST) best = max(best, max((same1 << 2) | 2, same3 << 2));
    const found = best >>> 2, further = 3 - (best & 3);
    if (found < 4) {
      s += stride + ((s - emitted) >>> 5);
      continue;
    }
    let candidate = select(place0, place2, further === 0);
    if (level !== FAST) {
      candidate = select(place1, candidate, further === 1);
      candidate = select(place3, candidate, further === 3);
    }
    const match = s + further, offset = match - candidate;
    const base = match - agreementBefore(match, candidate, min(match - emitted, candidate - start));
    const matchEnd = found < 16 ? match + found : endOf(match + 16, offset, end);
    if (offset > 0xffff && matchEnd - base <= 5) {
      // Such a copy is no shorter than what it stands for.
      s += stride;
      continue;
    }
    if (at + (base - emitted) > mostAt) return 0;
    at = writeLiteral(at, emitted, base);
    at = writeCopy(at, offset, matchEnd - base);
    // As at least 4 bytes were found, everything that was entered lies before this.
    s = emitted = matchEnd;
  }
  if (at + (end - emitted) > mostAt) return 0;
  return writeLiteral(at, emitted, end);
}

/** Begins a block of `length` bytes: returns the position of its first byte. */
function beginBlock(length: u32): u32 {
  if (nextPosition > LAST_POSITION - length) {
    memory.fill(MATCHES, 0, MATCHES_BYTES);
    nextPosition = 1;
  }
  const first = nextPosition;
  nextPosition += length;
  return first;
}

/** log2 of the table size for a block of `length` bytes: no more than it can fill. */
function tableBits(length: u32): u64 {
  return max<u64>(8, min(TABLE_BITS, 32 - clz(length - 1)));
}

/** The entry for a hash of the six bytes at `s`: shorter copies are hardly ever worth it. */
@inline
function entryOf(s: usize, shift: u64, level: i32): usize {
  const hash = <usize> (((load<u64>(s) << 16) * 227718039650203) >>> shift);
  return MATCHES + (hash << (level === BEST ? 3 : 2));
}

/** Enters a position; at the level "best" the one that was there becomes the older one. */
@inline
function enter(entry: usize, position: u32, level: i32): void {
  if (level === BEST) store<u32>(entry, load<u32>(entry), 4);
  store<u32>(entry, position);
}

/** The last place that was entered. */
@inline
function last(entry: usize, delta: u32, start: usize): usize {
  return addressOf(load<u32>(entry), delta, start);
}

/** The place before that. */
@inline
function older(entry: usize, delta: u32, start: usize): usize {
  return addressOf(load<u32>(entry, 4), delta, start);
}

/** The address of a position; of one before the block the block's start, which may agree, too. */
@inline
function addressOf(position: u32, delta: u32, start: usize): usize {
  return <usize> max<i32>(position - delta, start);
}

/** How many of the 16 bytes at both places agree. */
@inline
function agreement(s: usize, candidate: usize): u32 {
  return ctz(i8x16.bitmask(i8x16.eq(v128.load(s), v128.load(candidate))) + 1);
}

/** How many of the `most` bytes before both places agree; no more than 8 are looked at. */
@inline
function agreementBefore(s: usize, candidate: usize, most: usize): usize {
  return min(<usize> clz(load<u64>(s - 8) ^ load<u64>(candidate - 8)) >>> 3, most);
}

/** Where what is at `s` stops to repeat what was `offset` bytes before it. */
@inline
function endOf(s: usize, offset: usize, end: usize): usize {
  while (s < end) {
    const same = agreement(s, s - offset);
    s += same;
    if (same < 16) break;
  }
  return min(s, end);
}
