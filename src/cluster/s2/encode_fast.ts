/**
 * The level "fast": one hash table, three neighbouring positions per step, and steps that grow where
 * nothing is found.
 *
 * @module
 */
import { writeCopy, writeLiteral, writeRepeat } from "./elements.ts";
import { hash6, matchEnd, MatchTables, tableBits } from "./matches.ts";

/** log2 of the most entries that the table has. */
const TABLE_BITS = 14;

/** Encoders take turns: encoding never waits for anything. */
let shared: MatchTables | undefined;

/**
 * Writes the elements of `input` from `start` to `end` at `at` of `output`. Returns the offset behind
 * them, or -1 when they would not be noticeably shorter than the input. It needs 64 bytes more
 * than the input is long.
 */
export function encodeFast(
  input: DataView,
  start: number,
  end: number,
  output: DataView,
  at: number,
): number {
  const length = end - start;
  const table = (shared ??= new MatchTables(1 << TABLE_BITS)).tables[0]!;
  const delta = shared.begin(length) - start;
  const shift = 32 - tableBits(length, TABLE_BITS);
  const skipShift = length <= 0x1_0000 ? 5 : 6;
  const limit = end - 8;
  const mostAt = at + length - (length >>> 5) - 5;
  let emitted = start, repeat = 1, s = start + 1;

  search: while (s < limit) {
    let candidate = 0, next = s;
    // Looks at s, s + 1 and s + 2 for what is in the table, and at s + 1 for the last offset.
    while ((next = s + ((s - emitted) >> skipShift) + 4) <= limit) {
      const low = input.getInt32(s, true), high = input.getInt32(s + 4, true);
      const low1 = (low >>> 8) | (high << 24);
      const hash = hash6(low, high, shift);
      const hash1 = hash6(low1, high >>> 8, shift);
      candidate = table[hash]! - delta;
      const candidate1 = table[hash1]! - delta;
      table[hash] = s + delta;
      table[hash1] = s + 1 + delta;

      if (low1 === input.getInt32(s + 1 - repeat, true)) {
        let base = s + 1;
        while (
          base > emitted && base - repeat > start &&
          input.getUint8(base - 1) === input.getUint8(base - repeat - 1)
        ) base--;
        if (at + (base - emitted) > mostAt) return -1;
        const first = emitted === start;
        at = writeLiteral(output, at, input, emitted, base);
        s = matchEnd(input, s + 5, s + 5 - repeat, end);
        // Before the first copy there is no offset to repeat.
        at = first
          ? writeCopy(output, at, repeat, s - base)
          : writeRepeat(output, at, repeat, s - base);
        emitted = s;
        if (s >= limit) break search;
        continue;
      }
      if (candidate >= start && low === input.getInt32(candidate, true)) break;
      const low2 = (low >>> 16) | (high << 16);
      const hash2 = hash6(low2, high >>> 16, shift);
      const candidate2 = table[hash2]! - delta;
      table[hash2] = s + 2 + delta;
      if (candidate1 >= start && low1 === input.getInt32(candidate1, true)) {
        candidate = candidate1;
        s++;
        break;
      }
      if (candidate2 >= start && low2 === input.getInt32(candidate2, true)) {
        candidate = candidate2;
        s += 2;
        break;
      }
      s = next;
    }
    if (next > limit) break;

    while (
      s > emitted && candidate > start &&
      input.getUint8(s - 1) === input.getUint8(candidate - 1)
    ) s--, candidate--;
    if (at + (s - emitted) > mostAt) return -1;
    // The short cases of writeLiteral and writeCopy are repeated here: this function is too large for
    // them to be inlined, and the calls took a tenth of its time.
    const run = s - emitted;
    if (run > 16) {
      at = writeLiteral(output, at, input, emitted, s);
    } else if (run > 0) {
      output.setInt8(at++, (run - 1) << 2);
      output.setBigInt64(at, input.getBigInt64(emitted, true), true);
      if (run > 8) output.setBigInt64(at + 8, input.getBigInt64(emitted + 8, true), true);
      at += run;
    }

    // Copies, as long as another one follows immediately.
    while (true) {
      const base = s;
      repeat = base - candidate;
      s = matchEnd(input, s + 4, candidate + 4, end);
      const size = s - base;
      if (size < 12 && repeat < 2048) {
        output.setInt16(at, ((repeat >>> 8) << 5) | ((size - 4) << 2) | 1 | (repeat << 8), true);
        at += 2;
      } else if (size <= 64 && repeat < 0x1_0000) {
        output.setInt32(at, ((size - 1) << 2) | 2 | (repeat << 8), true);
        at += 3;
      } else {
        at = writeCopy(output, at, repeat, size);
      }
      emitted = s;
      if (s >= limit) break search;
      if (at > mostAt) return -1;
      const before = input.getInt32(s - 2, true), low = input.getInt32(s, true);
      const high = input.getInt32(s + 4, true);
      table[hash6(before, low >>> 16, shift)] = s - 2 + delta;
      const hash = hash6(low, high, shift);
      candidate = table[hash]! - delta;
      table[hash] = s + delta;
      if (candidate < start || low !== input.getInt32(candidate, true)) {
        s++;
        break;
      }
    }
  }
  if (at + (end - emitted) > mostAt) return -1;
  return writeLiteral(output, at, input, emitted, end);
}
