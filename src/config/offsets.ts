/**
 * Where in a text values stand, as offsets.
 *
 * @module
 */
import type { Position } from "./positions.ts";
import type { Path } from "./problem.ts";

/** Where the keys and values of a map, or the items of a list, begin: pairs of offsets in order. */
export type Offsets = number[];

/** The offset of the value at `path`, or of its key if `atKey`, or of what is nearest around it. */
export function offsetOf(
  top: unknown,
  path: Path,
  atKey: boolean,
  offsets: ReadonlyMap<unknown, Offsets>,
  start: number,
): number {
  let value = top, offset = start;
  for (const [index, step] of path.entries()) {
    const known = offsets.get(value);
    if (known === undefined || typeof value !== "object" || value === null) break;
    const at = Array.isArray(value) ? Number(step) : Object.keys(value).indexOf(String(step));
    if (Array.isArray(value) !== (typeof step === "number")) break;
    const key = known[2 * at], own = known[2 * at + 1];
    if (key === undefined || own === undefined) break;
    const last = index === path.length - 1;
    offset = atKey && last && !Array.isArray(value) ? key : own;
    value = Reflect.get(value, step);
  }
  return offset;
}

/** The line and column of an offset. */
export function positionOf(text: string, offset: number): Position {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf("\n"); end >= 0 && end < offset; end = text.indexOf("\n", start)) {
    line++;
    start = end + 1;
  }
  return { line, column: offset - start + 1 };
}
