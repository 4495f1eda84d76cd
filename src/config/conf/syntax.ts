/**
 * What one file in nats-server's configuration format says, before its variables are looked up and
 * its includes are read.
 *
 * @module
 */

/** The types that nats-server tells scalars apart by. */
export type LiteralType = "string" | "integer" | "float" | "boolean" | "datetime";

/** A scalar. */
export interface ScalarSyntax {
  /** Its type. */
  readonly type: LiteralType;
  /** The text as it is written, without quotes and with escapes resolved. */
  readonly text: string;
  /** The offset of its first character. */
  readonly at: number;
  /** Of an integer, its digits with the unit multiplied out. */
  readonly digits?: string;
}

/** `$NAME`, which stands for another value. */
export interface VariableSyntax {
  /** Tells syntax apart. */
  readonly type: "variable";
  /** The name, without `$`. */
  readonly name: string;
  /** The offset of the `$`. */
  readonly at: number;
}

/** `[ ... ]`. */
export interface ListSyntax {
  /** Tells syntax apart. */
  readonly type: "list";
  /** What is in it. */
  readonly items: readonly ValueSyntax[];
  /** The offset of its bracket. */
  readonly at: number;
}

/** `{ ... }`, or a whole file. */
export interface MapSyntax {
  /** Tells syntax apart. */
  readonly type: "map";
  /** What is in it, in order; of a key that is given twice the last one counts. */
  readonly entries: readonly (EntrySyntax | IncludeSyntax)[];
  /** The offset of its brace; 0 for a file. */
  readonly at: number;
}

/** Any value. */
export type ValueSyntax = ScalarSyntax | VariableSyntax | ListSyntax | MapSyntax;

/** A key and its value. */
export interface EntrySyntax {
  /** Tells entries apart. */
  readonly type: "entry";
  /** The key as it is written, without quotes. */
  readonly key: string;
  /** The offset of the key. */
  readonly at: number;
  /** Its value. */
  readonly value: ValueSyntax;
}

/** `include FILE`, which stands for the entries of another file. */
export interface IncludeSyntax {
  /** Tells entries apart. */
  readonly type: "include";
  /** The path as it is written, from the folder of the file. */
  readonly path: string;
  /** The offset of the path. */
  readonly at: number;
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
