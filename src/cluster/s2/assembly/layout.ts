/**
 * What lies where in the memory of the kernels.
 *
 * ```
 * CRC_TABLES   16 tables of 256 words for CRC-32C
 * MATCHES      hash tables of positions, shared by the levels
 * (zeros)      what the checksum may look back at before the first byte
 * INPUT        bytes to encode or to check, or where a block is decoded to
 * behind that  where the caller says: elements, made or to decode
 * ```
 *
 * Loads and stores are of up to 16 bytes wherever fewer are meant. So {@link SLACK} bytes must follow
 * everything that the caller puts or finds behind `INPUT`.
 */

export const CRC_TABLES: usize = 1 << 10;
export const CRC_TABLES_BYTES: usize = 16 << 10;

export const MATCHES: usize = CRC_TABLES + CRC_TABLES_BYTES;
export const MATCHES_BYTES: usize = 128 << 10;

const ZEROS_BYTES: usize = 4 << 10;

export const INPUT: usize = MATCHES + MATCHES_BYTES + ZEROS_BYTES;

/** How many bytes behind a range may be read or overwritten. */
export const SLACK: usize = 64;
