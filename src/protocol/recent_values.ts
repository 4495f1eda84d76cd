/**
 * Values made from bytes that come again and again.
 *
 * @module
 */
import { byteString } from "./byte_string.ts";
import { hashSubject } from "./subject_hash.ts";

/** How many values are kept besides the latest; a power of two. */
const SLOTS = 32;

/**
 * Makes values from byte strings, and makes none twice while few different ones come: that of the
 * latest bytes is always kept, of others those that do not fall into the same slot.
 */
export class RecentValues<Value> {
  readonly #make: (text: string) => Value;
  #text: string | null = null;
  #value: Value | null = null;
  #texts: (string | null)[] | null = null;
  #values: (Value | null)[] | null = null;

  /** Values that `make` makes from byte strings. It must depend on nothing else. */
  constructor(make: (text: string) => Value) {
    this.#make = make;
  }

  /** The value of the bytes from `start` to `end`. */
  of(bytes: Uint8Array, start: number, end: number): Value {
    if (this.#text !== null && equal(this.#text, bytes, start, end)) return this.#value!;
    return this.#other(bytes, start, end);
  }

  #other(bytes: Uint8Array, start: number, end: number): Value {
    // Most routes carry few accounts and lists: slots are for those that carry a second one.
    if (this.#text !== null && this.#texts === null) {
      this.#texts = new Array(SLOTS).fill(null);
      this.#values = new Array(SLOTS).fill(null);
    }
    const slot = hashSubject(bytes, start, end) & (SLOTS - 1);
    const text = this.#texts?.[slot] ?? null;
    if (text !== null && equal(text, bytes, start, end)) {
      this.#text = text;
      this.#value = this.#values![slot]!;
    } else {
      this.#text = byteString(bytes, start, end);
      this.#value = this.#make(this.#text);
      if (this.#texts !== null) {
        this.#texts[slot] = this.#text;
        this.#values![slot] = this.#value;
      }
    }
    return this.#value;
  }
}

function equal(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  const length = text.length;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}
