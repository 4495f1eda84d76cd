/**
 * Where parts of a configuration are written.
 *
 * @module
 */
import type { Position } from "../positions.ts";

/** A file, or what an environment variable holds. */
export class ConfFile {
  /** What it is called in problems. */
  readonly source: string;
  /** What is in it. */
  readonly text: string;
  #lineStarts: number[] | undefined;

  /** A file of that text. */
  constructor(source: string, text: string) {
    this.source = source;
    this.text = text;
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
    for (let at = this.text.indexOf("\n"); at >= 0; at = this.text.indexOf("\n", at + 1)) {
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
