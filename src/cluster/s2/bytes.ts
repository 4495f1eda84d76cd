/**
 * Bytes that are also read as numbers.
 *
 * @module
 */

/** Bytes with a `DataView` over the same bytes. */
export interface Bytes {
  /** The bytes. */
  readonly bytes: Uint8Array;
  /** The same bytes. */
  readonly view: DataView;
}

/** `bytes` with a `DataView`. */
export function bytesWithView(bytes: Uint8Array): Bytes {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}
