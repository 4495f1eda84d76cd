/**
 * Byte strings: JavaScript strings in which each character (U+0000 to U+00FF) stands for one byte
 * of the wire. Subjects, queue names and sids are opaque bytes to the protocol; as byte strings they
 * cost one byte a character, compare fast and work as keys of a Map.
 *
 * @module
 */

const CHUNK = 4096;

/** The bytes from `start` to `end` as a flat byte string. */
export function byteString(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= CHUNK) return String.fromCharCode.apply(null, part(bytes, start, end));
  let text = "";
  for (let at = start; at < end; at += CHUNK) {
    text += String.fromCharCode.apply(null, part(bytes, at, Math.min(end, at + CHUNK)));
  }
  return text;
}

function part(bytes: Uint8Array, start: number, end: number): number[] {
  // `apply` takes any array-like; the cast only satisfies its older signature.
  return bytes.subarray(start, end) as unknown as number[];
}

/** The UTF-8 encoding of ordinary text, as a byte string. */
export function encodeByteString(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return byteString(bytes, 0, bytes.length);
}

/** A byte string as text for people: UTF-8, with U+FFFD for what is not. */
export function decodeByteString(text: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(byteStringBytes(text));
}

/** The bytes that a byte string stands for. */
export function byteStringBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
