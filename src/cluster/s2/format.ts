/**
 * The S2 stream format: a superset of the Snappy framing format, as nats-server speaks it on routes
 * with `compression`.
 *
 * ```
 * chunk       type(1) length(3, little endian) body
 * 0xff        stream identifier: "S2sTwO" or "sNaPpY"
 * 0x00        masked CRC-32C of the decoded bytes(4), block
 * 0x01        masked CRC-32C(4), the bytes themselves
 * 0x80..0xfe  skipped
 *
 * block       decoded length(varint), elements
 * element     tag & 3 = 0: literal, 1: copy with an 11-bit offset, 2: 16-bit, 3: 32-bit
 *             a copy with an 11-bit offset of 0 repeats the offset of the previous copy
 * ```
 *
 * @module
 */

/** How hard an encoder tries; nats-server's `s2_uncompressed`, `s2_fast`, `s2_better`, `s2_best`. `mod.ts` has the figures. */
export type S2Level = "uncompressed" | "fast" | "better" | "best";

/** Input that is no S2 stream. The message says what is wrong with it. */
export class S2Error extends Error {
  /** Always `"S2Error"`. */
  override name = "S2Error";

  /** An error `S2: <what is wrong>`. */
  constructor(problem: string) {
    super(`S2: ${problem}`);
  }
}

/** Chunk with a compressed block. */
export const CHUNK_COMPRESSED = 0x00;
/** Chunk with the bytes themselves. */
export const CHUNK_UNCOMPRESSED = 0x01;
/** Chunk types from {@link CHUNK_UNCOMPRESSED} to here may not be skipped by who does not know them. */
export const CHUNK_LAST_UNSKIPPABLE = 0x7f;
/** Chunk that begins a stream. */
export const CHUNK_IDENTIFIER = 0xff;

/** Type and length of a chunk. */
export const CHUNK_HEADER_BYTES = 4;
/** The checksum in front of what a data chunk carries. */
export const CHECKSUM_BYTES = 4;

/** The chunk every stream begins with: `ff 06 00 00 "S2sTwO"`. */
export const STREAM_IDENTIFIER: Uint8Array = Uint8Array.of(
  ...[0xff, 0x06, 0x00, 0x00, 0x53, 0x32, 0x73, 0x54, 0x77, 0x4f],
);
/** The body of a Snappy stream's identifier, "sNaPpY". */
export const SNAPPY_IDENTIFIER_BODY: Uint8Array = STREAM_IDENTIFIER.slice(4);
SNAPPY_IDENTIFIER_BODY.set([0x73, 0x4e, 0x61, 0x50, 0x70, 0x59]);

/** No block may decode to more bytes; the limit of the official reader. */
export const MAX_BLOCK_BYTES: number = 4 << 20;
/** No block of a Snappy stream may decode to more bytes. */
export const MAX_SNAPPY_BLOCK_BYTES: number = 64 << 10;
/**
 * How much longer than what it decodes to a block may sensibly be: its length, and all of it in one
 * literal.
 */
export const BLOCK_OVERHEAD_BYTES = 4 + 5;
/** How much input official writers put into one block, and so do we. */
export const ENCODER_BLOCK_BYTES: number = 1 << 20;
