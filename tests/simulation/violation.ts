/**
 * What a simulation that fails ends with.
 *
 * @module
 */

/** The invariants that are checked, each by its checker. */
export type Invariant =
  | "mesh"
  | "steadiness"
  | "staleness"
  | "interest"
  | "isolation"
  | "duplicates"
  | "order"
  | "loss"
  | "queue groups"
  | "leaks"
  | "panics"
  | "protocol";

/** An invariant does not hold. */
export class Violation extends Error {
  /** Always `"Violation"`. */
  override readonly name = "Violation";
  /** Which one. */
  readonly invariant: Invariant;

  /** `detail`: what was found where, and what should have been there. */
  constructor(invariant: Invariant, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}
