/**
 * Brings what was read into the form that the schema checks: one name for every key, environment
 * variables filled in, empty blocks and absent values made plain.
 *
 * @module
 */
import { type Environment, substitute } from "./environment.ts";
import type { BlockShape, Shape } from "./fields.ts";
import type { Finding, Path } from "./problem.ts";

/** A configuration ready to be checked, and what was found wrong on the way. */
export interface Prepared {
  /** The configuration; a map at its top. */
  readonly values: Readonly<Record<string, unknown>>;
  /** What is wrong already. */
  readonly findings: readonly Finding[];
}

/** Whether `value` is a map rather than a scalar or a list. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Prepares `raw` for a check against `shape`. It is walked only as deep as `shape` goes, so that
 * neither cycles nor nested aliases of YAML can make this long.
 *
 * @param environment Where `${NAME}` is looked up; nothing is substituted without it.
 */
export function prepare(
  raw: Readonly<Record<string, unknown>>,
  shape: BlockShape,
  environment?: Environment,
): Prepared {
  const findings: Finding[] = [];
  return { values: prepareBlock(raw, shape, []), findings };

  function prepareBlock(
    raw: Readonly<Record<string, unknown>>,
    shape: BlockShape,
    path: Path,
  ): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    for (const [written, value] of Object.entries(raw)) {
      if (value === undefined) continue;
      const key = shape.aliases.get(written) ?? written;
      if (key !== written && Object.hasOwn(raw, key)) {
        findings.push({
          path: [...path, written],
          atKey: true,
          found: `another name of ${key}, which is given too`,
        });
        continue;
      }
      const field = shape.fields.get(key);
      // With every line below it commented out, a block that need not be given is not given.
      if (value === null && field?.presence === "optional" && field.shape.type === "block") {
        continue;
      }
      entries.set(
        key,
        field === undefined ? value : prepareValue(value, field.shape, [...path, written]),
      );
    }
    // Not assignments: a key may be called __proto__.
    return Object.fromEntries(entries);
  }

  function prepareValue(value: unknown, shape: Shape, path: Path): unknown {
    if (shape.type === "block" && shape.short !== undefined && value !== null && !isMap(value)) {
      const short = shape.fields.get(shape.short);
      if (short !== undefined) return { [shape.short]: prepareValue(value, short.shape, path) };
    }
    if (typeof value === "string" && environment !== undefined) {
      const result = substitute(value, environment, mayBeSecret(shape));
      if ("text" in result) return orList(result.text, shape);
      findings.push({ path, found: result.problem, hint: result.hint });
      return value;
    }
    if (shape.type === "block") {
      // `log:` with every line below it commented out.
      return isMap(value) ? prepareBlock(value, shape, path) : value ?? {};
    }
    if (shape.type === "list" && Array.isArray(value)) {
      return value.map((item, index) => prepareValue(item, shape.item, [...path, index]));
    }
    if (shape.type === "map" && isMap(value)) {
      const entries = Object.entries(value).filter(([, item]) => item !== undefined);
      if (Object.hasOwn(value, "__proto__")) {
        // zod would drop it in silence.
        findings.push({ path: [...path, "__proto__"], atKey: true, found: "not a usable name" });
      }
      return Object.fromEntries(
        entries.map(([key, item]) => [key, prepareValue(item, shape.value, [...path, key])]),
      );
    }
    if (shape.type === "map") return value ?? {};
    return orList(value, shape);
  }
}

/** A text where a list is meant that may be written as one of its items. */
function orList(value: unknown, shape: Shape): unknown {
  return shape.type === "list" && shape.orOne && typeof value === "string" ? [value] : value;
}

/** Whether a text in the place of `shape` is a secret, or was meant for a key below it. */
function mayBeSecret(shape: Shape): boolean {
  if (shape.type === "list" && shape.orOne) return mayBeSecret(shape.item);
  return shape.type !== "scalar" || shape.kind.secret === true;
}

/** `path` with its keys as they are written in `raw`, where that is by another name. */
export function asWritten(path: Path, raw: unknown, root: BlockShape): Path {
  let value = raw;
  let shape: Shape | undefined = root;
  const written: (string | number)[] = [];
  for (const step of path) {
    let key = step;
    if (shape?.type === "block" && shape.short === step && !isMap(value)) {
      // The value stands where the block would.
      shape = shape.fields.get(shape.short)?.shape;
      continue;
    }
    if (shape?.type === "list" && shape.orOne && !Array.isArray(value)) {
      shape = shape.item;
      continue;
    }
    if (shape?.type === "block" && isMap(value) && !Object.hasOwn(value, step)) {
      const here = value;
      for (const [alias, name] of shape.aliases) {
        if (name === step && Object.hasOwn(here, alias)) key = alias;
      }
    }
    written.push(key);
    value = stepInto(value, key);
    shape = shape?.type === "block"
      ? shape.fields.get(String(step))?.shape
      : shape?.type === "list"
      ? shape.item
      : shape?.type === "map"
      ? shape.value
      : undefined;
  }
  return written;
}

/** The value under `key`, or `undefined`. */
export function stepInto(value: unknown, key: string | number): unknown {
  if (Array.isArray(value)) return typeof key === "number" ? value[key] : undefined;
  return isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
