/**
 * The level "better": a table of long matches next to one of short ones, and every position is looked
 * at.
 *
 * @module
 */
import { writeCopy, writeLiteral, writeRepeat } from "./elements.ts";
import { hash4, hash7, matchEnd, MatchTables, tableBits } from "./matches.ts";

/** log2 of the most entries of the table for matches of 7 bytes. */
const LONG_TABLE_BITS = 17;
/** log2 of the most entries of the table for matches of 4 bytes. */
const SHORT_TABLE_BITS = 14;

/** Encoders take turns: encoding never waits for anything. */
let shared: MatchTables | undefined;

/** As `encodeFast`, with more effort. */
export function encodeBetter(
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
  const limit = end - 9;
  const mostAt = at + length - (length >>> 5) - 6;
  let emitted = start, repeat = 0, s = start + 1;

  while (s < limit) {
    let candidate = 0, next = s;
    while ((next = s + ((s - emitted) >> 7) + 1) <= limit) {
      const low = input.getInt32(s, true), high = input.getInt32(s + 4, true);
      const longHash = hash7(low, high, longShift), shortHash = hash4(low, shortShift);
      candidate = longs[longHash]! - delta;
      const short = shorts[shortHash]! - delta;
      longs[longHash] = s + delta;
      shorts[shortHash] = s + delta;
      const long = candidate >= start && low === input.getInt32(candidate, true);
      if (long && high === input.getInt32(candidate + 4, true)) break;
      if (short >= start && low === input.getInt32(short, true)) {
        if (high === input.getInt32(short + 4, true)) {
          candidate = short;
          break;
        }
        if (long) break;
        // A long match of the next position is worth a literal.
        const low1 = (low >>> 8) | (high << 24);
        const hash1 = hash7(low1, input.getInt32(s + 5, true), longShift);
        candidate = longs[hash1]! - delta;
        longs[hash1] = s + 1 + delta;
        if (candidate >= start && low1 === input.getInt32(candidate, true)) s++;
        else candidate = short;
        break;
      }
      if (long) break;
      s = next;
    }
    if (next > limit) break;

    while (
      s > emitted && candidate > start &&
      input.getUint8(s - 1) === input.getUint8(candidate - 1)
    ) s--, candidate--;
    if (at + (s - emitted) > mostAt) return -1;
    const base = s, offset = base - candidate;
    s = matchEnd(input, s + 4, candidate + 4, end);
    if (offset > 0xffff && s - base <= 5 && offset !== repeat) {
      // Such a copy is no shorter than what it stands for.
      s = next + 1;
      continue;
    }
    at = writeLiteral(output, at, input, emitted, base);
    if (offset === repeat) {
      at = writeRepeat(output, at, offset, s - base);
    } else {
      at = writeCopy(output, at, offset, s - base);
      repeat = offset;
    }
    emitted = s;
    if (s >= limit) break;
    if (at > mostAt) return -1;

    // What the match covers is entered at its ends, and every other long match between them.
    let from = base + 1, to = s - 2;
    const first = input.getInt32(from, true), firstHigh = input.getInt32(from + 4, true);
    const last = input.getInt32(to, true), lastHigh = input.getInt32(to + 4, true);
    longs[hash7(first, firstHigh, longShift)] = from + delta;
    shorts[hash4((first >>> 8) | (firstHigh << 24), shortShift)] = from + 1 + delta;
    longs[hash7(last, lastHigh, longShift)] = to + delta;
    shorts[hash4((last >>> 8) | (lastHigh << 24), shortShift)] = to + 1 + delta;
    from++;
    to--;
    for (let middle = (from + to + 1) >> 1; middle < to; from += 2, middle += 2) {
      const a = hash7(input.getInt32(from, true), input.getInt32(from + 4, true), longShift);
      longs[a] = from + delta;
      const b = hash7(input.getInt32(middle, true), input.getInt32(middle + 4, true), longShift);
      longs[b] = middle + delta;
    }
  }
  if (at + (end - emitted) > mostAt) return -1;
  return writeLiteral(output, at, input, emitted, end);
}
