/**
 * S2 streams made by hand, and decoded whole.
 *
 * @module
 */
import { S2Decoder } from "../../src/cluster/s2/mod.ts";

/** The identifier that a stream begins with. */
export const IDENTIFIER: Uint8Array = bytesOf("ff 06 00 00 53 32 73 54 77 4f");

/** Bytes from pairs of hexadecimal digits with any spaces between them. */
export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/[0-9a-f]{2}/g) ?? [], (pair) => parseInt(pair, 16));
}

/** One byte string of several. */
export function concat(...parts: readonly ArrayLike<number>[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** CRC-32C bit by bit, masked, as four bytes. */
export function checksum(bytes: Uint8Array): Uint8Array {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * 0x82f63b78);
  }
  crc = ~crc;
  const masked = ((crc >>> 15) | (crc << 17)) + 0xa282ead8;
  return Uint8Array.of(masked, masked >>> 8, masked >>> 16, masked >>> 24);
}

/** A chunk of any type; `length` lies about the body's length. */
export function chunk(type: number, body: Uint8Array, length = body.length): Uint8Array {
  return concat([type, length & 0xff, (length >> 8) & 0xff, length >> 16], body);
}

/** An uncompressed data chunk. */
export function uncompressed(bytes: Uint8Array): Uint8Array {
  return chunk(1, concat(checksum(bytes), bytes));
}

/** A compressed chunk with these elements, which should decode to `decoded`. */
export function compressed(
  decoded: Uint8Array,
  elements: ArrayLike<number>,
  length = decoded.length,
): Uint8Array {
  return chunk(0, concat(checksum(decoded), varint(length), elements));
}

/** Seven bits a byte, the lowest first. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return Uint8Array.from([...bytes, value]);
}

/**
 * Everything that `stream` decodes to when it is written in pieces of `pieceBytes` and read into
 * `intoBytes`. Each piece is overwritten when the decoder is done with it.
 */
export function decodeAll(
  stream: Uint8Array,
  pieceBytes: number = Math.max(1, stream.length),
  intoBytes = 65_536,
): Uint8Array {
  const decoder = new S2Decoder(), decoded: Uint8Array[] = [], into = new Uint8Array(intoBytes);
  for (let at = 0; at < stream.length; at += pieceBytes) {
    const piece = stream.slice(at, at + pieceBytes);
    decoder.write(piece);
    for (let length; (length = decoder.read(into)) > 0;) decoded.push(into.slice(0, length));
    piece.fill(0xee);
  }
  return concat(...decoded);
}
