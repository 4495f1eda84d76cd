/**
 * The matches of the subjects that were asked for lately.
 *
 * @module
 */
import type { Match } from "./match.ts";
import { equalsPacked, viewOf } from "./subject_words.ts";

/** How many places a subject may be kept at; {@link firstPlace} shifts by its logarithm. */
const WAYS = 4;
/** The capacity to begin with: most accounts see few subjects, and there may be many accounts. */
const FIRST_CAPACITY = 16;
/** The cache starts over when its matches hold more words (items, bytes by fours) per place. */
const WEIGHT_PER_PLACE = 64;

/**
 * A bounded set-associative cache keyed by the subject's bytes. A subject has {@link WAYS} places, so
 * subjects whose hashes collide only push each other out. A match that leaves the cache is marked as
 * outdated: whoever still holds it must ask again, which is why finding a subject's match here is
 * enough to know that nobody uses another one.
 */
export class MatchCache<T> {
  readonly #limit: number;
  #places: (Match<T> | null)[];
  #mask: number;
  #weight = 0;
  /** Current matches that were pushed out since the cache grew, and whose turn in a set is next. */
  #evictions = 0;
  #turn = 0;
  #count = 0;

  /** Holds up to `capacity` matches, rounded up to a power of two of at least {@link WAYS}. */
  constructor(capacity: number) {
    this.#limit = powerOfTwo(Math.max(capacity, WAYS));
    const first = Math.min(FIRST_CAPACITY, this.#limit);
    this.#places = new Array<Match<T> | null>(first).fill(null);
    this.#mask = first - 1;
  }

  /** How many matches there are, outdated ones included. */
  get count(): number {
    return this.#count;
  }

  /** The match of the subject that the bytes spell, which may be outdated; null if there is none. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): Match<T> | null {
    const places = this.#places, first = firstPlace(hash, this.#mask);
    for (let i = first; i < first + WAYS; i++) {
      const match = places[i] as Match<T> | null;
      if (match === null || match.hash !== hash || match.subjectLength !== end - start) continue;
      if (equalsPacked(match.words, viewOf(bytes), start, end)) return match;
    }
    return null;
  }

  /** Keeps `match` in the place of `old`, an outdated match of the same subject, or where it can. */
  put(match: Match<T>, old: Match<T> | null): void {
    const weight = match.weight;
    if (this.#weight + weight > this.#limit * WEIGHT_PER_PLACE) {
      this.clear();
      old = null;
    }
    this.#weight += weight;
    let place = this.#placeFor(match.hash, old);
    const evicted = this.#places[place]!;
    if (evicted !== null && evicted.checkedAt !== -1) {
      this.#evictions++;
      if (this.#evictions * 4 > this.#places.length && this.#places.length < this.#limit) {
        this.#grow();
        place = this.#placeFor(match.hash, null);
      }
    }
    this.#drop(place);
    this.#places[place] = match;
    this.#count++;
  }

  /**
   * Forgets the match of the subject that the bytes spell, if there is one. Only to mark it as
   * outdated would keep its items alive for as long as nobody asks for the subject again.
   */
  outdate(bytes: Uint8Array, start: number, end: number, hash: number): void {
    if (this.#count === 0) return;
    const match = this.find(bytes, start, end, hash);
    if (match !== null) this.#drop(this.#places.indexOf(match, firstPlace(hash, this.#mask)));
  }

  /** Forgets all matches that are not worth being kept. */
  sweep(isWorthKeeping: (match: Match<T>) => boolean): void {
    if (this.#count === 0) return;
    for (let i = 0; i < this.#places.length; i++) {
      const match = this.#places[i]!;
      if (match !== null && !isWorthKeeping(match)) this.#drop(i);
    }
  }

  /** Forgets all matches. */
  clear(): void {
    for (let i = 0; i < this.#places.length; i++) this.#drop(i);
  }

  #drop(place: number): void {
    const match = this.#places[place]!;
    if (match === null) return;
    match.checkedAt = -1;
    this.#weight -= match.weight;
    this.#places[place] = null;
    this.#count--;
  }

  #placeFor(hash: number, old: Match<T> | null): number {
    const first = firstPlace(hash, this.#mask);
    let place = -1;
    for (let i = first; i < first + WAYS; i++) {
      const match = this.#places[i]!;
      if (match === old) return i;
      if (match === null || match.checkedAt === -1) place = i;
    }
    if (place !== -1) return place;
    this.#turn = this.#turn + 1 & WAYS - 1;
    return first + this.#turn;
  }

  #grow(): void {
    const old = this.#places;
    this.#places = new Array<Match<T> | null>(2 * old.length).fill(null);
    this.#mask = this.#places.length - 1;
    this.#evictions = 0;
    // A set is split in two, so that everything finds a place.
    for (const match of old) {
      if (match !== null) this.#places[this.#placeFor(match.hash, null)] = match;
    }
  }
}

/** The first place of the set that `hash` belongs to; FNV's upper bits are the better ones. */
function firstPlace(hash: number, mask: number): number {
  return (hash ^ hash >>> 15) << 2 & mask;
}

function powerOfTwo(atLeast: number): number {
  let value = 1;
  while (value < atLeast) value *= 2;
  return value;
}
