/**
 * Chance. Nothing outside `platform/` draws random numbers directly.
 *
 * @module
 */

/** A source of randomness. */
export interface Random {
  /** A uniformly distributed number in [0, 1). Fast, not for secrets. */
  next(): number;
  /** A uniformly distributed whole number in [0, limit), for 1 <= limit <= 2^31. Not for secrets. */
  below(limit: number): number;
  /** `length` bytes; cryptographically strong in the system implementation. */
  bytes(length: number): Uint8Array;
}
