/**
 * The text form of NATS keys (nkeys): base32 (RFC 4648, no padding) of a prefix, the 32 bytes of the key,
 * and the CRC-16/XMODEM of both, low byte first. The prefix of a public key is one byte, which makes the
 * first letter; that of a seed is two, which make `S` and the letter of its public key.
 *
 * @module
 */

/** Prefix bytes of public keys, by what the key belongs to. */
export const nkeyPrefix = {
  /** An account: `A...`. */
  account: 0,
  /** A cluster: `C...`. */
  cluster: 2 << 3,
  /** A server: `N...`. */
  server: 13 << 3,
  /** An operator: `O...`. */
  operator: 14 << 3,
  /** A user: `U...`. */
  user: 20 << 3,
  /** A curve key, X25519: `X...`. */
  curve: 23 << 3,
} as const;

/** What a key belongs to. */
export type NkeyKind = keyof typeof nkeyPrefix;

/** A key in binary, and what it belongs to. */
export interface Nkey {
  /** What it belongs to. */
  readonly kind: NkeyKind;
  /** Its 32 bytes. */
  readonly key: Uint8Array<ArrayBuffer>;
}

const KEY_BYTES = 32, CHECKSUM_BYTES = 2;
const SEED_PREFIX = 18 << 3;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Length of the text of a public key, and of a seed. */
const PUBLIC_LENGTH = 56, SEED_LENGTH = 58;

const kinds = new Map(
  Object.entries(nkeyPrefix).map(([kind, prefix]) => [prefix as number, kind as NkeyKind]),
);

/**
 * The 56 characters of a public key.
 *
 * @throws {RangeError} when `key` is not 32 bytes long.
 */
export function encodeNkey(kind: NkeyKind, key: Uint8Array): string {
  return encode([nkeyPrefix[kind]], key);
}

/**
 * The 58 characters of a seed, which is a secret.
 *
 * @throws {RangeError} when `seed` is not 32 bytes long.
 */
export function encodeSeed(kind: NkeyKind, seed: Uint8Array): string {
  const prefix = nkeyPrefix[kind];
  return encode([SEED_PREFIX | (prefix >> 5), (prefix & 31) << 3], seed);
}

/** The key that a public key's text stands for; null when the text is none. */
export function decodeNkey(text: string): Nkey | null {
  const bytes = decode(text, PUBLIC_LENGTH, 1);
  const kind = kinds.get(bytes?.[0] ?? -1);
  if (bytes === null || kind === undefined) return null;
  return { kind, key: bytes.slice(1, 1 + KEY_BYTES) };
}

/** The seed that a text stands for; null when the text is none. */
export function decodeSeed(text: string): Nkey | null {
  const bytes = decode(text, SEED_LENGTH, 2);
  if (bytes === null || (bytes[0]! & 0xf8) !== SEED_PREFIX) return null;
  const kind = kinds.get(((bytes[0]! & 7) << 5) | (bytes[1]! >> 3));
  if (kind === undefined || (bytes[1]! & 7) !== 0) return null;
  return { kind, key: bytes.slice(2, 2 + KEY_BYTES) };
}

/** Whether `text` is the public key of a `kind`, checksum included. */
export function isNkey(text: string, kind: NkeyKind): boolean {
  return decodeNkey(text)?.kind === kind;
}

function encode(prefix: readonly number[], key: Uint8Array): string {
  if (key.length !== KEY_BYTES) {
    throw new RangeError(`a key has ${KEY_BYTES} bytes, not ${key.length}`);
  }
  const bytes = new Uint8Array(prefix.length + KEY_BYTES + CHECKSUM_BYTES);
  bytes.set(prefix);
  bytes.set(key, prefix.length);
  const crc = crc16(bytes.subarray(0, -CHECKSUM_BYTES));
  bytes[bytes.length - 2] = crc & 0xff;
  bytes[bytes.length - 1] = crc >> 8;
  return base32(bytes);
}

/** Prefix and key; null when length, alphabet or checksum are wrong. */
function decode(
  text: string,
  length: number,
  prefixBytes: number,
): Uint8Array<ArrayBuffer> | null {
  if (text.length !== length) return null;
  const bytes = new Uint8Array(prefixBytes + KEY_BYTES + CHECKSUM_BYTES);
  let bits = 0, value = 0, at = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = ALPHABET.indexOf(text[i]!);
    if (digit < 0) return null;
    value = (value << 5) | digit;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = value >> bits;
      value &= (1 << bits) - 1;
    }
  }
  // What is left over of the last character belongs to no byte: one key has one text.
  if (value !== 0) return null;
  const crc = bytes[bytes.length - 2]! | (bytes[bytes.length - 1]! << 8);
  const payload = bytes.subarray(0, -CHECKSUM_BYTES);
  return crc16(payload) === crc ? payload : null;
}

/** CRC-16/XMODEM: polynomial 0x1021, initial value 0. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    }
    crc &= 0xffff;
  }
  return crc;
}

/** Base32 without padding. */
function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(value >> bits) & 31];
    }
    value &= 31;
  }
  if (bits > 0) text += ALPHABET[(value << (5 - bits)) & 31];
  return text;
}
