/**
 * The level "best": two positions remembered per hash, all candidates at three neighbouring positions
 * compared by what they save, and everything entered into the tables.
 *
 * @module
 */
import type { Bytes } from "./decode_block.ts";
import { copySize, repeatSize, writeCopy, writeLiteral, writeRepeat } from "./elements.ts";
import { hash4, hash8, matchEnd, MatchTables, tableBits } from "./matches.ts";

/** log2 of the most pairs in the table for matches of 8 bytes. */
const LONG_TABLE_BITS = 19;
/** log2 of the most pairs in the table for matches of 4 bytes. */
const SHORT_TABLE_BITS = 16;
/** The longest step over what has no matches. */
const MOST_SKIP = 64;

/** Encoders take turns: encoding never waits for anything. */
let shared: MatchTables | undefined;

/** The best match found so far around one position. */
class Best {
  #view: DataView = new DataView(new ArrayBuffer(0));
  #start = 0;
  #end = 0;
  /** Where the literal in front of the match begins. */
  emitted = 0;
  /** The match: where it begins, how long it is (0: there is none), and from how far it copies. */
  s = 0;
  length = 0;
  offset = 0;
  /** Whether it repeats the previous offset. */
  repeats = false;
  /** Bytes it saves, minus the position: of two matches the one further on needs literals. */
  #score = 0;

  /** Begins a block. */
  begin(view: DataView, start: number, end: number): void {
    this.#view = view;
    this.#start = start;
    this.#end = end;
  }

  /** Tries the match at `s`, where the four bytes `first` are, with what `candidate` holds. */
  try(s: number, candidate: number, first: number, repeats: boolean): void {
    const view = this.#view, offset = s - candidate;
    if (candidate < this.#start || view.getInt32(candidate, true) !== first) return;
    if (this.length !== 0 && this.offset === offset) return;
    const length = matchEnd(view, s + 4, candidate + 4, this.#end) - s;
    const score = length - s + (s === this.emitted ? 1 : 0) -
      (repeats ? repeatSize(offset, length) : copySize(offset, length));
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
  input: Bytes,
  start: number,
  end: number,
  output: Bytes,
  at: number,
): number {
  const length = end - start, view = input.view;
  shared ??= new MatchTables(2 << LONG_TABLE_BITS, 2 << SHORT_TABLE_BITS);
  const longs = shared.tables[0]!, shorts = shared.tables[1]!;
  const delta = shared.begin(length) - start;
  const longShift = 32 - tableBits(length, LONG_TABLE_BITS);
  const shortShift = 32 - tableBits(length, SHORT_TABLE_BITS);
  const limit = end - 10;
  const mostAt = at + length - 5;
  let emitted = start, repeat = 1, s = start + 1;
  best.begin(view, start, end);

  while (s < limit) {
    best.emitted = emitted;
    best.length = 0;
    let next = s;
    while ((next = s + Math.min(((s - emitted) >> 8) + 1, MOST_SKIP)) <= limit) {
      const low = view.getInt32(s, true), high = view.getInt32(s + 4, true);
      const low1 = (low >>> 8) | (high << 24);
      const long = hash8(low, high, longShift) << 1, short = hash4(low, shortShift) << 1;
      const longCandidate = longs[long]!, shortCandidate = shorts[short]!;
      best.try(s, longCandidate - delta, low, false);
      best.try(s, longs[long + 1]! - delta, low, false);
      best.try(s, shortCandidate - delta, low, false);
      best.try(s, shorts[short + 1]! - delta, low, false);
      best.try(s + 1, s + 1 - repeat, low1, true);
      if (best.length > 0) {
        const high1 = view.getInt32(s + 5, true);
        const low2 = (low >>> 16) | (high << 16), high2 = view.getInt32(s + 6, true);
        const long1 = hash8(low1, high1, longShift) << 1, short1 = hash4(low1, shortShift) << 1;
        best.try(s + 1, shorts[short1]! - delta, low1, false);
        best.try(s + 1, shorts[short1 + 1]! - delta, low1, false);
        best.try(s + 1, longs[long1]! - delta, low1, false);
        best.try(s + 1, longs[long1 + 1]! - delta, low1, false);
        const long2 = hash8(low2, high2, longShift) << 1, short2 = hash4(low2, shortShift) << 1;
        best.try(s + 2, s + 2 - repeat, low2, true);
        best.try(s + 2, shorts[short2]! - delta, low2, false);
        best.try(s + 2, shorts[short2 + 1]! - delta, low2, false);
        best.try(s + 2, longs[long2]! - delta, low2, false);
        best.try(s + 2, longs[long2 + 1]! - delta, low2, false);
        // What is known of the last byte of the best match and the 7 bytes behind it may also agree
        // with most of the match, and so be longer.
        const last = best.s + best.length - 1;
        if (last < limit) {
          const second = best.s + 1, back = last - second;
          const first = view.getInt32(second, true);
          const hash = hash8(view.getInt32(last, true), view.getInt32(last + 4, true), longShift);
          best.try(second, longs[hash << 1]! - delta - back, first, false);
          best.try(second, longs[(hash << 1) + 1]! - delta - back, first, false);
        }
      }
      longs[long] = shorts[short] = s + delta;
      longs[long + 1] = longCandidate;
      shorts[short + 1] = shortCandidate;
      if (best.length > 0) break;
      s = next;
    }
    if (best.length === 0) break;

    const { offset, repeats } = best, found = best.s;
    let base = found;
    if (!repeats) {
      while (
        base > emitted && base - offset > start &&
        view.getUint8(base - 1) === view.getUint8(base - offset - 1)
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
    let low = view.getInt32(found + 1, true), high = view.getInt32(found + 5, true);
    for (let i = found + 1; i < s;) {
      const long = hash8(low, high, longShift) << 1, short = hash4(low, shortShift) << 1;
      longs[long + 1] = longs[long]!;
      longs[long] = i + delta;
      shorts[short + 1] = shorts[short]!;
      shorts[short] = i + delta;
      i++;
      low = (low >>> 8) | (high << 24);
      high = view.getInt32(i + 4, true);
    }
  }
  if (at + (end - emitted) > mostAt) return -1;
  return writeLiteral(output, at, input, emitted, end);
}
