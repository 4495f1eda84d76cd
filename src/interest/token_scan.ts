/**
 * Subjects cut into tokens.
 *
 * @module
 */

const DOT = 0x2e;
const STAR = 0x2a;
const FULL = 0x3e;

/** What a token means in a subscription. */
export const TokenKind = {
  /** Stands for itself. */
  literal: 0,
  /** `*`: any one token. */
  single: 1,
  /** `>`: one or more tokens. */
  full: 2,
} as const;

/**
 * The tokens of one subject at a time, with their hashes. The hashes are keyed, unlike
 * `hashSubject`: tables that must not degrade are indexed by them, so whoever picks subjects must
 * not be able to make them collide.
 */
export class TokenScan {
  /** The bytes that were scanned last; the offsets are into them. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the subject begins and ends in {@link bytes}. */
  start = 0;
  /** The offset behind the subject. */
  end = 0;
  /** How many tokens there are; 0 if one was empty. */
  count = 0;
  /** Where each token begins. */
  starts = new Int32Array(16);
  /** The offset behind each token. */
  ends = new Int32Array(16);
  /** Each token's hash: 0 to 2^30-1, so that it is a small integer to the engine everywhere. */
  hashes = new Int32Array(16);
  /** The hash of the whole subject, in the same range. */
  subjectHash = 0;

  readonly #basis: number;
  readonly #multiplier: number;
  #text = new Uint8Array(64);

  /** Hashes with a key made of `seed` (32 bits). */
  constructor(seed: number) {
    this.#basis = Math.imul(seed ^ seed >>> 15, 0x2c1b3c6d);
    // Like FNV's prime, 3 modulo 8: odd, and no short power of it is 1.
    this.#multiplier = Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) & ~7 | 3;
  }

  /** Scans the bytes from `start` to `end`; false if a token is empty. */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    const basis = this.#basis, multiplier = this.#multiplier;
    let starts = this.starts, ends = this.ends, hashes = this.hashes;
    let subjectHash = basis, count = 0;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.count = 0;
    for (let at = start;; at++) {
      const tokenStart = at;
      let hash = basis;
      for (; at < end; at++) {
        const byte = bytes[at]!;
        if (byte === DOT) break;
        hash = Math.imul(hash ^ byte, multiplier);
      }
      if (at === tokenStart) return false;
      if (count === starts.length) {
        this.#grow();
        starts = this.starts;
        ends = this.ends;
        hashes = this.hashes;
      }
      hash = finish(hash);
      starts[count] = tokenStart;
      ends[count] = at;
      hashes[count++] = hash;
      subjectHash = Math.imul(subjectHash ^ hash, multiplier);
      if (at === end) break;
    }
    this.count = count;
    this.subjectHash = finish(subjectHash);
    return true;
  }

  /** Scans a byte string, which is copied to the beginning of {@link bytes}. */
  scanText(text: string): boolean {
    const length = text.length;
    if (length > this.#text.length) this.#text = new Uint8Array(2 * length);
    const bytes = this.#text;
    for (let i = 0; i < length; i++) bytes[i] = text.charCodeAt(i);
    return this.scan(bytes, 0, length);
  }

  /** What token `index` would mean in a subscription. */
  kind(index: number): number {
    const start = this.starts[index]!;
    if (this.ends[index] !== start + 1) return TokenKind.literal;
    const byte = this.bytes[start];
    if (byte === STAR) return TokenKind.single;
    return byte === FULL ? TokenKind.full : TokenKind.literal;
  }

  /** Whether a token is a wildcard; undefined if this is no subject to subscribe to. */
  hasWildcard(): boolean | undefined {
    let found = false;
    for (let i = 0; i < this.count; i++) {
      const kind = this.kind(i);
      if (kind === TokenKind.literal) continue;
      if (kind === TokenKind.full && i + 1 < this.count) return undefined;
      found = true;
    }
    return found;
  }

  /** The hash of the token that begins at `start` of a byte string. */
  hashTokenOf(text: string, start: number): number {
    let hash = this.#basis;
    for (let i = start; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === DOT) break;
      hash = Math.imul(hash ^ code, this.#multiplier);
    }
    return finish(hash);
  }

  #grow(): void {
    this.starts = twiceAsLong(this.starts);
    this.ends = twiceAsLong(this.ends);
    this.hashes = twiceAsLong(this.hashes);
  }
}

/** Spreads what the upper bits know to the lower ones, which index the tables. */
function finish(hash: number): number {
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  return (hash ^ hash >>> 13) & 0x3fffffff;
}

function twiceAsLong(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(2 * array.length);
  longer.set(array);
  return longer;
}
