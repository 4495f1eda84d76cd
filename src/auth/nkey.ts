/**
 * The text form of NATS public keys (nkeys): base32 (RFC 4648, no padding) of a prefix byte, the 32
 * bytes of the key, and their CRC-16/XMODEM, low byte first. The prefix byte makes the first letter.
 *
 * @module
 */

/** Prefix bytes of public keys, by what the key belongs to. */
export const nkeyPrefix = {
  /** A server: `N...`. */
  server: 13 << 3,
  /** A curve key, X25519: `X...`. */
  curve: 23 << 3,
} as const;

/** What a public key belongs to. */
export type NkeyKind = keyof typeof nkeyPrefix;

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/**
 * The 56 characters of a public key.
 *
 * @throws {RangeError} when `key` is not 32 bytes long.
 */
export function encodeNkey(kind: NkeyKind, key: Uint8Array): string {
  if (key.length !== 32) throw new RangeError(`a public key has 32 bytes, not ${key.length}`);
  const bytes = new Uint8Array(35);
  bytes[0] = nkeyPrefix[kind];
  bytes.set(key, 1);
  const crc = crc16(bytes.subarray(0, 33));
  bytes[33] = crc & 0xff;
  bytes[34] = crc >> 8;
  return base32(bytes);
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

/** Base32 of a whole number of 5-byte groups, which therefore needs no padding. */
function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet[(value >> bits) & 31];
    }
    value &= 31;
  }
  return text;
}
