/**
 * What one file in nats-server's configuration format says, before its variables are looked up and
 * its includes are read.
 *
 * @module
 */
import type { Origin } from "./origin.ts";

/** The types that nats-server tells scalars apart by. */
export type LiteralType = "string" | "integer" | "float" | "boolean" | "datetime";

/** A scalar. */
export interface ScalarSyntax extends Origin {
  /** Its type. */
  readonly type: LiteralType;
  /** The text as it is written, without quotes and with escapes resolved. */
  readonly text: string;
  /** Of an integer, its digits with the unit multiplied out. */
  readonly digits?: string | undefined;
}

/** `$NAME`, which stands for another value. */
export interface VariableSyntax extends Origin {
  /** Tells syntax apart. */
  readonly type: "variable";
  /** The name, without `$`. */
  readonly name: string;
}

/** `[ ... ]`. */
export interface ListSyntax extends Origin {
  /** Tells syntax apart. */
  readonly type: "list";
  /** What is in it. */
  readonly items: readonly ValueSyntax[];
}

/** `{ ... }`, or a whole file. */
export interface MapSyntax extends Origin {
  /** Tells syntax apart. */
  readonly type: "map";
  /** What is in it, in order; of a key that is given twice the last one counts. */
  readonly entries: readonly (EntrySyntax | IncludeSyntax)[];
}

/** Any value. */
export type ValueSyntax = ScalarSyntax | VariableSyntax | ListSyntax | MapSyntax;

/** A key and its value. */
export interface EntrySyntax extends Origin {
  /** Tells entries apart. */
  readonly type: "entry";
  /** The key as it is written, without quotes. */
  readonly key: string;
  /** Its value. */
  readonly value: ValueSyntax;
}

/** `include FILE`, which stands for the entries of another file. */
export interface IncludeSyntax extends Origin {
  /** Tells entries apart. */
  readonly type: "include";
  /** The path as it is written, from the folder of the file. */
  readonly path: string;
}

/** What is wrong at one place of a text. */
export interface SyntaxProblem {
  /** The offset. */
  readonly at: number;
  /** What was found; it repeats nothing that may be a secret. */
  readonly found: string;
  /** What to do about it, where that can be said. */
  readonly hint?: string | undefined;
}
