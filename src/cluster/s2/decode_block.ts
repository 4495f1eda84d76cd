/**
 * Decoding one S2 block.
 *
 * @module
 */
import { S2Error } from "./format.ts";

/**
 * From this length on `set` and `copyWithin` beat a loop over 64-bit words, in spite of their call
 * (and the view that `set` needs).
 */
const WORD_COPY_LIMIT = 256;

/** Bytes with a `DataView` over the same bytes. */
export interface Bytes {
  /** The bytes. */
  readonly bytes: Uint8Array;
  /** The same bytes. */
  readonly view: DataView;
}

/** `bytes` with a `DataView`. */
export function bytesWithView(bytes: Uint8Array): Bytes {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

/** The decoded length a block begins with. */
export class BlockLength {
  /** How many bytes the block claims to decode to; unchecked. */
  decoded = 0;
  /** The offset behind the varint. */
  end = 0;

  /**
   * Reads the varint at `at`.
   *
   * @throws {S2Error} when it does not end before `end`, or does not fit 32 bits.
   */
  read(bytes: Uint8Array, at: number, end: number): void {
    let value = 0;
    for (let shift = 1; at < end; shift *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) {
        if (value > 0xffffffff) break;
        this.decoded = value;
        this.end = at;
        return;
      }
      if (shift === 1 << 28) break;
    }
    throw new S2Error("bad length of a block");
  }
}

/**
 * Decodes the elements of `source` from `s` to `sEnd` into `target` from `dStart` to `dEnd`, which
 * must be exactly what they decode to. Nothing outside that range is written.
 *
 * @throws {S2Error} when they do not; part of the range is overwritten then.
 */
export function decodeBlock(
  source: Bytes,
  s: number,
  sEnd: number,
  target: Bytes,
  dStart: number,
  dEnd: number,
): void {
  const { bytes: from, view: fromView } = source;
  const { bytes: to, view: toView } = target;
  let d = dStart, offset = 0;
  while (s < sEnd) {
    const tag = from[s]!;
    let length: number;
    if ((tag & 3) === 0) {
      length = (tag >>> 2) + 1;
      s++;
      if (length > 60) {
        const extra = length - 60;
        if (extra > sEnd - s) throw new S2Error("block ends within an element");
        length = from[s]!;
        if (extra > 1) length |= from[s + 1]! << 8;
        if (extra > 2) length |= from[s + 2]! << 16;
        if (extra > 3) length += from[s + 3]! * 0x1000000;
        length++;
        s += extra;
      }
      if (length > sEnd - s) throw new S2Error("block ends within a literal");
      if (length > dEnd - d) throw new S2Error("block is longer than it says");
      if (length <= 16 && s + 16 <= sEnd && d + 16 <= dEnd) {
        // 64-bit integers, and only loaded and stored: no BigInt is made of them.
        toView.setBigInt64(d, fromView.getBigInt64(s, true), true);
        toView.setBigInt64(d + 8, fromView.getBigInt64(s + 8, true), true);
      } else if (length <= WORD_COPY_LIMIT && s + length + 8 <= sEnd && d + length + 8 <= dEnd) {
        for (let i = 0; i < length; i += 8) {
          toView.setBigInt64(d + i, fromView.getBigInt64(s + i, true), true);
        }
      } else if (length <= 32) {
        for (let i = 0; i < length; i++) to[d + i] = from[s + i]!;
      } else {
        to.set(from.subarray(s, s + length), d);
      }
      s += length;
      d += length;
      continue;
    }
    // Behind the tag there are 1, 2 or 4 bytes.
    if ((tag & 3) === 1) {
      if (s + 2 > sEnd) throw new S2Error("block ends within an element");
      const near = ((tag & 0xe0) << 3) | from[s + 1]!;
      length = ((tag >>> 2) & 7) + 4;
      s += 2;
      if (near !== 0) {
        offset = near;
      } else if (length > 8) {
        const extra = length - 8;
        if (extra > sEnd - s) throw new S2Error("block ends within an element");
        if (extra === 1) length = from[s]! + 8;
        else if (extra === 2) length = (from[s]! | (from[s + 1]! << 8)) + 260;
        else length = (from[s]! | (from[s + 1]! << 8) | (from[s + 2]! << 16)) + 65_540;
        s += extra;
      }
    } else if ((tag & 3) === 2) {
      if (s + 3 > sEnd) throw new S2Error("block ends within an element");
      offset = fromView.getUint16(s + 1, true);
      length = (tag >>> 2) + 1;
      s += 3;
    } else {
      if (s + 5 > sEnd) throw new S2Error("block ends within an element");
      offset = fromView.getUint32(s + 1, true);
      length = (tag >>> 2) + 1;
      s += 5;
    }
    if (offset === 0 || offset > d - dStart) throw new S2Error("copy from outside of the block");
    if (length > dEnd - d) throw new S2Error("block is longer than it says");
    const end = d + length;
    if (offset >= 8 && length <= WORD_COPY_LIMIT && end + 8 <= dEnd) {
      do {
        toView.setBigInt64(d, toView.getBigInt64(d - offset, true), true);
        d += 8;
      } while (d < end);
    } else if (offset >= length) {
      if (length > 16) to.copyWithin(d, d - offset, d - offset + length);
      else for (; d < end; d++) to[d] = to[d - offset]!;
    } else {
      repeatBytes(to, d, offset, end);
    }
    d = end;
  }
  if (d !== dEnd) throw new S2Error("block is shorter than it says");
}

/** Continues the last `offset` bytes before `d` periodically until `end`. */
function repeatBytes(to: Uint8Array, d: number, offset: number, end: number): void {
  if (offset === 1) {
    to.fill(to[d - 1]!, d, end);
    return;
  }
  const from = d - offset;
  // Copying what is there doubles it, so that few calls do.
  while (end - d > 32) {
    const length = Math.min(d - from, end - d);
    if (length < 32) { for (let i = 0; i < length; i++) to[d + i] = to[from + i]!; }
    else to.copyWithin(d, from, from + length);
    d += length;
  }
  for (; d < end; d++) to[d] = to[d - offset]!;
}
