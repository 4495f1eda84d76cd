/**
 * What was decided about the subjects that were asked for lately.
 *
 * @module
 */
import { viewOf } from "./subject_words.ts";

/** How many places a subject may be kept at. */
const WAYS = 4;
/** The places to begin with: there may be many tables, and most see few subjects. */
const FIRST_PLACES = 16;
/** Bytes of the subjects in the table of short ones, and in the table of long ones. */
const SHORT_BYTES = 64, LONG_BYTES = 256;
/** The most places of each; both tables take 290 KiB at most. */
const SHORT_PLACES = 4096, LONG_PLACES = 512;

/**
 * A bounded memory of yes and no, keyed by the subject's bytes. Nothing is allocated for a subject:
 * places are parts of integer arrays. Subjects whose hashes collide only push each other out.
 */
export class SubjectVerdicts {
  #short: Table | null = null;
  #long: Table | null = null;

  /**
   * What was {@linkcode keep}t for the subject that the bytes from `start` to `end` spell, whose
   * `hashSubject` is `hash`: 1 for yes, 0 for no, -1 when it is not known (any more).
   */
  find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const table = end - start <= SHORT_BYTES ? this.#short : this.#long;
    return table === null ? -1 : table.find(viewOf(bytes), start, end - start, hash);
  }

  /** Keeps the verdict on a subject that {@linkcode find} does not know. */
  keep(bytes: Uint8Array, start: number, end: number, hash: number, verdict: boolean): void {
    const length = end - start;
    if (length > LONG_BYTES) return;
    const table = length <= SHORT_BYTES
      ? this.#short ??= new Table(SHORT_BYTES, SHORT_PLACES)
      : this.#long ??= new Table(LONG_BYTES, LONG_PLACES);
    table.keep(viewOf(bytes), start, length, hash, verdict);
  }

  /** Forgets everything. */
  clear(): void {
    this.#short = this.#long = null;
  }
}

/** Subjects of up to so many bytes. */
class Table {
  readonly #words: number;
  readonly #limit: number;
  #mask = 0;
  /** Two integers a place: the hash, and length and verdict (0: free). A set is one cache line. */
  #heads = new Int32Array(0);
  #bodies = new Int32Array(0);
  /** What was pushed out since the table grew, and whose turn in a set is next. */
  #evictions = 0;
  #turn = 0;

  constructor(bytes: number, limit: number) {
    this.#words = bytes >> 2;
    this.#limit = limit;
    this.#allocate(FIRST_PLACES);
  }

  find(view: DataView, start: number, length: number, hash: number): number {
    const heads = this.#heads, first = firstPlace(hash, this.#mask);
    for (let place = first; place < first + WAYS; place++) {
      if (heads[2 * place] !== hash) continue;
      const head = heads[2 * place + 1]!;
      if (head >> 1 !== length) continue;
      if (this.#isAt(place * this.#words, view, start, length)) return head & 1;
    }
    return -1;
  }

  keep(view: DataView, start: number, length: number, hash: number, verdict: boolean): void {
    let place = this.#placeFor(hash);
    if (this.#heads[2 * place + 1] !== 0) {
      this.#evictions++;
      const places = this.#mask + 1;
      if (4 * this.#evictions > places && places < this.#limit) {
        this.#grow();
        place = this.#placeFor(hash);
      }
    }
    this.#heads[2 * place] = hash;
    this.#heads[2 * place + 1] = length << 1 | Number(verdict);
    const bodies = this.#bodies, last = start + length - 4;
    let at = place * this.#words;
    for (let i = start; i < last; i += 4) bodies[at++] = view.getInt32(i, true);
    bodies[at] = last < start ? shortWord(view, start, length) : view.getInt32(last, true);
  }

  #isAt(body: number, view: DataView, start: number, length: number): boolean {
    const bodies = this.#bodies, last = start + length - 4;
    if (last < start) return bodies[body] === shortWord(view, start, length);
    for (let i = start; i < last; i += 4) {
      if (bodies[body++] !== view.getInt32(i, true)) return false;
    }
    // Overlaps the word before unless the length is a multiple of four.
    return bodies[body] === view.getInt32(last, true);
  }

  #placeFor(hash: number): number {
    const first = firstPlace(hash, this.#mask);
    for (let place = first; place < first + WAYS; place++) {
      if (this.#heads[2 * place + 1] === 0) return place;
    }
    this.#turn = this.#turn + 1 & WAYS - 1;
    return first + this.#turn;
  }

  #grow(): void {
    const heads = this.#heads, bodies = this.#bodies, words = this.#words;
    this.#allocate(heads.length);
    // A set is split in two, so that everything finds a place.
    for (let old = 0; old < heads.length >> 1; old++) {
      if (heads[2 * old + 1] === 0) continue;
      const place = this.#placeFor(heads[2 * old]!);
      this.#heads[2 * place] = heads[2 * old]!;
      this.#heads[2 * place + 1] = heads[2 * old + 1]!;
      this.#bodies.set(bodies.subarray(old * words, (old + 1) * words), place * words);
    }
  }

  #allocate(places: number): void {
    this.#heads = new Int32Array(2 * places);
    this.#bodies = new Int32Array(places * this.#words);
    this.#mask = places - 1;
    this.#evictions = 0;
  }
}

/** The first place of the set that `hash` belongs to; FNV's upper bits are the better ones. */
function firstPlace(hash: number, mask: number): number {
  return (hash ^ hash >>> 15) << 2 & mask;
}

/** A subject of one to three bytes. */
function shortWord(view: DataView, start: number, length: number): number {
  let word = view.getUint8(start);
  for (let i = 1; i < length; i++) word |= view.getUint8(start + i) << 8 * i;
  return word;
}
