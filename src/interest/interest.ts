/**
 * Who wants which subject.
 *
 * @module
 */
import { hashSubject, InvalidSubjectError } from "../protocol/mod.ts";
import { type Interested, itemsOf, type Leaf, withItem, withoutItem } from "./audience.ts";
import { ChangeLog } from "./change_log.ts";
import { createMatch, Match } from "./match.ts";
import { MatchCache } from "./match_cache.ts";
import { packSubject, viewOf } from "./subject_words.ts";
import { SubjectTable } from "./subject_table.ts";
import { TokenScan } from "./token_scan.ts";
import { WildcardTrie } from "./wildcard_trie.ts";

const STAR = 0x2a;

/** Options of an {@link Interest}. */
export interface InterestOptions {
  /** How many matches are kept: 1 or more, rounded up to a power of two. Default 8192. */
  readonly cacheEntries?: number;
  /**
   * 32 random bits that others must not learn, or they could choose subjects whose lookups are slow.
   * Default 0, for tests.
   */
  readonly hashSeed?: number;
}

/** What happened to an {@link Interest} since it was created. */
export interface InterestStats {
  /** Items added. */
  readonly inserts: number;
  /** Items removed. */
  readonly removes: number;
  /** Lookups by {@link Interest.match}. */
  readonly matches: number;
  /** Those that the cache answered. */
  readonly cacheHits: number;
  /** How many matches the cache holds now. */
  readonly cacheEntries: number;
}

/**
 * Subscriptions by subject, for publishing to them.
 *
 * Subjects without wildcards are in one table, the others in a trie; what they say together about a
 * subject is a {@link Match}, and is cached. Adding or removing a subscription without wildcards
 * outdates the match of its own subject; one with wildcards is noted and compared with each match
 * when that is used the next time. Neither depends on how many subscriptions or matches there are.
 */
export class Interest<T extends Interested> {
  /**
   * Whether an item in no queue group is to be part of {@link match}es of the subject that the bytes
   * spell, whose `hashSubject` is given; null where all are. It must always say the same of the two.
   */
  admits:
    | ((item: T, bytes: Uint8Array, start: number, end: number, hash: number) => boolean)
    | null = null;

  readonly #literals = new SubjectTable<Leaf<T>>(true);
  readonly #wildcards = new WildcardTrie<T>();
  readonly #cache: MatchCache<T>;
  readonly #changes = new ChangeLog<T>();
  readonly #scan: TokenScan;
  #count = 0;
  #wildcardCount = 0;
  #inserts = 0;
  #removes = 0;
  #cacheHits = 0;
  #cacheMisses = 0;

  /** Begins with nobody interested in anything. */
  constructor(options: InterestOptions = {}) {
    this.#cache = new MatchCache(options.cacheEntries ?? 8192);
    this.#scan = new TokenScan(options.hashSeed ?? 0);
  }

  /** How many items there are. */
  get count(): number {
    return this.#count;
  }

  /**
   * How many nodes and leaves of the trie all lookups so far visited; it only grows. One lookup that
   * the cache does not answer may visit all there are, so whoever lets others cause lookups should
   * charge them for what was added meanwhile.
   */
  get searchWork(): number {
    return this.#wildcards.visits;
  }

  /** What happened so far. */
  get stats(): InterestStats {
    return {
      inserts: this.#inserts,
      removes: this.#removes,
      matches: this.#cacheHits + this.#cacheMisses,
      cacheHits: this.#cacheHits,
      cacheEntries: this.#cache.count,
    };
  }

  /**
   * Adds an item; nothing happens if it is there already.
   *
   * @throws {InvalidSubjectError} if its subject has an empty token or a `>` that is not last.
   */
  insert(item: T): void {
    const hasWildcard = this.#scan.scanText(item.subject) ? this.#scan.hasWildcard() : undefined;
    if (hasWildcard === undefined) throw new InvalidSubjectError(item.subject);
    const added = hasWildcard
      ? this.#wildcards.insert(this.#scan, item)
      : this.#insertLiteral(this.#scan, item);
    if (!added) return;
    this.#count++;
    this.#inserts++;
    if (hasWildcard) this.#wildcardCount++;
    this.#outdate(item.subject, hasWildcard);
  }

  /** Removes an item (this very object); false if it is not there. */
  remove(item: T): boolean {
    const hasWildcard = this.#scan.scanText(item.subject) ? this.#scan.hasWildcard() : undefined;
    if (hasWildcard === undefined) return false;
    const removed = hasWildcard
      ? this.#wildcards.remove(this.#scan, item)
      : this.#removeLiteral(this.#scan, item);
    if (!removed) return false;
    this.#count--;
    this.#removes++;
    if (hasWildcard) this.#wildcardCount--;
    this.#outdate(item.subject, hasWildcard);
    return true;
  }

  /**
   * Who gets a message on the subject that the bytes from `start` to `end` spell. `hash` is their
   * `hashSubject`. A subject with an empty token reaches nobody; wildcards are ordinary tokens.
   */
  match(bytes: Uint8Array, start: number, end: number, hash: number): Match<T> {
    const cached = this.#cache.find(bytes, start, end, hash);
    if (cached !== null && this.#changes.isCurrent(cached)) {
      this.#cacheHits++;
      return cached;
    }
    this.#cacheMisses++;
    const match = this.#admitted(this.#find(bytes, start, end, hash), bytes, start, end);
    this.#changes.stamp(match);
    this.#cache.put(match, cached);
    return match;
  }

