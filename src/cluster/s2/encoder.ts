/**
 * Bytes into S2 streams.
 *
 * @module
 */
import { maskedCrc32c } from "./crc32c.ts";
import { type Bytes, bytesWithView } from "./decode_block.ts";
import { encodeBest } from "./encode_best.ts";
import { encodeBetter } from "./encode_better.ts";
import { encodeFast } from "./encode_fast.ts";
import {
  CHECKSUM_BYTES,
  CHUNK_COMPRESSED,
  CHUNK_HEADER_BYTES,
  CHUNK_UNCOMPRESSED,
  ENCODER_BLOCK_BYTES,
  type S2Level,
  STREAM_IDENTIFIER,
} from "./format.ts";

/** Chunks of the level "uncompressed": small, as a reader must have a whole one to check it. */
const UNCOMPRESSED_CHUNK_BYTES = 64 << 10;

/** Shorter blocks are not worth compressing. */
const SHORTEST_COMPRESSED_BYTES = 32;

/** What a chunk of any kind begins with. */
const DATA_CHUNK_OVERHEAD = CHUNK_HEADER_BYTES + CHECKSUM_BYTES;

/** What encoding a block may write further than what is left of it in the end. */
const OUTPUT_SLACK = 64;

/** A buffer up to this size is kept for the next stream; a larger one only until then. */
const KEPT_BYTES = 256 << 10;

/** Writes the elements of a block; -1 when that does not pay. */
type EncodeBlock = (
  input: DataView,
  start: number,
  end: number,
  output: DataView,
  at: number,
) => number;

const ENCODE_BLOCK: Record<S2Level, EncodeBlock | undefined> = {
  uncompressed: undefined,
  fast: encodeFast,
  better: encodeBetter,
  best: encodeBest,
};

const EMPTY: Bytes = bytesWithView(new Uint8Array(0));

/**
 * Makes S2 streams. The tables that the search for repetitions needs are shared by all encoders: one
 * encoder has nothing but the buffer of its last result.
 */
export class S2Encoder {
  /** How hard it tries; may be changed between calls. */
  level: S2Level;
  #output = EMPTY;

  /** An encoder that has made nothing yet. */
  constructor(level: S2Level) {
    this.level = level;
  }

  /** How much longer than the input a stream of `length` bytes may be. */
  static overhead(length: number): number {
    return STREAM_IDENTIFIER.length +
      Math.ceil(length / UNCOMPRESSED_CHUNK_BYTES) * DATA_CHUNK_OVERHEAD;
  }

  /**
   * One complete stream of `input`, which may have any length: an identifier and as many chunks as
   * are needed. What does not compress is at most {@link S2Encoder.overhead} longer than it was.
   *
   * @returns A view that is valid until the next call.
   */
  encode(input: Uint8Array): Uint8Array {
    const output = this.#room(input.length + S2Encoder.overhead(input.length) + OUTPUT_SLACK);
    const source = new DataView(input.buffer, input.byteOffset, input.byteLength);
    const { bytes, view } = output;
    const encodeBlock = ENCODE_BLOCK[this.level];
    const blockBytes = encodeBlock ? ENCODER_BLOCK_BYTES : UNCOMPRESSED_CHUNK_BYTES;
    bytes.set(STREAM_IDENTIFIER);
    let at = STREAM_IDENTIFIER.length;
    for (let start = 0; start < input.length; start += blockBytes) {
      const end = Math.min(start + blockBytes, input.length);
      const body = at + DATA_CHUNK_OVERHEAD;
      let chunkEnd = -1;
      if (encodeBlock && end - start >= SHORTEST_COMPRESSED_BYTES) {
        chunkEnd = encodeBlock(
          source,
          start,
          end,
          view,
          writeVarint(bytes, body, end - start),
        );
      }
      const compressed = chunkEnd >= 0;
      if (!compressed) {
        bytes.set(input.subarray(start, end), body);
        chunkEnd = body + end - start;
      }
      const chunkLength = chunkEnd - at - CHUNK_HEADER_BYTES;
      view.setInt32(
        at,
        (chunkLength << 8) | (compressed ? CHUNK_COMPRESSED : CHUNK_UNCOMPRESSED),
        true,
      );
      view.setInt32(at + CHUNK_HEADER_BYTES, maskedCrc32c(source, start, end), true);
      at = chunkEnd;
    }
    return bytes.subarray(0, at);
  }

  /** A buffer of at least `size` bytes. */
  #room(size: number): Bytes {
    const kept = this.#output.bytes.length;
    if (kept < size || kept > Math.max(size, KEPT_BYTES)) {
      // Powers of two, so that slabs of growing length do not each need a new one.
      const capacity = size > KEPT_BYTES ? size : 2 ** Math.ceil(Math.log2(size));
      this.#output = bytesWithView(new Uint8Array(capacity));
    }
    return this.#output;
  }
}

/** Writes a number below 2^28, seven bits a byte, the lowest first. Returns the offset behind it. */
function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  for (; value >= 0x80; value >>>= 7) bytes[at++] = value | 0x80;
  bytes[at++] = value;
  return at;
}
