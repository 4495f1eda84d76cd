/**
 * Subscriptions compared with each other: which of two is the wider one, and what both would get.
 *
 * @module
 */

const STAR = 0x2a;
const FULL = 0x3e;

/**
 * Whether `pattern` gets everything that `subject` gets. Both may have wildcards and must be valid to
 * subscribe to; both are byte strings.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { subjectCovers } from "./subject_overlap.ts";
 *
 * assert(subjectCovers("orders.>", "orders.*.paid"));
 * assert(!subjectCovers("orders.*", "orders.>"));
 * ```
 */
export function subjectCovers(pattern: string, subject: string): boolean {
  let p = 0, s = 0;
  while (true) {
    if (p > pattern.length || s > subject.length) return p > pattern.length && s > subject.length;
    const patternEnd = tokenEndIn(pattern, p), subjectEnd = tokenEndIn(subject, s);
    if (isOnly(pattern, p, patternEnd, FULL)) return true;
    if (isOnly(subject, s, subjectEnd, FULL)) return false;
    if (!isOnly(pattern, p, patternEnd, STAR)) {
      if (!isSameToken(pattern, p, patternEnd, subject, s, subjectEnd)) return false;
    }
    p = patternEnd + 1;
    s = subjectEnd + 1;
  }
}

/**
 * Whether there is a subject that both `one` and `other` get. Both may have wildcards and must be
 * valid to subscribe to; both are byte strings.
 */
export function subjectsOverlap(one: string, other: string): boolean {
  let a = 0, b = 0;
  while (true) {
    if (a > one.length || b > other.length) return a > one.length && b > other.length;
    const oneEnd = tokenEndIn(one, a), otherEnd = tokenEndIn(other, b);
    if (isOnly(one, a, oneEnd, FULL) || isOnly(other, b, otherEnd, FULL)) return true;
    if (!isOnly(one, a, oneEnd, STAR) && !isOnly(other, b, otherEnd, STAR)) {
      if (!isSameToken(one, a, oneEnd, other, b, otherEnd)) return false;
    }
    a = oneEnd + 1;
    b = otherEnd + 1;
  }
}

function tokenEndIn(subject: string, start: number): number {
  const dot = subject.indexOf(".", start);
  return dot === -1 ? subject.length : dot;
}

function isOnly(subject: string, start: number, end: number, code: number): boolean {
  return end === start + 1 && subject.charCodeAt(start) === code;
}

function isSameToken(
  one: string,
  oneStart: number,
  oneEnd: number,
  other: string,
  otherStart: number,
  otherEnd: number,
): boolean {
  if (oneEnd - oneStart !== otherEnd - otherStart) return false;
  for (let i = 0; i < oneEnd - oneStart; i++) {
    if (one.charCodeAt(oneStart + i) !== other.charCodeAt(otherStart + i)) return false;
  }
  return true;
}

/**
 * The subject that matches exactly what both `a` and `b` match; null when that is nothing. All are
 * valid subjects of subscriptions, byte strings.
 */
export function subjectOverlap(a: string, b: string): string | null {
  const left = a.split("."), right = b.split("."), tokens: string[] = [];
  for (let i = 0;; i++) {
    const one = left[i], other = right[i];
    if (one === undefined || other === undefined) {
      return one === other ? tokens.join(".") : null;
    }
    if (one === ">") return [...tokens, ...right.slice(i)].join(".");
    if (other === ">") return [...tokens, ...left.slice(i)].join(".");
    if (one === "*" || one === other) tokens.push(other);
    else if (other === "*") tokens.push(one);
    else return null;
  }
}
