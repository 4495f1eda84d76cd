/**
 * Subjects and their wildcards.
 *
 * A subject is one or more tokens separated by dots, compared byte by byte. In a subscription `*`
 * stands for exactly one token and `>`, at the end, for one or more; both only as whole tokens, so
 * that `f*o` and `foo.>x` are literals. In a message's subject they have no meaning and are tokens
 * like any other. Strings are byte strings: one character (U+0000 to U+00FF) per byte of the wire.
 *
 * @module
 */

const DOT = 0x2e;
const STAR = 0x2a;
const FULL = 0x3e;

/** A subject that cannot be subscribed to. */
export class InvalidSubjectError extends Error {
  /** The class's name. */
  override readonly name = "InvalidSubjectError";

  /** Describes why `subject` (a byte string) was refused. */
  constructor(readonly subject: string) {
    super(
      `invalid subject ${JSON.stringify(subject)}: tokens must not be empty, and ">" must be last`,
    );
  }
}

/** Whether a subscription to `subject` is allowed: no empty token, and `>` only as the last one. */
export function isValidSubscriptionSubject(subject: string): boolean {
  const length = subject.length;
  let tokenStart = 0;
  for (let i = 0; i <= length; i++) {
    if (i < length && subject.charCodeAt(i) !== DOT) continue;
    if (i === tokenStart) return false;
    if (i < length && i === tokenStart + 1 && subject.charCodeAt(tokenStart) === FULL) return false;
    tokenStart = i + 1;
  }
  return true;
}

/**
 * Whether the bytes from `start` to `end` are what a pedantic client may publish to: no empty token,
 * and no token that would be a wildcard in a subscription.
 */
export function isValidPublishSubject(bytes: Uint8Array, start: number, end: number): boolean {
  let tokenStart = start;
  for (let i = start; i <= end; i++) {
    if (i < end && bytes[i] !== DOT) continue;
    if (i === tokenStart) return false;
    if (i === tokenStart + 1 && (bytes[tokenStart] === STAR || bytes[tokenStart] === FULL)) {
      return false;
    }
    tokenStart = i + 1;
  }
  return true;
}

/** Whether a token of `subject` is a wildcard. */
export function hasWildcard(subject: string): boolean {
  const length = subject.length;
  for (let i = 0; i < length; i++) {
    const code = subject.charCodeAt(i);
    if (code !== STAR && code !== FULL) continue;
    if (i > 0 && subject.charCodeAt(i - 1) !== DOT) continue;
    if (i + 1 === length) return true;
    // A `>` that is not last is not a wildcard but an error, which is for others to report.
    if (code === STAR && subject.charCodeAt(i + 1) === DOT) return true;
  }
  return false;
}

/** How many tokens `subject` has; empty ones count, and the empty subject has none. */
export function tokenCount(subject: string): number {
  if (subject.length === 0) return 0;
  let count = 1;
  for (let i = 0; i < subject.length; i++) {
    if (subject.charCodeAt(i) === DOT) count++;
  }
  return count;
}

/**
 * Whether a subscription to `pattern` gets messages published to `subject`. `pattern` must be valid
 * ({@link isValidSubscriptionSubject}); a `subject` with an empty token reaches nobody, and wildcards
 * in it are ordinary tokens.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { subjectMatches } from "./subject.ts";
 *
 * assert(subjectMatches("orders.*.paid", "orders.7.paid"));
 * assert(!subjectMatches("orders.>", "orders"));
 * ```
 */
export function subjectMatches(pattern: string, subject: string): boolean {
  const patternEnd = pattern.length, end = subject.length;
  let p = 0, s = 0;
  while (true) { // each round handles one token
    const code = pattern.charCodeAt(p);
    const isSingle = p + 1 === patternEnd || pattern.charCodeAt(p + 1) === DOT;
    if (code === STAR && isSingle) {
      const tokenStart = s;
      while (s < end && subject.charCodeAt(s) !== DOT) s++;
      if (s === tokenStart) return false;
      p++;
    } else if (code === FULL && p + 1 === patternEnd) {
      return hasNoEmptyToken(subject, s);
    } else {
      for (; p < patternEnd; p++, s++) {
        const expected = pattern.charCodeAt(p);
        if (expected === DOT) break;
        if (s === end || subject.charCodeAt(s) !== expected) return false;
      }
    }
    if (p === patternEnd) return s === end;
    if (s === end || subject.charCodeAt(s) !== DOT) return false;
    p++;
    s++;
  }
}

/**
 * {@link subjectMatches} of the pattern's part behind `patternStart` and the bytes from `start` to
 * `end`; both must begin at a token.
 */
export function subjectMatchesBytes(
  pattern: string,
  patternStart: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  // The same loop once more: reading both through one accessor would make a call of every byte.
  const patternEnd = pattern.length;
  let p = patternStart, s = start;
  while (true) {
    const code = pattern.charCodeAt(p);
    const isSingle = p + 1 === patternEnd || pattern.charCodeAt(p + 1) === DOT;
    if (code === STAR && isSingle) {
      const tokenStart = s;
      while (s < end && bytes[s] !== DOT) s++;
      if (s === tokenStart) return false;
      p++;
    } else if (code === FULL && p + 1 === patternEnd) {
      return hasNoEmptyTokenBytes(bytes, s, end);
    } else {
      for (; p < patternEnd; p++, s++) {
        const expected = pattern.charCodeAt(p);
        if (expected === DOT) break;
        if (s === end || bytes[s] !== expected) return false;
      }
    }
    if (p === patternEnd) return s === end;
    if (s === end || bytes[s] !== DOT) return false;
    p++;
    s++;
  }
}

function hasNoEmptyToken(subject: string, start: number): boolean {
  let tokenStart = start;
  for (let i = start; i <= subject.length; i++) {
    if (i < subject.length && subject.charCodeAt(i) !== DOT) continue;
    if (i === tokenStart) return false;
    tokenStart = i + 1;
  }
  return true;
}

function hasNoEmptyTokenBytes(bytes: Uint8Array, start: number, end: number): boolean {
  let tokenStart = start;
  for (let i = start; i <= end; i++) {
    if (i < end && bytes[i] !== DOT) continue;
    if (i === tokenStart) return false;
    tokenStart = i + 1;
  }
  return true;
}
