/**
 * The elements of an S2 block, read byte by byte as the format says: what the kernels are compared with.
 *
 * @module
 */

/** What `elements` decode to, `length` bytes; or what is wrong with them. */
export function decodeElements(elements: Uint8Array, length: number): Uint8Array | string {
  const decoded: number[] = [];
  const littleEndian = (at: number, bytes: number) => {
    let value = 0;
    for (let i = 0; i < bytes; i++) value += elements[at + i]! * 2 ** (8 * i);
    return value;
  };
  let at = 0, offset = 0;
  while (at < elements.length) {
    const tag = elements[at++]!, kind = tag & 3, rest = elements.length - at;
    let count = (tag >> 2) + 1;
    if (kind === 0) {
      const extra = Math.max(0, count - 60);
      if (extra > rest) return "block ends within an element";
      if (extra > 0) count = littleEndian(at, extra) + 1;
      at += extra;
      if (count > elements.length - at) return "block ends within a literal";
      if (count > length - decoded.length) return "block is longer than it says";
      for (let i = 0; i < count; i++) decoded.push(elements[at++]!);
      continue;
    }
    const bytes = [0, 1, 2, 4][kind]!;
    if (bytes > rest) return "block ends within an element";
    let said = littleEndian(at, bytes);
    at += bytes;
    if (kind === 1) {
      count = ((tag >> 2) & 7) + 4;
      said += (tag >> 5) << 8;
      if (said === 0) {
        said = offset;
        const extra = Math.max(0, count - 8);
        if (extra > elements.length - at) return "block ends within an element";
        if (extra > 0) count = littleEndian(at, extra) + [0, 8, 260, 65_540][extra]!;
        at += extra;
      }
    }
    offset = said;
    if (offset === 0 || offset > decoded.length) return "copy from outside of the block";
    if (count > length - decoded.length) return "block is longer than it says";
    for (let i = 0; i < count; i++) decoded.push(decoded[decoded.length - offset]!);
  }
  if (decoded.length < length) return "block is shorter than it says";
  return Uint8Array.from(decoded);
}
