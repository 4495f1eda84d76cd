/**
 * Writing the elements of an S2 block: literals, copies and repeated copies.
 *
 * @module
 */

/** How many bytes behind the elements may be overwritten by whoever writes them. */
export const ELEMENT_SLACK = 16;

/** From this length on `set` beats a loop over 64-bit words, in spite of the view it needs. */
const WORD_COPY_LIMIT = 256;

/**
 * Writes `input` from `from` to `to` as a literal at `at` of `output`; nothing when that is empty. May
 * overwrite {@link ELEMENT_SLACK} bytes behind it. Returns the offset behind the literal.
 *
 * This and {@link writeCopy} are the short, frequent cases only, so that they are inlined.
 */
export function writeLiteral(
  output: DataView,
  at: number,
  input: DataView,
  from: number,
  to: number,
): number {
  const length = to - from;
  if (length > 16 || from + 16 > input.byteLength) {
    return writeLongLiteral(output, at, input, from, to);
  }
  if (length > 0) {
    output.setInt8(at++, (length - 1) << 2);
    // 64-bit integers that are only loaded and stored: no BigInt is made of them.
    output.setBigInt64(at, input.getBigInt64(from, true), true);
    if (length > 8) output.setBigInt64(at + 8, input.getBigInt64(from + 8, true), true);
  }
  return at + length;
}

/** {@link writeLiteral} of any length, anywhere. */
function writeLongLiteral(
  output: DataView,
  at: number,
  input: DataView,
  from: number,
  to: number,
): number {
  const length = to - from;
  if (length === 0) return at;
  const n = length - 1;
  if (n < 60) {
    output.setUint8(at++, n << 2);
  } else if (n < 0x100) {
    output.setUint8(at, 60 << 2);
    output.setUint8(at + 1, n);
    at += 2;
  } else if (n < 0x1_0000) {
    output.setUint8(at, 61 << 2);
    output.setUint16(at + 1, n, true);
    at += 3;
  } else {
    output.setUint8(at, 62 << 2);
    output.setUint16(at + 1, n, true);
    output.setUint8(at + 3, n >>> 16);
    at += 4;
  }
  if (length <= WORD_COPY_LIMIT && to + 8 <= input.byteLength) {
    for (let i = 0; i < length; i += 8) {
      output.setBigInt64(at + i, input.getBigInt64(from + i, true), true);
    }
  } else {
    bytesOf(output, at, length).set(bytesOf(input, from, length));
  }
  return at + length;
}

/** `length` bytes of `view` from `at`. */
function bytesOf(view: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, length);
}

/**
 * Writes a copy of `length` >= 4 bytes from `offset` bytes ago, at `at` of `output`. Returns the
 * offset behind it.
 */
export function writeCopy(output: DataView, at: number, offset: number, length: number): number {
  if (length < 12 && offset < 2048) {
    const tag = ((offset >>> 8) << 5) | ((length - 4) << 2) | 1;
    output.setInt16(at, tag | (offset << 8), true);
    return at + 2;
  }
  if (length <= 64 && offset < 0x1_0000) {
    output.setInt32(at, ((length - 1) << 2) | 2 | (offset << 8), true);
    return at + 3;
  }
  return writeLongCopy(output, at, offset, length);
}

/** {@link writeCopy} for what needs a far copy or several elements. */
function writeLongCopy(output: DataView, at: number, offset: number, length: number): number {
  if (offset >= 0x1_0000) {
    output.setInt32(at + 1, offset, true);
    if (length <= 64) {
      output.setUint8(at, ((length - 1) << 2) | 3);
      return at + 5;
    }
    // A repeat is at least 4 long.
    const first = length < 68 ? 60 : 64;
    output.setUint8(at, ((first - 1) << 2) | 3);
    return writeRepeat(output, at + 5, offset, length - first);
  }
  if (offset < 2048) {
    output.setUint8(at, ((offset >>> 8) << 5) | (4 << 2) | 1);
    output.setUint8(at + 1, offset);
    return writeRepeat(output, at + 2, offset, length - 8);
  }
  output.setUint8(at, (59 << 2) | 2);
  output.setUint16(at + 1, offset, true);
  return writeRepeat(output, at + 3, offset, length - 60);
}

/**
 * Writes a copy of `length` bytes, 4 to 2^24, from the offset of the previous copy, which was
 * `offset`. Returns the offset behind it.
 */
export function writeRepeat(output: DataView, at: number, offset: number, length: number): number {
  let code = length - 4;
  if (code > 4 && code < 8 && offset < 2048) {
    output.setUint8(at, ((offset >>> 8) << 5) | (code << 2) | 1);
    output.setUint8(at + 1, offset);
    return at + 2;
  }
  output.setUint8(at + 1, 0);
  if (code <= 4) {
    output.setUint8(at, (code << 2) | 1);
    return at + 2;
  }
  code = length - 8;
  if (code < 0x100) {
    output.setUint8(at, (5 << 2) | 1);
    output.setUint8(at + 2, code);
    return at + 3;
  }
  code = length - 260;
  if (code < 0x1_0000) {
    output.setUint8(at, (6 << 2) | 1);
    output.setUint16(at + 2, code, true);
    return at + 4;
  }
  code = length - 65_540;
  output.setUint8(at, (7 << 2) | 1);
  output.setUint16(at + 2, code, true);
  output.setUint8(at + 4, code >>> 16);
  return at + 5;
}

/** How many bytes {@link writeCopy} writes. */
export function copySize(offset: number, length: number): number {
  if (length <= 64) {
    if (offset >= 0x1_0000) return 5;
    return length >= 12 || offset >= 2048 ? 3 : 2;
  }
  if (offset >= 0x1_0000) return 5 + repeatSize(offset, length - (length < 68 ? 60 : 64));
  return offset < 2048 ? 2 + repeatSize(offset, length - 8) : 3 + repeatSize(offset, length - 60);
}

/** How many bytes {@link writeRepeat} writes. */
export function repeatSize(offset: number, length: number): number {
  if (length <= 8 || (length < 12 && offset < 2048)) return 2;
  if (length < 264) return 3;
  return length < 65_796 ? 4 : 5;
}
