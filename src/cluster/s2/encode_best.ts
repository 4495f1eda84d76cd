/**
 * The level "best": all candidates at three neighbouring positions are compared by what they save.
 *
 * The official encoder remembers two positions per hash and enters all of them. That makes 2 % less
 * of JSON, and takes twice as long.
 *
 * @module
 */
import { copySize, repeatSize, writeCopy, writeLiteral, writeRepeat } from "./elements.ts";
import { agrees, hash4, hash8, matchEnd, MatchTables, tableBits } from "./matches.ts";

/** log2 of the most entries of the table for matches of 8 bytes. */
const LONG_TABLE_BITS = 17;
/** log2 of the most entries of the table for matches of 4 bytes. */
const SHORT_TABLE_BITS = 15;
/** The longest step over what has no matches. */
const MOST_SKIP = 64;

/** Encoders take turns: encoding never waits for anything. */
let shared: MatchTables | undefined;

/** The best match found so far around one position. */
class Best {
  #view: DataView = new DataView(new ArrayBuffer(0));
  #end = 0;
  /** Where the literal in front of the match begins. */
  emitted = 0;
  /** Where the match begins. */
  s = 0;
  /** How long it is; 0 when there is none. */
  length = 0;
  /** From how far it copies. */
  offset = 0;
  /** Whether that is the previous offset. */
  repeats = false;
  /** Bytes it saves, minus the position: of two matches the one further on needs literals. */
  #score = 0;

  /** Begins a block that ends at `end`. */
  begin(view: DataView, end: number): void {
    this.#view = view;
    this.#end = end;
  }

  /** Tries the match at `s` with what is at `candidate`, which has the same four bytes. */
  try(s: number, candidate: number, repeats: boolean): void {
    const offset = s - candidate;
    if (this.length !== 0 && this.offset === offset) return;
    const length = matchEnd(this.#view, s + 4, candidate + 4, this.#end) - s;
    const size = repeats ? repeatSize(offset, length) : copySize(offset, length);
    const score = length - size - s + (s === this.emitted ? 1 : 0);
    if (score <= -s || (this.length !== 0 && score - s <= this.#score - this.s)) return;
    this.s = s;
    this.length = length;
    this.offset = offset;
    this.repeats = repeats;
    this.#score = score;
  }
}

const best = new Best();

/** As `encodeFast`, with all effort. */
export function encodeBest(
  input: DataView,
  start: number,
  end: number,
  output: DataView,
  at: number,
): number {
  const length = end - start;
  shared ??= new MatchTables(1 << LONG_TABLE_BITS, 1 << SHORT_TABLE_BITS);
  const longs = shared.tables[0]!, shorts = shared.tables[1]!;
  const delta = shared.begin(length) - start;
  const longShift = 32 - tableBits(length, LONG_TABLE_BITS);
  const shortShift = 32 - tableBits(length, SHORT_TABLE_BITS);
  const limit = end - 10;
  const mostAt = at + length - 5;
  let emitted = start, repeat = 1, s = start + 1;
  best.begin(input, end);

  while (s < limit) {
    best.emitted = emitted;
    best.length = 0;
    let next = s;
    while ((next = s + Math.min(((s - emitted) >> 8) + 1, MOST_SKIP)) <= limit) {
      const low = input.getInt32(s, true), high = input.getInt32(s + 4, true);
      const low1 = (low >>> 8) | (high << 24);
      const long = hash8(low, high, longShift), short = hash4(low, shortShift);
      let other = longs[long]! - delta;
      if (agrees(input, start, other, low)) best.try(s, other, false);
      other = shorts[short]! - delta;
      if (agrees(input, start, other, low)) best.try(s, other, false);
      other = s + 1 - repeat;
      if (agrees(input, start, other, low1)) best.try(s + 1, other, true);
      if (best.length > 0) {
        other = shorts[hash4(low1, shortShift)]! - delta;
        if (agrees(input, start, other, low1)) best.try(s + 1, other, false);
        other = longs[hash8(low1, input.getInt32(s + 5, true), longShift)]! - delta;
        if (agrees(input, start, other, low1)) best.try(s + 1, other, false);
        const low2 = (low >>> 16) | (high << 16);
        other = s + 2 - repeat;
        if (agrees(input, start, other, low2)) best.try(s + 2, other, true);
        other = longs[hash8(low2, input.getInt32(s + 6, true), longShift)]! - delta;
        if (agrees(input, start, other, low2)) best.try(s + 2, other, false);
        // What is known of the last byte of the best match and the 7 bytes behind it may also agree
        // with most of the match, and so be longer.
        const last = best.s + best.length - 1;
        if (last < limit) {
          const second = best.s + 1;
          const hash = hash8(input.getInt32(last, true), input.getInt32(last + 4, true), longShift);
          other = longs[hash]! - delta - (last - second);
          if (agrees(input, start, other, input.getInt32(second, true))) {
            best.try(second, other, false);
          }
        }
      }
      longs[long] = shorts[short] = s + delta;
      if (best.length > 0) break;
      s = next;
    }
    if (best.length === 0) break;

    const { offset, repeats } = best, found = best.s;
    let base = found;
    if (!repeats) {
      while (
        base > emitted && base - offset > start &&
        input.getUint8(base - 1) === input.getUint8(base - offset - 1)
      ) base--;
    }
    s = found + best.length;
    if (at + (base - emitted) > mostAt) return -1;
    if (offset > 0xffff && s - base <= 5 && !repeats) {
      // Such a copy is no shorter than what it stands for.
      s = found + 1;
      continue;
    }
    // Before the first copy there is no offset to repeat.
    const first = emitted === start;
    at = writeLiteral(output, at, input, emitted, base);
    at = repeats && !first
      ? writeRepeat(output, at, offset, s - base)
      : writeCopy(output, at, offset, s - base);
    repeat = offset;
    emitted = s;
    if (at > mostAt) return -1;
    if (s >= limit) break;
    for (let i = found + 1; i < s - 1; i += 2) {
      const low = input.getInt32(i, true), high = input.getInt32(i + 4, true);
      longs[hash8(low, high, longShift)] = i + delta;
      shorts[hash4((low >>> 8) | (high << 24), shortShift)] = i + 1 + delta;
    }
  }
  if (at + (end - emitted) > mostAt) return -1;
  return writeLiteral(output, at, input, emitted, end);
}
