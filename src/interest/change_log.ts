/**
 * Which matches the latest changes have outdated.
 *
 * @module
 */
import { subjectMatchesBytes } from "../protocol/mod.ts";
import type { Match } from "./match.ts";
import { unpackSubject } from "./subject_words.ts";

/**
 * How many changes are remembered. Comparing a subject with that many patterns takes about as long as
 * asking the trie again, so remembering more would gain nothing.
 */
const REMEMBERED = 64;
/** The number of the last change before the numbers begin again; a small integer to the engine. */
const LAST_CHANGE = 2 ** 30;

/**
 * The latest patterns that somebody began or ceased to subscribe to. A change costs nothing but its
 * entry here, however many matches are cached: a match is compared with the changes since it was
 * last used only when it is used again.
 */
export class ChangeLog<T> {
  readonly #patterns = new Array<string>(REMEMBERED).fill("");
  #now = 0;
  #subject = new Uint8Array(64);

  /** Notes a change of the subscriptions to `pattern`; false if all matches are outdated by it. */
  note(pattern: string): boolean {
    this.#patterns[this.#now & REMEMBERED - 1] = pattern;
    this.#now++;
    if (this.#now < LAST_CHANGE) return true;
    this.#now = 0;
    return false;
  }

  /** Declares a match that was just made up to date. */
  stamp(match: Match<T>): void {
    match.checkedAt = this.#now;
  }

  /** Whether `match` is still what it was when it was made. */
  isCurrent(match: Match<T>): boolean {
    return match.checkedAt === this.#now || this.#check(match);
  }

  #check(match: Match<T>): boolean {
    if (match.checkedAt === -1) return false;
    if (this.#now - match.checkedAt > REMEMBERED || this.#isHit(match)) {
      match.checkedAt = -1;
      return false;
    }
    match.checkedAt = this.#now;
    return true;
  }

  #isHit(match: Match<T>): boolean {
    const length = match.subjectLength;
    if (length > this.#subject.length) this.#subject = new Uint8Array(2 * length);
    const subject = this.#subject;
    unpackSubject(match.words, length, subject);
    for (let change = match.checkedAt; change < this.#now; change++) {
      const pattern = this.#patterns[change & REMEMBERED - 1]!;
      if (subjectMatchesBytes(pattern, 0, subject, 0, length)) return true;
    }
    return false;
  }
}