  /** What {@link match} would answer without a lookup; null when it would have to look. */
  known(bytes: Uint8Array, start: number, end: number, hash: number): Match<T> | null {
    const cached = this.#cache.find(bytes, start, end, hash);
    if (cached === null || !this.#changes.isCurrent(cached)) return null;
    this.#cacheHits++;
    return cached;
  }

  /** {@link match} of a byte string, which neither uses the cache nor is kept: never current. */
  matchString(subject: string): Match<T> {
    this.#scan.scanText(subject);
    const { bytes, start, end } = this.#scan;
    return this.#find(bytes, start, end, hashSubject(bytes, start, end));
  }

  /**
   * Whether a match that {@link match} of this interest returned earlier may still be used for its
   * subject. False also if that is not known any more; then ask {@link match} again.
   */
  isCurrent(match: Match<T>): boolean {
    return this.#changes.isCurrent(match);
  }

  /**
   * Whether nothing that could concern `match` has changed since it was last made or checked. Unlike
   * {@link isCurrent} this compares nothing, and may be false for a match that is still right.
   */
  isFresh(match: Match<T>): boolean {
    return this.#changes.isFresh(match);
  }

  /**
   * Forgets the matches that were not asked for since the latest change of a wildcard subscription:
   * the outdated ones among them keep items alive that were removed. Which ones are outdated is not
   * found out, so this costs the same few steps for every match. To be called now and then.
   */
  sweep(): void {
    this.#cache.sweep((match) => {
      // It may refer to others that are outdated.
      match.attached = null;
      return this.#changes.isFresh(match);
    });
  }

  /** Whether anybody gets messages on `subject`, a byte string. */
  hasInterest(subject: string): boolean {
    return this.#scan.scanText(subject) && this.#search(this.#scan).length > 0;
  }

  /** All items, in no particular order. Nothing must be added or removed meanwhile. */
  *items(): IterableIterator<T> {
    for (const leaf of this.#literals) yield* itemsOf(leaf);
    yield* this.#wildcards.items();
  }

  #insertLiteral(scan: TokenScan, item: T): boolean {
    const leaf = this.#literals.find(scan.subjectHash, scan.bytes, scan.start, scan.end, 0);
    if (leaf === null) {
      this.#literals.add(scan.subjectHash, item);
      return true;
    }
    const joined = withItem(leaf, item);
    if (joined === null) return false;
    if (joined !== leaf) this.#literals.replace(scan.subjectHash, leaf, joined);
    return true;
  }

  #removeLiteral(scan: TokenScan, item: T): boolean {
    const leaf = this.#literals.find(scan.subjectHash, scan.bytes, scan.start, scan.end, 0);
    if (leaf === null) return false;
    const rest = withoutItem(leaf, item);
    if (rest === undefined) return false;
    if (rest === null) this.#literals.delete(scan.subjectHash, leaf);
    else if (rest !== leaf) this.#literals.replace(scan.subjectHash, leaf, rest);
    return true;
  }

  /** Sees to it that matches which the subject in the scan has changed are not used again. */
  #outdate(subject: string, hasWildcard: boolean): void {
    if (hasWildcard) {
      if (!this.#changes.note(subject)) this.#cache.clear();
      return;
    }
    const { bytes, start, end } = this.#scan;
    this.#cache.outdate(bytes, start, end, hashSubject(bytes, start, end));
  }

  #find(bytes: Uint8Array, start: number, end: number, hash: number): Match<T> {
    const found = this.#scan.scan(bytes, start, end) ? this.#search(this.#scan) : [];
    return createMatch(hash, packSubject(viewOf(bytes), start, end), end - start, found);
  }

  /** The subjects that match, in the order in which nats-server delivers to them. */
  /** A match without those in no queue group who must not get its subject. */
  #admitted(match: Match<T>, bytes: Uint8Array, start: number, end: number): Match<T> {
    const admits = this.admits, { hash, words, subjectLength, plain, groups } = match;
    if (admits === null || plain.every((item) => admits(item, bytes, start, end, hash))) {
      return match;
    }
    const rest = plain.filter((item) => admits(item, bytes, start, end, hash));
    return new Match(hash, words, subjectLength, rest, groups);
  }

  #search(scan: TokenScan): Leaf<T>[] {
    const { bytes, start, end } = scan;
    const found: Leaf<T>[] = [];
    if (this.#wildcardCount > 0) this.#wildcards.search(scan, found);
    const literal = this.#literals.find(scan.subjectHash, bytes, start, end, 0);
    if (literal === null) return found;
    // The literal comes last, but before a `*` which stands for no more than the last token.
    const last = found.at(-1);
    if (last !== undefined && isSubjectUpToLastToken(last.subject, scan)) {
      found.splice(-1, 0, literal);
    } else {
      found.push(literal);
    }
    return found;
  }
}

/** Whether `pattern` is the scanned subject with `*` for its last token. */
function isSubjectUpToLastToken(pattern: string, scan: TokenScan): boolean {
  const { bytes, start, starts, count } = scan;
  const length = starts[count - 1]! - start;
  if (pattern.length !== length + 1 || pattern.charCodeAt(length) !== STAR) return false;
  for (let i = 0; i < length; i++) {
    if (pattern.charCodeAt(i) !== bytes[start + i]) return false;
  }
  return true;
}
