/** Writing the elements of an S2 block: literals, copies and repeated copies. */

/** Writes what is between `from` and `to` as a literal at `at`. Returns the address behind it. */
@inline
export function writeLiteral(at: usize, from: usize, to: usize): usize {
  const length = to - from;
  if (length > 16) return writeLongLiteral(at, from, to);
  // Also with nothing to write: what is written then is overwritten by the next element.
  store<u8>(at, (length - 1) << 2);
  v128.store(at, v128.load(from), 1);
  return at + length + <usize> (length !== 0);
}

function writeLongLiteral(at: usize, from: usize, to: usize): usize {
  const length = to - from, n = length - 1;
  if (n < 60) {
    store<u8>(at, n << 2);
    at += 1;
  } else if (n < 0x100) {
    store<u8>(at, 60 << 2);
    store<u8>(at, n, 1);
    at += 2;
  } else if (n < 0x1_0000) {
    store<u8>(at, 61 << 2);
    store<u16>(at, n, 1);
    at += 3;
  } else {
    store<u8>(at, 62 << 2);
    store<u16>(at, n, 1);
    store<u8>(at, n >>> 16, 3);
    at += 4;
  }
  copyBytes(at, from, length);
  return at + length;
}

/** Copies `length` bytes that do not overlap what they go to. May overwrite what follows. */
@inline
export function copyBytes(to: usize, from: usize, length: usize): void {
  for (let i: usize = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i));
}

/** Writes a copy of `length` >= 4 bytes from `offset` bytes ago at `at`. Returns the address behind it. */
@inline
export function writeCopy(at: usize, offset: u32, length: u32): usize {
  if (length > 64 || offset >= 0x1_0000) return writeLongCopy(at, offset, length);
  // Which of the two it is is hard to foretell, so there is no branch.
  const near = u32(offset < 2048) & u32(length < 12);
  const two = ((offset >>> 8) << 5) | ((length - 4) << 2) | 1 | (offset << 8);
  const three = ((length - 1) << 2) | 2 | (offset << 8);
  store<u32>(at, select(two, three, near));
  return at + 3 - near;
}

function writeLongCopy(at: usize, offset: u32, length: u32): usize {
  if (offset >= 0x1_0000) {
    store<u32>(at, offset, 1);
    if (length <= 64) {
      store<u8>(at, ((length - 1) << 2) | 3);
      return at + 5;
    }
    // A repeat is at least 4 long.
    const first: u32 = length < 68 ? 60 : 64;
    store<u8>(at, ((first - 1) << 2) | 3);
    return writeRepeat(at + 5, length - first);
  }
  if (offset < 2048) {
    store<u16>(at, ((offset >>> 8) << 5) | (4 << 2) | 1 | (offset << 8));
    return writeRepeat(at + 2, length - 8);
  }
  store<u8>(at, (59 << 2) | 2);
  store<u16>(at, offset, 1);
  return writeRepeat(at + 3, length - 60);
}

/** Writes a copy of `length` bytes, 4 to 2^24, from the offset of the previous copy. */
function writeRepeat(at: usize, length: u32): usize {
  store<u8>(at, 0, 1);
  if (length <= 8) {
    store<u8>(at, ((length - 4) << 2) | 1);
    return at + 2;
  }
  if (length < 264) {
    store<u8>(at, (5 << 2) | 1);
    store<u8>(at, length - 8, 2);
    return at + 3;
  }
  if (length < 65_796) {
    store<u8>(at, (6 << 2) | 1);
    store<u16>(at, length - 260, 2);
    return at + 4;
  }
  store<u8>(at, (7 << 2) | 1);
  store<u32>(at, length - 65_540, 2);
  return at + 5;
}
