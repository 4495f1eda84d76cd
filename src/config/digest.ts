/**
 * Digests of parts of a configuration, to tell which are as they were before.
 *
 * @module
 */

/**
 * A digest of what a part of a configuration says, 53 bits of it. Who may write configurations could
 * make two that have the same; nobody else has a say in them.
 */
export function digestOf(part: object): number {
  const text = JSON.stringify(part);
  let high = 0xdeadbeef, low = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return (low >>> 0) + (high & 0x1fffff) * 2 ** 32;
}

const known = new WeakMap<object, number>();

/** The same, made once for each object, which must not change. */
export function rememberedDigest(part: object): number {
  let digest = known.get(part);
  if (digest === undefined) known.set(part, digest = digestOf(part));
  return digest;
}
