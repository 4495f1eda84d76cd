/**
 * Arguments of control lines.
 *
 * @module
 */

const TAB = 9, LF = 10, CR = 13, SPACE = 32;
/** A size has at most so many digits. */
const MAX_SIZE_DIGITS = 9;

/** Set by {@link readNumber}: the offset behind the last digit. */
export let afterNumber = 0;

/** The decimal number at `at`; -1 when it has no digits or more than {@link MAX_SIZE_DIGITS}. */
export function readNumber(bytes: Uint8Array, at: number): number {
  let value = 0, digit = bytes[at]! - 48, i = at;
  while (digit >= 0 && digit <= 9) {
    if (i - at === MAX_SIZE_DIGITS) {
      afterNumber = i;
      return -1;
    }
    value = value * 10 + digit;
    digit = bytes[++i]! - 48;
  }
  afterNumber = i;
  return i === at ? -1 : value;
}

/** The number that fills exactly the bytes from `start` to `end`, or -1. */
export function numberBetween(bytes: Uint8Array, start: number, end: number): number {
  const value = readNumber(bytes, start);
  return afterNumber === end ? value : -1;
}

/** More tokens than any verb takes, the lists of queues apart that routes send. */
const MAX_TOKENS = 8;
/** Filled by {@link splitTokens}: the first byte of each token. */
export const tokenStart = new Int32Array(MAX_TOKENS);
/** Filled by {@link splitTokens}: behind the last byte of each token. */
export const tokenEnd = new Int32Array(MAX_TOKENS);

/** Splits at blanks; returns how many tokens there are, {@link MAX_TOKENS} for that many or more. */
export function splitTokens(
  bytes: Uint8Array,
  start: number,
  end: number,
  blank: (byte: number) => boolean,
): number {
  let count = 0;
  for (let at = start; at < end && count < MAX_TOKENS;) {
    while (at < end && blank(bytes[at]!)) at++;
    if (at === end) break;
    tokenStart[count] = at;
    while (at < end && !blank(bytes[at]!)) at++;
    tokenEnd[count++] = at;
  }
  return count;
}

/** Behind the last byte of the token that ends at or before `at`. There must be one. */
export function tokenEndBefore(bytes: Uint8Array, at: number): number {
  while (isBlank(bytes[at - 1]!)) at--;
  return at;
}

/** The first byte of the token that ends at `end`, and that begins at `start` or behind it. */
export function tokenStartBefore(bytes: Uint8Array, start: number, end: number): number {
  while (end > start && !isBlank(bytes[end - 1]!)) end--;
  return end;
}

/** Whether there is a CR behind the first byte. */
export function hasReturn(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = end - 1; i > start; i--) if (bytes[i] === CR) return true;
  return false;
}

/** What separates the arguments of PUB and HPUB. */
export function isSpace(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/** What separates the arguments of SUB and UNSUB, and of everything that routes send. */
export function isBlank(byte: number): boolean {
  return byte <= SPACE && (byte === SPACE || byte === LF || byte === CR || byte === TAB);
}
