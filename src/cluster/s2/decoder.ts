/**
 * S2 streams into bytes.
 *
 * @module
 */
import { BlockLength } from "./block_length.ts";
import { type Bytes, bytesWithView } from "./bytes.ts";
import {
  BLOCK_OVERHEAD_BYTES,
  CHECKSUM_BYTES,
  CHUNK_COMPRESSED,
  CHUNK_HEADER_BYTES,
  CHUNK_IDENTIFIER,
  CHUNK_LAST_UNSKIPPABLE,
  CHUNK_UNCOMPRESSED,
  MAX_BLOCK_BYTES,
  MAX_SNAPPY_BLOCK_BYTES,
  S2Error,
  SNAPPY_IDENTIFIER_BODY,
  STREAM_IDENTIFIER,
} from "./format.ts";
import { kernels } from "./kernels.ts";

/** The smallest buffer for a chunk that comes in pieces, in bytes. */
const SMALLEST_BUFFER_BYTES = 512;

/** Buffers up to this size are kept when they are empty; larger ones are let go. */
const KEPT_BYTES = 256 << 10;

const EMPTY: Bytes = bytesWithView(new Uint8Array(0));

/**
 * Reads S2 streams, one behind the other, from pieces of any length. Use:
 *
 * ```ts
 * decoder.write(piece);
 * while ((length = decoder.read(into)) > 0) use(into.subarray(0, length));
 * ```
 *
 * It holds at most one chunk (of 4 MiB) and one decoded block (of 4 MiB). The room for a chunk is never
 * more than twice what has come of it, and a block is decoded when it is asked for.
 */
export class S2Decoder {
  /** What was written, and how much of it is used up; it is the caller's. */
  #input = EMPTY;
  #at = 0;
  /** Whether `read` has returned 0 since the last write. */
  #drained = true;
  /** The beginning of a chunk of which more is to come. */
  #partial = EMPTY;
  #partialLength = 0;
  /** The complete chunk that {@link #findChunk} found. */
  #chunk = EMPTY;
  #chunkAt = 0;
  /** How many bytes of a chunk that means nothing are still to come. */
  #skip = 0;
  /** Bytes to hand out: of an uncompressed chunk where it lies, or of {@link #block}. */
  #ready = EMPTY.bytes;
  #readyAt = 0;
  /** Where blocks are decoded to for which a reader has no room. */
  #block = EMPTY.bytes;
  readonly #blockLength = new BlockLength();
  /** How much a block may decode to; 0 before the first identifier. */
  #mostBlockBytes = 0;
  #failure: S2Error | undefined;

