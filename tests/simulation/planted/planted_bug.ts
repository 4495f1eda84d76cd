/**
 * Bugs that are planted into a copy of the sources, to see whether the simulation finds them.
 *
 * @module
 */
import type { Invariant } from "../violation.ts";

/** A change of one place in one file. */
export interface PlantedBug {
  /** What is wrong then. */
  readonly name: string;
  /** The file, from the project's folder. */
  readonly file: string;
  /** Text that is in it exactly once. */
  readonly find: string;
  /** What it is replaced by. */
  readonly replace: string;
  /** The invariants that it may break first. */
  readonly breaks: readonly Invariant[];
}
