/**
 * The hash under which subjects are looked up.
 *
 * @module
 */

/** FNV-1a's offset basis for 32 bits. */
export const SUBJECT_HASH_BASIS = 0x811c9dc5 | 0;

/** FNV-1a's prime for 32 bits. */
export const SUBJECT_HASH_PRIME = 0x01000193;

/**
 * FNV-1a (32 bits, as a signed integer) of the bytes from `start` to `end`. Chosen because it can be
 * computed byte by byte while a line is scanned. It is not secret: whoever picks subjects can make
 * them collide, so it may only index caches that lose nothing but hits when they do.
 */
export function hashSubject(bytes: Uint8Array, start: number, end: number): number {
  let hash = SUBJECT_HASH_BASIS;
  for (let i = start; i < end; i++) {
    hash = Math.imul(hash ^ (bytes[i] as number), SUBJECT_HASH_PRIME);
  }
  return hash;
}
