/**
 * CRC-32C (Castagnoli), as S2 chunks carry it.
 *
 * @module
 */

/** The polynomial, bit-reversed. */
const POLYNOMIAL = 0x82f63b78;

/**
 * Sixteen tables of 256 entries: table `k` is what a byte contributes when `k` bytes follow it. With
 * them 16 bytes are taken per step, whose look-ups do not wait for each other.
 */
const TABLES = (() => {
  const tables = new Int32Array(16 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * POLYNOMIAL);
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const shorter = tables[i - 256]!;
    tables[i] = (shorter >>> 8) ^ tables[shorter & 0xff]!;
  }
  return tables;
})();

/**
 * The masked CRC-32C of `view` from `from` to `to`, as a signed 32-bit integer: the CRC rotated by 15
 * bits plus a constant, so that the checksum of data with checksums in it stays a good one.
 */
export function maskedCrc32c(view: DataView, from: number, to: number): number {
  const t = TABLES;
  let crc = -1, at = from;
  for (const last = to - 16; at <= last; at += 16) {
    const b = view.getInt32(at + 4, true);
    const c = view.getInt32(at + 8, true);
    const d = view.getInt32(at + 12, true);
    // What does not depend on the CRC so far comes first.
    const rest = t[2816 + (b & 0xff)]! ^ t[2560 + ((b >>> 8) & 0xff)]! ^
      t[2304 + ((b >>> 16) & 0xff)]! ^ t[2048 + (b >>> 24)]! ^
      t[1792 + (c & 0xff)]! ^ t[1536 + ((c >>> 8) & 0xff)]! ^
      t[1280 + ((c >>> 16) & 0xff)]! ^ t[1024 + (c >>> 24)]! ^
      t[768 + (d & 0xff)]! ^ t[512 + ((d >>> 8) & 0xff)]! ^
      t[256 + ((d >>> 16) & 0xff)]! ^ t[d >>> 24]!;
    const a = view.getInt32(at, true) ^ crc;
    crc = (t[3840 + (a & 0xff)]! ^ t[3584 + ((a >>> 8) & 0xff)]!) ^
      (t[3328 + ((a >>> 16) & 0xff)]! ^ t[3072 + (a >>> 24)]!) ^ rest;
  }
  for (; at < to; at++) crc = (crc >>> 8) ^ t[(crc ^ view.getUint8(at)) & 0xff]!;
  crc = ~crc;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) | 0;
}
