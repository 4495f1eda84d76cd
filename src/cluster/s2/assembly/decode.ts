/**
 * Decoding one S2 block. As everywhere here up to 16 bytes are copied where fewer are meant, and which
 * of the two short kinds of copy there is is no branch: that cannot be foretold.
 */
import { copyBytes } from "./elements";

// What is wrong with a block. `kernels.ts` has the words for it.
const ENDS_WITHIN_ELEMENT = 1;
const ENDS_WITHIN_LITERAL = 2;
const LONGER_THAN_IT_SAYS = 3;
const COPY_FROM_OUTSIDE = 4;
const SHORTER_THAN_IT_SAYS = 5;

/**
 * Decodes the elements between `s` and `sEnd` to between `start` and `end`, which must be exactly what
 * they decode to. Returns 0, or what is wrong with them.
 */
export function decodeBlock(s: usize, sEnd: usize, start: usize, end: usize): i32 {
  let d = start, offset: usize = 0;
  while (s < sEnd) {
    const tag: usize = load<u8>(s), kind = tag & 3;
    let length = (tag >>> 2) + 1;
    if (kind === 0) {
      s += 1;
      if (length > 60) {
        const extra = length - 60;
        if (extra > sEnd - s) return ENDS_WITHIN_ELEMENT;
        length = number(s, extra);
        s += extra;
        // Before 1 is added: there are 32 bits for it.
        if (length >= sEnd - s) return ENDS_WITHIN_LITERAL;
        length += 1;
      }
      if (length > sEnd - s) return ENDS_WITHIN_LITERAL;
      if (length > end - d) return LONGER_THAN_IT_SAYS;
      v128.store(d, v128.load(s));
      if (length > 16) copyBytes(d + 16, s + 16, length - 16);
      s += length;
      d += length;
      continue;
    }
    if (kind === 3) {
      if (sEnd - s < 5) return ENDS_WITHIN_ELEMENT;
      offset = load<u32>(s, 1);
      s += 5;
    } else {
      const behind: usize = load<u16>(s, 1), near = kind === 1;
      s += 1 + kind;
      if (s > sEnd) return ENDS_WITHIN_ELEMENT;
      length = select(((tag >>> 2) & 7) + 4, length, near);
      const said = select(((tag & 0xe0) << 3) | (behind & 0xff), behind, near);
      if (said !== 0 || !near) {
        offset = said;
      } else if (length > 8) {
        // A repeat of the last offset, with its length behind it.
        const extra = length - 8;
        if (extra > sEnd - s) return ENDS_WITHIN_ELEMENT;
        length = number(s, extra) + (extra === 1 ? 8 : extra === 2 ? 260 : 65_540);
        s += extra;
      }
    }
    // Also when the offset is 0.
    if (offset - 1 >= d - start) return COPY_FROM_OUTSIDE;
    if (length > end - d) return LONGER_THAN_IT_SAYS;
    const copied = d + length;
    if (offset >= 16) {
      v128.store(d, v128.load(d - offset));
      for (d += 16; d < copied; d += 16) v128.store(d, v128.load(d - offset));
    } else {
      repeatBytes(d, offset, copied);
    }
    d = copied;
  }
  return d === end ? 0 : SHORTER_THAN_IT_SAYS;
}

/** The number in `bytes` bytes, 1 to 4, at `at`. */
@inline
function number(at: usize, bytes: u32): u32 {
  return load<u32>(at) & (0xffff_ffff >>> (32 - 8 * bytes));
}

/** Continues the last `offset` < 16 bytes before `d` periodically until `end`. */
function repeatBytes(d: usize, offset: usize, end: usize): void {
  for (const some = min(end, d + 16); d < some; d++) store<u8>(d, load<u8>(d - offset));
  // Now there are so many periods that whole words can be copied.
  const period = offset * ((15 + offset) / offset);
  for (; d < end; d += 16) v128.store(d, v128.load(d - period));
}
