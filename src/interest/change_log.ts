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
/**
 * How many bytes a match may have to be compared with; with more it is outdated. A comparison reads
 * the subject once for each change, so that all 64 are compared with subjects of up to 64 bytes.
 */
const COMPARED_BYTES = 4096;
/** The number of the last change before the numbers begin again; a small integer to the engine. */
const LAST_CHANGE = 2 ** 30;

/**
 * The latest patterns that somebody began or ceased to subscribe to. A change costs nothing but its
 * entry here, however many matches are cached: a match is compared with the changes since it was
 * last used only when it is used again, and then with a bounded number of bytes. To call a match
 * outdated is always right, and costs one more lookup.
 */
export class ChangeLog<T> {
  readonly #patterns = new Array<string>(REMEMBERED).fill("");
  #now = 0;
  readonly #subject = new Uint8Array(COMPARED_BYTES);

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

  /** Whether nothing has changed since `match` was last made or checked. Compares nothing. */
  isFresh(match: Match<T>): boolean {
    return match.checkedAt === this.#now;
  }

  #check(match: Match<T>): boolean {
    if (match.checkedAt === -1) return false;
    const changes = this.#now - match.checkedAt;
    if (
      changes > REMEMBERED || changes * match.subjectLength > COMPARED_BYTES || this.#isHit(match)
    ) {
      match.checkedAt = -1;
      return false;
    }
    match.checkedAt = this.#now;
    return true;
  }

  #isHit(match: Match<T>): boolean {
    const length = match.subjectLength;
    const subject = this.#subject;
    unpackSubject(match.words, length, subject);
    for (let change = match.checkedAt; change < this.#now; change++) {
      const pattern = this.#patterns[change & REMEMBERED - 1]!;
      if (subjectMatchesBytes(pattern, 0, subject, 0, length)) return true;
    }
    return false;
  }
}
