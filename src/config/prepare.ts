/**
 * Brings what was read into the form that the schema checks: one name for every key, environment
 * variables filled in, empty blocks and absent values made plain.
 *
 * @module
 */
import { type Environment, substitute } from "./environment.ts";
import type { BlockShape, MapShape, Shape } from "./shape.ts";
import type { Finding, Path } from "./problem.ts";
import { NOT_SUPPORTED } from "./suggestion.ts";

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
 * @param unsupported Where settings are put that denats does not have yet, which are then left out.
 */
export function prepare(
  raw: Readonly<Record<string, unknown>>,
  shape: BlockShape,
  environment?: Environment,
  unsupported?: Finding[],
): Prepared {
  const findings: Finding[] = [];
  return { values: prepareBlock(raw, shape, []), findings };

  function prepareBlock(
    raw: Readonly<Record<string, unknown>>,
    shape: BlockShape,
    path: Path,
  ): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    const names = new Map<string, string>();
    for (const [written, value] of Object.entries(raw)) {
      if (value === undefined) continue;
      const key = shape.aliases.get(written) ?? written;
      const other = names.get(key) ??
        (key !== written && Object.hasOwn(raw, key) ? key : undefined);
      if (other !== undefined) {
        findings.push({
          path: [...path, written],
          atKey: true,
          found: `another name of ${other}, which is given too`,
        });
        continue;
      }
      if (key !== written) names.set(key, written);
      const field = shape.fields.get(key);
      // With every line below it commented out, a block that need not be given is not given.
      if (value === null && field?.presence === "optional" && field.shape.type === "block") {
        continue;
      }
      if (field === undefined && isHarmless(value, shape.harmless.get(key))) continue;
      if (unsupported !== undefined && shape.unsupported.has(key)) {
        unsupported.push({ path: [...path, written], atKey: true, found: NOT_SUPPORTED });
        continue;
      }
      const prepared = field === undefined
        ? value
        : prepareValue(value, field.shape, [...path, written]);
      if (prepared !== undefined) entries.set(key, prepared);
    }
    // Not assignments: a key may be called __proto__.
    return Object.fromEntries(entries);
  }

  function prepareValue(value: unknown, shape: Shape, path: Path): unknown {
    if (shape.type === "block" && shape.short !== undefined && value !== null && !isMap(value)) {
      const short = shape.fields.get(shape.short);
      if (short !== undefined) return { [shape.short]: prepareValue(value, short.shape, path) };
    }
    if (shape.type === "list" && shape.orOne && value !== null && !Array.isArray(value)) {
      const item = prepareValue(value, shape.item, path);
      return typeof value === "string" || isMap(value) ? [item] : item;
    }
    if (typeof value === "string" && environment !== undefined) {
      const result = substitute(value, environment, mayBeSecret(shape));
      if ("text" in result) return expand(result.text, shape);
      findings.push({ path, found: result.problem, hint: result.hint });
      return value;
    }
    if (shape.type === "block") {
      if (isMap(value)) return prepareBlock(value, shape, path);
      // `log:` with every line below it commented out.
      return value === null ? {} : expand(value, shape);
    }
    if (shape.type === "list" && Array.isArray(value)) {
      return value.map((item, index) => prepareValue(item, shape.item, [...path, index]));
    }
    if (shape.type === "map") return prepareMap(value, shape, path);
    return value;
  }

  function prepareMap(value: unknown, shape: MapShape, path: Path): unknown {
    if (shape.orNames && Array.isArray(value)) return prepareNames(value, path);
    if (!isMap(value)) return value ?? {};
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    if (Object.hasOwn(value, "__proto__")) {
      // A program that reads it by assignments would drop it in silence.
      findings.push({ path: [...path, "__proto__"], atKey: true, found: "not a usable name" });
    }
    return Object.fromEntries(
      entries.map(([key, item]) => [key, prepareValue(item, shape.value, [...path, key])]),
    );
  }

  function prepareNames(names: readonly unknown[], path: Path): unknown {
    const seen = new Map<string, number>();
    for (const [index, name] of names.entries()) {
      const first = typeof name === "string" ? seen.get(name) : undefined;
      if (typeof name !== "string" || name === "__proto__") {
        findings.push({ path: [...path, index], expected: "a name", found: "something else" });
      } else if (first !== undefined) {
        findings.push({
          path: [...path, index],
          expected: "every name once",
          found: `${JSON.stringify(name)}, which is number ${first + 1} already`,
        });
      } else seen.set(name, index);
    }
    return Object.fromEntries([...seen.keys()].map((name) => [name, {}]));
  }
}

/** What a scalar in the place of a block stands for, where it has another form; `undefined` for none. */
function expand(value: unknown, shape: Shape): unknown {
  if (shape.type !== "block" || shape.shortForm === undefined) return value;
  const expanded = shape.shortForm.expand(value);
  return expanded === undefined ? value : expanded ?? undefined;
}

/** Whether the value of an unsupported key asks for nothing. */
function isHarmless(value: unknown, harmless: readonly string[] | undefined): boolean {
  return harmless !== undefined && (typeof value === "string" || typeof value === "boolean") &&
    harmless.includes(String(value).toLowerCase());
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
    // Nor is there anything deeper in another form of a block.
    if (shape?.type === "block" && shape.shortForm !== undefined && !isMap(value)) break;
    if (shape?.type === "map" && shape.orNames && Array.isArray(value)) {
      written.push(value.indexOf(step));
      break;
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
