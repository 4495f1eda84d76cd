/**
 * Bytes into S2 streams.
 *
 * @module
 */
import { type Bytes, bytesWithView } from "./bytes.ts";
import {
  CHECKSUM_BYTES,
  CHUNK_COMPRESSED,
  CHUNK_HEADER_BYTES,
  CHUNK_UNCOMPRESSED,
  ENCODER_BLOCK_BYTES,
  type S2Level,
  STREAM_IDENTIFIER,
} from "./format.ts";
import { kernels } from "./kernels.ts";

/** Chunks of the level "uncompressed": small, as a reader must have a whole one to check it. */
const UNCOMPRESSED_CHUNK_BYTES = 64 << 10;

/** Shorter blocks are not worth compressing. */
const SHORTEST_COMPRESSED_BYTES = 32;

/** What a chunk of any kind begins with. */
const DATA_CHUNK_OVERHEAD = CHUNK_HEADER_BYTES + CHECKSUM_BYTES;

/** A buffer up to this size is kept for the next stream; a larger one only until then. */
const KEPT_BYTES = 256 << 10;

const EMPTY: Bytes = bytesWithView(new Uint8Array(0));

/**
 * Makes S2 streams. What the search for repetitions needs is shared by all encoders: one encoder has
 * nothing but the buffer of its last result.
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
    const output = this.#room(input.length + S2Encoder.overhead(input.length));
    const { bytes, view } = output, { level } = this, kernel = kernels();
    const blockBytes = level === "uncompressed" ? UNCOMPRESSED_CHUNK_BYTES : ENCODER_BLOCK_BYTES;
    bytes.set(STREAM_IDENTIFIER);
    let at = STREAM_IDENTIFIER.length;
    for (let start = 0; start < input.length; start += blockBytes) {
      const block = input.subarray(start, start + blockBytes), body = at + DATA_CHUNK_OVERHEAD;
      kernel.load(block);
      let end = -1;
      if (level !== "uncompressed" && block.length >= SHORTEST_COMPRESSED_BYTES) {
        end = kernel.encode(level, bytes, writeVarint(bytes, body, block.length));
      }
      const type = end >= 0 ? CHUNK_COMPRESSED : CHUNK_UNCOMPRESSED;
      if (end < 0) {
        bytes.set(block, body);
        end = body + block.length;
      }
      view.setInt32(at, ((end - at - CHUNK_HEADER_BYTES) << 8) | type, true);
      view.setInt32(at + CHUNK_HEADER_BYTES, kernel.takeChecksum(), true);
      at = end;
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
