/**
 * A hash table that is looked up by bytes.
 *
 * @module
 */

const DOT = 0x2e;
const FREE = -1;
const SMALLEST = 4;

/** What a table holds: something with a byte string, part of which is its key. */
export interface Keyed {
  /** The byte string that contains the key. */
  readonly subject: string;
}

/**
 * Entries by one token of their subjects, or by the whole subject. A `Map` would need a string for
 * every lookup; this one compares the looked-up bytes with the strings its entries have anyway.
 *
 * Open addressing with linear probing. A slot is two elements of one array, hash and entry, so that
 * a probe touches one cache line. The caller computes the hashes (`TokenScan`) and knows whether a
 * key is there already.
 */
export class SubjectTable<E extends Keyed> {
  #slots: (number | E | null)[] = freeSlots(SMALLEST);
  #mask = 2 * SMALLEST - 1;
  #count = 0;
  readonly #wholeSubjects: boolean;

  /** Keys are whole subjects, or single tokens. */
  constructor(wholeSubjects: boolean) {
    this.#wholeSubjects = wholeSubjects;
  }

  /** How many entries there are. */
  get count(): number {
    return this.#count;
  }

  /** The entry whose key, at `offset` of its subject, is the bytes from `start` to `end`. */
  find(hash: number, bytes: Uint8Array, start: number, end: number, offset: number): E | null {
    const slots = this.#slots, mask = this.#mask;
    for (let i = hash << 1 & mask;; i = i + 2 & mask) {
      const found = slots[i];
      if (found === FREE) return null;
      if (found !== hash) continue;
      const entry = slots[i + 1] as E;
      const subject = entry.subject;
      if (this.#wholeSubjects && subject.length !== end - start) continue;
      if (isTokenAt(subject, offset, bytes, start, end)) return entry;
    }
  }

  /** Adds an entry whose key is not there yet. */
  add(hash: number, entry: E): void {
    if ((this.#count + 1) * 16 > this.#slots.length * 5) this.#resize(this.#slots.length);
    this.#count++;
    this.#put(hash, entry);
  }

  /** Puts `entry` in the place of `old`, which must be there under `hash`. */
  replace(hash: number, old: E, entry: E): void {
    this.#slots[this.#slotOf(hash, old) + 1] = entry;
  }

  /** Removes an entry that must be there under `hash`. */
  delete(hash: number, entry: E): void {
    const slots = this.#slots, mask = this.#mask;
    let hole = this.#slotOf(hash, entry);
    // Entries behind the hole move up unless that would put them before their first choice.
    for (let i = hole + 2 & mask; slots[i] !== FREE; i = i + 2 & mask) {
      const home = (slots[i] as number) << 1 & mask;
      if ((i - home & mask) < (i - hole & mask)) continue;
      slots[hole] = slots[i]!;
      slots[hole + 1] = slots[i + 1]!;
      hole = i;
    }
    slots[hole] = FREE;
    slots[hole + 1] = null;
    this.#count--;
    const capacity = slots.length >> 1;
    if (this.#count * 8 < capacity && capacity > SMALLEST) this.#resize(capacity >> 1);
  }

  /** The entries, in no order. The table must not change meanwhile. */
  *[Symbol.iterator](): IterableIterator<E> {
    const slots = this.#slots;
    for (let i = 0; i < slots.length; i += 2) {
      if (slots[i] !== FREE) yield slots[i + 1] as E;
    }
  }

  #slotOf(hash: number, entry: E): number {
    const slots = this.#slots, mask = this.#mask;
    let i = hash << 1 & mask;
    while (slots[i + 1] !== entry) i = i + 2 & mask;
    return i;
  }

  #put(hash: number, entry: E): void {
    const slots = this.#slots, mask = this.#mask;
    let i = hash << 1 & mask;
    while (slots[i] !== FREE) i = i + 2 & mask;
    slots[i] = hash;
    slots[i + 1] = entry;
  }

  #resize(capacity: number): void {
    const old = this.#slots;
    this.#slots = freeSlots(capacity);
    this.#mask = 2 * capacity - 1;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i] !== FREE) this.#put(old[i] as number, old[i + 1] as E);
    }
  }
}

/** Whether `text` has, at `offset`, exactly the token that the bytes from `start` to `end` spell. */
export function isTokenAt(
  text: string,
  offset: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  const behind = offset + end - start;
  if (text.length < behind) return false;
  if (text.length > behind && text.charCodeAt(behind) !== DOT) return false;
  for (let i = start; i < end; i++) {
    if (text.charCodeAt(offset + i - start) !== bytes[i]) return false;
  }
  return true;
}

function freeSlots<E>(capacity: number): (number | E | null)[] {
  const slots = new Array<number | E | null>(2 * capacity);
  for (let i = 0; i < slots.length; i += 2) {
    slots[i] = FREE;
    slots[i + 1] = null;
  }
  return slots;
}
