/**
 * What a configuration in nats-server's format says, with its variables and includes in their place,
 * and where each part of it is written.
 *
 * @module
 */
import type { Origin } from "./origin.ts";
import type { ScalarSyntax } from "./syntax.ts";

/** A list; its place is where it is used, as with all nodes. */
export interface ListNode extends Origin {
  /** Tells nodes apart. */
  readonly type: "list";
  /** What is in it. */
  readonly items: readonly ConfNode[];
}

/** A map. */
export interface MapNode extends Origin {
  /** Tells nodes apart. */
  readonly type: "map";
  /** What is in it, by the keys as they are written. */
  readonly entries: ReadonlyMap<string, ConfEntry>;
}

/** A value that could not be found, which has been reported. */
export interface MissingNode extends Origin {
  /** Tells nodes apart. */
  readonly type: "missing";
}

/** Any value. */
export type ConfNode = ScalarSyntax | ListNode | MapNode | MissingNode;

/** The value of a key, whose place is that of the key. */
export interface ConfEntry extends Origin {
  /** Its value. */
  readonly value: ConfNode;
  /** Whether a variable stands for this value somewhere, so that the key need not be a setting. */
  used: boolean;
}