  /**
   * Takes in the next bytes. They are lent: leave them as they are until {@link read} has returned 0.
   * What is needed for longer has been copied by then.
   *
   * @throws {S2Error} when an earlier piece was no S2 stream.
   * @throws {Error} when `read` has not returned 0 since the piece before.
   */
  write(bytes: Uint8Array): void {
    if (this.#failure) throw this.#failure;
    if (!this.#drained) throw new Error("S2Decoder: write before read has returned 0");
    this.#input = bytesWithView(bytes);
    this.#at = 0;
    this.#drained = false;
  }

  /**
   * Moves decoded bytes into `into`. Only bytes with the right checksum are handed out, and nothing
   * behind them is written, unless the input is bad.
   *
   * @returns How many; 0 when more input is needed, or `into` is empty.
   * @throws {S2Error} when the input is no S2 stream, after everything before the fault has been handed
   * out; from then on always.
   */
  read(into: Uint8Array): number {
    if (this.#failure) throw this.#failure;
    if (into.length === 0) return 0;
    let length = 0;
    try {
      while (length < into.length) {
        if (this.#readyAt < this.#ready.length) {
          length += this.#takeReady(into, length);
        } else {
          const added = this.#findChunk() ? this.#useChunk(into, length) : -1;
          if (added < 0) break;
          length += added;
        }
      }
    } catch (error) {
      if (!(error instanceof S2Error)) throw error;
      this.#failure = error;
      this.#input =
        this.#partial =
        this.#chunk =
          EMPTY;
      this.#block = this.#ready = EMPTY.bytes;
      this.#readyAt = 0;
      if (length === 0) throw error;
    }
    if (length === 0) {
      this.#drained = true;
      this.#input = this.#chunk = EMPTY;
      this.#at = 0;
    }
    return length;
  }

  /** Hands out what is ready, to `at` of `into`. */
  #takeReady(into: Uint8Array, at: number): number {
    const length = Math.min(into.length - at, this.#ready.length - this.#readyAt);
    into.set(this.#ready.subarray(this.#readyAt, this.#readyAt + length), at);
    this.#readyAt += length;
    if (this.#readyAt === this.#ready.length) this.#nothingReady();
    return length;
  }

  #nothingReady(): void {
    this.#ready = EMPTY.bytes;
    this.#readyAt = 0;
    if (this.#block.length > KEPT_BYTES) this.#block = EMPTY.bytes;
    if (this.#partial.bytes.length > KEPT_BYTES) this.#partial = EMPTY;
  }

  /** Finds the next complete chunk; what there is of an incomplete one is copied. */
  #findChunk(): boolean {
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, this.#input.bytes.length - this.#at);
      this.#skip -= skipped;
      this.#at += skipped;
    }
    let rest = this.#input.bytes.length - this.#at;
    if (this.#partialLength === 0) {
      if (rest >= CHUNK_HEADER_BYTES && rest >= this.#chunkBytes(this.#input, this.#at)) {
        this.#chunk = this.#input;
        this.#chunkAt = this.#at;
        return true;
      }
    }
    this.#chunkAt = 0;
    while (true) {
      const have = this.#partialLength;
      let wanted = CHUNK_HEADER_BYTES;
      if (have >= CHUNK_HEADER_BYTES) {
        wanted = this.#chunkBytes(this.#partial, 0);
        if (have === wanted) {
          this.#chunk = this.#partial;
          return true;
        }
      }
      if (rest === 0) return false;
      const length = Math.min(wanted - have, rest);
      this.#reserve(have + length, wanted);
      const from = this.#at;
      this.#partial.bytes.set(this.#input.bytes.subarray(from, from + length), have);
      this.#partialLength += length;
      this.#at += length;
      rest -= length;
    }
  }

  /** Makes room for `length` bytes of a chunk that will be `most` long. */
  #reserve(length: number, most: number): void {
    const { bytes } = this.#partial;
    if (bytes.length >= length) return;
    const capacity = Math.max(SMALLEST_BUFFER_BYTES, Math.min(2 * length, most));
    const larger = bytesWithView(new Uint8Array(capacity));
    larger.bytes.set(bytes.subarray(0, this.#partialLength));
    this.#partial = larger;
  }

  /**
   * How long the chunk at `at` is, the header included; only the header counts of one to be skipped.
   *
   * @throws {S2Error} when there may not be such a chunk.
   */
  #chunkBytes(source: Bytes, at: number): number {
    const header = source.view.getInt32(at, true), type = header & 0xff, length = header >>> 8;
    if (type === CHUNK_IDENTIFIER) {
      if (length !== SNAPPY_IDENTIFIER_BODY.length) throw new S2Error("bad stream identifier");
      return CHUNK_HEADER_BYTES + length;
    }
    if (this.#mostBlockBytes === 0) throw new S2Error("no stream identifier at the beginning");
    if (type <= CHUNK_UNCOMPRESSED) {
      if (length < CHECKSUM_BYTES) throw new S2Error("chunk without a checksum");
      const overhead = type === CHUNK_COMPRESSED ? BLOCK_OVERHEAD_BYTES : 0;
      if (length > CHECKSUM_BYTES + this.#mostBlockBytes + overhead) {
        throw new S2Error(
          `chunk of ${length} bytes, more than a block of ${this.#mostBlockBytes} bytes needs`,
        );
      }
      return CHUNK_HEADER_BYTES + length;
    }
    if (type <= CHUNK_LAST_UNSKIPPABLE) {
      throw new S2Error(`chunk of the unknown type 0x${type.toString(16).padStart(2, "0")}`);
    }
    return CHUNK_HEADER_BYTES;
  }

  /**
   * Uses up the chunk that was found. Its bytes go to `at` of `target` if there is room for all.
   *
   * @returns How many were put there; -1 when the reader had better come back with more room.
   */
  #useChunk(target: Uint8Array, at: number): number {
    const { view, bytes } = this.#chunk, start = this.#chunkAt;
    const header = view.getInt32(start, true), type = header & 0xff, length = header >>> 8;
    const checksumAt = start + CHUNK_HEADER_BYTES, from = checksumAt + CHECKSUM_BYTES;
    let end = checksumAt + length, added = 0;
    if (type === CHUNK_COMPRESSED) {
      added = this.#decode(from, end, view.getInt32(checksumAt, true), target, at);
      if (added < 0) return -1;
    } else if (type === CHUNK_UNCOMPRESSED) {
      this.#ready = bytes.subarray(from, end);
      kernels().load(this.#ready);
      checkSum(view.getInt32(checksumAt, true));
      this.#readyAt = 0;
    } else if (type === CHUNK_IDENTIFIER) {
      this.#identify(bytes, start);
    } else {
      this.#skip = length;
      end = checksumAt;
    }
    if (this.#chunk === this.#partial) this.#partialLength = 0;
    else this.#at = end;
    return added;
  }

  /** Decodes a block of the chunk that was found; the result is as with {@link #useChunk}. */
  #decode(from: number, end: number, checksum: number, target: Uint8Array, at: number): number {
    const head = this.#blockLength, kernel = kernels(), { bytes } = this.#chunk;
    head.read(bytes, from, end);
    const length = head.decoded;
    if (length > this.#mostBlockBytes) {
      throw new S2Error(`block of ${length} bytes, more than ${this.#mostBlockBytes}`);
    }
    const fits = length <= target.length - at;
    if (!fits && at > 0) return -1;
    kernel.decode(bytes.subarray(head.end, end), length);
    if (fits) {
      kernel.copyTo(target, at);
    } else {
      if (this.#block.length < length) this.#block = new Uint8Array(length);
      kernel.copyTo(this.#block, 0);
    }
    checkSum(checksum);
    if (fits) return length;
    this.#ready = this.#block.subarray(0, length);
    this.#readyAt = 0;
    return 0;
  }

  /** Takes note of the stream that begins. */
  #identify(bytes: Uint8Array, start: number): void {
    const body = start + CHUNK_HEADER_BYTES;
    const same = (expected: Uint8Array, from: number) =>
      SNAPPY_IDENTIFIER_BODY.every((_, i) => bytes[body + i] === expected[from + i]);
    if (same(STREAM_IDENTIFIER, CHUNK_HEADER_BYTES)) this.#mostBlockBytes = MAX_BLOCK_BYTES;
    else if (same(SNAPPY_IDENTIFIER_BODY, 0)) this.#mostBlockBytes = MAX_SNAPPY_BLOCK_BYTES;
    else throw new S2Error("bad stream identifier");
  }
}

/** @throws {S2Error} when the block that the kernels have does not have that checksum. */
function checkSum(checksum: number): void {
  if (kernels().takeChecksum() !== checksum) throw new S2Error("checksum mismatch");
}
