/**
 * The subject of a route's previous message: most often it is that of the next one as well.
 *
 * A client's parser has the like of its own: it knows no accounts, and sharing this made it 3 %
 * slower, and every idle connection an object larger.
 *
 * @module
 */
import { copyBytes, Slab } from "./slab.ts";

const SPACE = 32;
/** Up to this length a subject, with the account in front of it, is remembered. */
const REMEMBERED_BYTES = 256;

/** What stood in front of the reply or the sizes of a message: a subject, or an account and one. */
export class LastSubject {
  /** {@link hashSubject} of the subject. */
  hash = 0;
  /** How many bytes it has; -1 when none is remembered. */
  length = -1;
  /** How many of them are in front of the subject; -1 when that is not known. */
  prefixLength = -1;
  #slab: Slab | null = null;
  /** How many bytes {@link isAt} found to be the same, in whole words. */
  #alike = 0;

  /** Whether it stands at `at`, followed by a space. */
  isAt(slab: Slab, at: number, end: number): boolean {
    const length = this.length;
    this.#alike = 0;
    if (length < 0 || at + length >= end) return false;
    const view = slab.view, last = this.#slab!.view;
    let i = 0;
    for (; i + 4 <= length; i += 4) {
      if (view.getInt32(at + i, true) !== last.getInt32(i, true)) {
        this.#alike = i;
        return false;
      }
    }
    this.#alike = i;
    return (i === length ||
      ((view.getInt32(at + i, true) ^ last.getInt32(i, true)) << (8 * (4 - (length - i)))) === 0) &&
      slab.bytes[at + length] === SPACE;
  }

  /** Whether what is in front of the subject stands at `at`, where {@link isAt} has just looked. */
  prefixIsAt(slab: Slab, at: number): boolean {
    const length = this.prefixLength;
    // Most of it, or all, was compared already.
    let i = this.#alike;
    if (i >= length) return length >= 0;
    const bytes = slab.bytes, last = this.#slab!.bytes;
    while (i < length && bytes[at + i] === last[i]) i++;
    return i === length;
  }

  /** Remembers the bytes from `start` to `end`, of which `prefixLength` are in front of the subject. */
  keep(slab: Slab, start: number, end: number, prefixLength: number, hash: number): void {
    const length = end - start;
    this.hash = hash;
    if (length > REMEMBERED_BYTES) {
      this.forget();
      return;
    }
    if (this.#slab === null || this.#slab.capacity < length) {
      this.#slab = new Slab(length <= 32 ? 32 : REMEMBERED_BYTES);
    }
    this.length = length;
    this.prefixLength = prefixLength;
    copyBytes(this.#slab, 0, slab, start, length);
  }

  /** Remembers nothing but the hash. */
  forget(): void {
    this.length = this.prefixLength = -1;
  }
}
