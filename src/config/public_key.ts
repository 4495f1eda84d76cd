/**
 * Public keys (nkeys) in a configuration: 56 letters and digits of base32, which are a prefix byte
 * that tells what the key belongs to, the 32 bytes of the key, and their CRC-16/XMODEM.
 *
 * @module
 */
import { type Kind, quoteText, Refusal } from "./kind.ts";

/** What a public key belongs to, and the letter that it begins with. */
const owners = {
  account: { letter: "A", prefix: 0, example: "an account" },
  operator: { letter: "O", prefix: 14 << 3, example: "an operator" },
  user: { letter: "U", prefix: 20 << 3, example: "a user" },
  curve: { letter: "X", prefix: 23 << 3, example: "encryption" },
} as const;

/** What a public key belongs to. */
export type KeyOwner = keyof typeof owners;

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const valueOf = new Map([...alphabet].map((letter, index) => [letter, index]));

/** A public key of `owner`. */
export function publicKey(owner: KeyOwner): Kind<string, string> {
  const { letter, example } = owners[owner];
  return {
    inputType: "string",
    outputType: "string",
    json: { type: "string", pattern: `^${letter}[A-Z2-7]{55}$` },
    read: (input) => {
      if (typeof input === "string" && isPublicKey(input, owner)) return input;
      return new Refusal(
        `a public key of ${example}: ${letter} and 55 more letters and digits`,
        typeof input === "string" ? whyNoKey(input, letter) : undefined,
      );
    },
    format: quoteText,
  };
}

function whyNoKey(text: string, letter: string): string | undefined {
  if (looksLikeSeed(text)) return "it looks like a seed, which is secret and belongs elsewhere";
  if (!/^[A-Z2-7]{56}$/.test(text)) return undefined;
  const [other] = Object.values(owners).filter((one) => text.startsWith(one.letter));
  if (text.startsWith(letter)) return "its checksum is wrong: is a letter mistyped?";
  return other === undefined ? undefined : `it looks like one of ${other.example}`;
}

/** Whether `text` may be a seed, the secret of a key: it is never shown. */
export function looksLikeSeed(text: string): boolean {
  return /^\s*S[A-Z2-7]{50,60}\s*$/.test(text);
}

/** Whether `text` is a whole public key of `owner`, its checksum included. */
export function isPublicKey(text: string, owner: KeyOwner): boolean {
  if (text.length !== 56) return false;
  const bytes = new Uint8Array(35);
  let bits = 0, value = 0, length = 0;
  for (const letter of text) {
    const digit = valueOf.get(letter);
    if (digit === undefined) return false;
    value = (value << 5 | digit) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[length++] = value >> bits & 0xff;
    }
  }
  const [low = 0, high = 0] = bytes.subarray(33);
  return bytes[0] === owners[owner].prefix && (high << 8 | low) === crc16(bytes.subarray(0, 33));
}

function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
    crc &= 0xffff;
  }
  return crc;
}
