/**
 * What a configuration in nats-server's format says, with its variables and includes in their place,
 * and where each part of it is written.
 *
 * @module
 */
import type { Position } from "../positions.ts";
import type { LiteralType } from "./syntax.ts";

/** A file, or what an environment variable holds. */
export class ConfFile {
  /** What it is called in problems. */
  readonly source: string;
  readonly #text: string;
  #lineStarts: number[] | undefined;

  /** A file of that text. */
  constructor(source: string, text: string) {
    this.source = source;
    this.#text = text;
  }

  /** The line and the column of an offset. */
  positionOf(at: number): Position {
    const starts = this.#lineStarts ??= [0, ...this.#lineBreaks()];
    let low = 0, high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: at - (starts[low] ?? 0) + 1 };
  }

  *#lineBreaks(): Generator<number> {
    for (let at = this.#text.indexOf("\n"); at >= 0; at = this.#text.indexOf("\n", at + 1)) {
      yield at + 1;
    }
  }
}

/** Where something is written. */
export interface Origin {
  /** The file. */
  readonly file: ConfFile;
  /** The offset in it. */
  readonly at: number;
}

/** A scalar. */
export interface ScalarNode {
  /** Its type. */
  readonly type: LiteralType;
  /** Its text as it is written. */
  readonly text: string;
  /** Of an integer, its digits with the unit multiplied out. */
  readonly digits?: string | undefined;
  /** Where it is used. */
  readonly origin: Origin;
}

/** A list. */
export interface ListNode {
  /** Tells nodes apart. */
  readonly type: "list";
  /** What is in it. */
  readonly items: readonly ConfNode[];
  /** Where it is used. */
  readonly origin: Origin;
}

/** A map. */
export interface MapNode {
  /** Tells nodes apart. */
  readonly type: "map";
  /** What is in it, by the keys as they are written. */
  readonly entries: ReadonlyMap<string, ConfEntry>;
  /** Where it is used. */
  readonly origin: Origin;
}

/** A value that could not be found, which has been reported. */
export interface MissingNode {
  /** Tells nodes apart. */
  readonly type: "missing";
  /** Where it is used. */
  readonly origin: Origin;
}

/** Any value. */
export type ConfNode = ScalarNode | ListNode | MapNode | MissingNode;

/** A key and its value. */
export interface ConfEntry {
  /** Where the key is written. */
  readonly origin: Origin;
  /** Its value. */
  readonly value: ConfNode;
  /** Whether a variable stands for this value somewhere, so that the key need not be a setting. */
  used: boolean;
}
