/**
 * A hash table that is looked up by bytes.
 *
 * @module
 */

const DOT = 0x2e;
const FREE = -1;
const SMALLEST = 4;
/**
 * A table with so many slots is divided when it is full: rehashing 5,120 entries takes 0.2 ms. With
 * half as many the slots would be small enough for the engine to copy them to and fro while they are
 * young (measured: the pauses for that, while two million entries are added, are twice as long).
 */
const PART_CAPACITY = 8192;
/** When fewer entries than this are left, the parts of a table are joined again. */
const JOIN_BELOW = 512;
/** A directory is no longer than this: it uses the upper 16 of the 30 bits of a hash. */
const MOST_PARTS = 2 ** 16;

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
 *
 * Rehashing a million entries at once would keep everybody waiting for 100 ms. So a table that has
 * become large is a directory of tables of limited size, each for the hashes that begin alike
 * (extendible hashing): what has to be rehashed is only ever one of those.
 */
export class SubjectTable<E extends Keyed> {
  #slots: (number | E | null)[] = freeSlots(SMALLEST);
  #mask = 2 * SMALLEST - 1;
  #count = 0;
  /**
   * The directory, by the upper bits of the hash: a power of two of tables, each of them there once
   * or several times in a row. Null as long as the entries are in this table's own slots.
   */
  #parts: SubjectTable<E>[] | null = null;
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
    const parts = this.#parts, table = parts === null ? this : parts[indexIn(parts, hash)]!;
    const slots = table.#slots, mask = table.#mask;
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
    let table = this.#tableOf(hash);
    while ((table.#count + 1) * 16 > table.#slots.length * 5) {
      const capacity = table.#slots.length >> 1;
      if (capacity < PART_CAPACITY || !this.#divide(table, hash)) table.#resize(2 * capacity);
      table = this.#tableOf(hash);
    }
    table.#put(hash, entry);
    table.#count++;
    if (table !== this) this.#count++;
  }

  /** Puts `entry` in the place of `old`, which must be there under `hash`. */
  replace(hash: number, old: E, entry: E): void {
    const table = this.#tableOf(hash);
    table.#slots[table.#slotOf(hash, old) + 1] = entry;
  }

  /** Removes an entry that must be there under `hash`. */
  delete(hash: number, entry: E): void {
    const table = this.#tableOf(hash);
    table.#deleteOwn(hash, entry);
    if (table === this) return;
    this.#count--;
    if (this.#count < JOIN_BELOW) this.#join();
  }

  #deleteOwn(hash: number, entry: E): void {
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
    for (const table of this.#tables()) {
      const slots = table.#slots;
      for (let i = 0; i < slots.length; i += 2) {
        if (slots[i] !== FREE) yield slots[i + 1] as E;
      }
    }
  }

  #tableOf(hash: number): SubjectTable<E> {
    const parts = this.#parts;
    return parts === null ? this : parts[indexIn(parts, hash)]!;
  }

  *#tables(): IterableIterator<SubjectTable<E>> {
    const parts = this.#parts ?? [this];
    for (let i = 0; i < parts.length; i++) {
      if (parts[i] !== parts[i - 1]) yield parts[i]!;
    }
  }

  #slotOf(hash: number, entry: E): number {
    const slots = this.#slots, mask = this.#mask;
    let i = hash << 1 & mask;
    while (slots[i + 1] !== entry) {
      // Without this, looking for what is not there would never end.
      if (slots[i] === FREE) throw new Error(`no entry of "${entry.subject}" with hash ${hash}`);
      i = i + 2 & mask;
    }
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
    this.#setSlots(freeSlots(capacity));
    for (let i = 0; i < old.length; i += 2) {
      if (old[i] !== FREE) this.#put(old[i] as number, old[i + 1] as E);
    }
  }

  /** Halves a table of this directory, or this one itself; false if the directory is at its limit. */
  #divide(table: SubjectTable<E>, hash: number): boolean {
    let parts = this.#parts ?? [this];
    let first = indexIn(parts, hash), behind = first + 1;
    while (first > 0 && parts[first - 1] === table) first--;
    while (behind < parts.length && parts[behind] === table) behind++;
    if (behind - first === 1) {
      if (parts.length === MOST_PARTS) return false;
      parts = parts.flatMap((part) => [part, part]);
      first *= 2;
      behind = first + 2;
    }
    const middle = first + behind >> 1;
    const lower = this.#emptyPart(), upper = this.#emptyPart();
    const slots = table.#slots;
    for (let i = 0; i < slots.length; i += 2) {
      if (slots[i] === FREE) continue;
      const half = indexIn(parts, slots[i] as number) < middle ? lower : upper;
      half.#put(slots[i] as number, slots[i + 1] as E);
      half.#count++;
    }
    parts.fill(lower, first, middle).fill(upper, middle, behind);
    this.#parts = parts;
    if (table === this) this.#setSlots(freeSlots(SMALLEST));
    return true;
  }

  #emptyPart(): SubjectTable<E> {
    const part = new SubjectTable<E>(this.#wholeSubjects);
    part.#setSlots(freeSlots(PART_CAPACITY));
    return part;
  }

  /** Takes all entries back into this table's own slots. */
  #join(): void {
    const tables = [...this.#tables()];
    this.#parts = null;
    this.#count = 0;
    for (const table of tables) {
      const slots = table.#slots;
      for (let i = 0; i < slots.length; i += 2) {
        if (slots[i] !== FREE) this.add(slots[i] as number, slots[i + 1] as E);
      }
    }
  }

  #setSlots(slots: (number | E | null)[]): void {
    this.#slots = slots;
    this.#mask = slots.length - 1;
  }
}

/** Where in a directory the hashes are that begin like `hash`. */
function indexIn(parts: readonly unknown[], hash: number): number {
  // Of 30 bits as many as the directory's length has: 1 has 31 leading zeros, and takes none.
  return hash >>> Math.clz32(parts.length) - 1;
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
