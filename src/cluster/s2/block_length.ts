/**
 * The decoded length that an S2 block begins with.
 *
 * @module
 */
import { S2Error } from "./format.ts";

/** The decoded length a block begins with. */
export class BlockLength {
  /** How many bytes the block claims to decode to; unchecked. */
  decoded = 0;
  /** The offset behind the varint. */
  end = 0;

  /**
   * Reads the varint at `at`.
   *
   * @throws {S2Error} when it does not end before `end`, or does not fit 32 bits.
   */
  read(bytes: Uint8Array, at: number, end: number): void {
    let value = 0;
    for (let shift = 1; at < end; shift *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) {
        if (value > 0xffffffff) break;
        this.decoded = value;
        this.end = at;
        return;
      }
      if (shift === 1 << 28) break;
    }
    throw new S2Error("bad length of a block");
  }
}
