/**
 * What differs between two configurations, setting by setting, with what is secret hidden.
 *
 * @module
 */
import type { BlockShape, ListShape, Shape } from "./fields.ts";
import { isMap } from "./prepare.ts";
import { formatPath, type Path, type Step } from "./problem.ts";
import { configShape } from "./schema.ts";
import type { Config } from "./types.ts";
import { formatDuration } from "./units.ts";

/** One setting that is not the same in two configurations. */
export interface Change {
  /** Where it is: keys, names of accounts and the like, names of users. */
  readonly path: Path;
  /** The same with `*` for whatever somebody chose, and `[]` for a user: a key of the table. */
  readonly setting: string;
  /** Whether it is there in both, or in one only. */
  readonly kind: "added" | "removed" | "changed";
  /** The value before, as far as it may be shown; null where there was none or it is a block. */
  readonly before: string | null;
  /** The value after. */
  readonly after: string | null;
}

/** What stands for a secret. */
const HIDDEN = "***";
/** The longest value that is shown whole. */
const SHOWN_LENGTH = 200;

/**
 * Everything that differs, in the order of the schema. Between two entries of a map it yields
 * `undefined`, at which a caller may have a rest: ten thousand accounts take a while. What is the
 * same object in both is not looked into.
 */
export function* differences(before: Config, after: Config): Generator<Change | undefined> {
  yield* betweenBlocks({ ...before }, { ...after }, configShape, [], "");
}

/** Everything that differs, at once. */
export function changesBetween(before: Config, after: Config): Change[] {
  return [...differences(before, after)].filter((change) => change !== undefined);
}

/** Every setting there is, as {@link Change.setting} names it. */
export function settingPatterns(): string[] {
  return [...patternsOf(configShape, "")];
}

type Values = Readonly<Record<string, unknown>>;

function* betweenBlocks(
  before: Values,
  after: Values,
  shape: BlockShape,
  path: Path,
  setting: string,
): Generator<Change | undefined> {
  for (const [key, field] of shape.fields) {
    if (field.presence === "input only") continue;
    const inner = setting === "" ? key : `${setting}.${key}`;
    yield* between(before[key], after[key], field.shape, [...path, key], inner);
  }
}

function* between(
  before: unknown,
  after: unknown,
  shape: Shape,
  path: Path,
  setting: string,
): Generator<Change | undefined> {
  if (before === after) return;
  switch (shape.type) {
    case "map":
      yield* betweenMaps(asMap(before), asMap(after), shape.value, path, setting);
      return;
    case "list":
      if (isKeyed(shape)) {
        yield* betweenMaps(byName(before), byName(after), shape.item, path, setting, "[]");
        return;
      }
      break;
    case "block":
      if (isMap(before) && isMap(after)) {
        yield* betweenBlocks(before, after, shape, path, setting);
        return;
      }
  }
  if (!isSame(before, after)) yield changeOf(before, after, shape, path, setting);
}

function* betweenMaps(
  before: Values,
  after: Values,
  shape: Shape,
  path: Path,
  setting: string,
  suffix = ".*",
): Generator<Change | undefined> {
  const inner = setting + suffix;
  for (const name of Object.keys(before)) {
    if (Object.hasOwn(after, name)) {
      yield* between(before[name], after[name], shape, [...path, name], inner);
    } else yield changeOf(before[name], undefined, shape, [...path, name], inner);
    yield undefined;
  }
  for (const name of Object.keys(after)) {
    if (Object.hasOwn(before, name)) continue;
    yield changeOf(undefined, after[name], shape, [...path, name], inner);
    yield undefined;
  }
}

function changeOf(
  before: unknown,
  after: unknown,
  shape: Shape,
  path: Path,
  setting: string,
): Change {
  const kind = before === undefined ? "added" : after === undefined ? "removed" : "changed";
  return { path, setting, kind, before: shown(before, shape), after: shown(after, shape) };
}

/** Whether the items of a list are users, which have names. */
function isKeyed(shape: ListShape): shape is ListShape & { readonly item: BlockShape } {
  return shape.item.type === "block" &&
    (shape.item.fields.has("user") || shape.item.fields.has("nkey"));
}

function asMap(value: unknown): Values {
  return isMap(value) ? value : {};
}

function byName(list: unknown): Values {
  const items: readonly unknown[] = Array.isArray(list) ? list : [];
  const entries: [string, unknown][] = items.map((item) => [nameOf(item), item]);
  // Not assignments: a user may be called __proto__.
  return Object.fromEntries(entries);
}

function nameOf(user: unknown): string {
  const { user: name, nkey } = asMap(user);
  return String(name ?? nkey);
}

/** Whether two values of a configuration say the same. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return Number.isNaN(a) && Number.isNaN(b);
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length &&
      a.every((item, index) => isSame(item, b[index]));
  }
  const left = a as Values, right = b as Values;
  // What is absent and what is undefined are the same.
  for (const key in left) if (!isSame(left[key], right[key])) return false;
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}

/** A value as it may be shown; null for none, and for a block. */
function shown(value: unknown, shape: Shape): string | null {
  const text = textOf(value, shape);
  return text !== null && text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text;
}

function textOf(value: unknown, shape: Shape): string | null {
  if (value === undefined || value === null) return null;
  switch (shape.type) {
    case "block":
    case "map":
      return null;
    case "list": {
      const items: readonly unknown[] = Array.isArray(value) ? value : [];
      if (shape.item.type !== "scalar") return `${items.length} in all`;
      return `[${items.map((item) => textOf(item, shape.item)).join(", ")}]`;
    }
  }
  const { kind } = shape;
  if (kind.secret) return HIDDEN;
  if (kind.mask !== undefined) return unquoted(kind.mask(value));
  if (typeof value === "number" && kind.outputNote?.startsWith("Milliseconds")) {
    return formatDuration(value);
  }
  return typeof value === "object" ? unquoted(kind.format(value)) : String(value);
}

function unquoted(yaml: string): string {
  if (!yaml.startsWith('"')) return yaml;
  const text: unknown = JSON.parse(yaml);
  return String(text);
}

function* patternsOf(shape: Shape, setting: string): Generator<string> {
  switch (shape.type) {
    case "scalar":
      yield setting;
      return;
    case "list":
      if (isKeyed(shape)) yield* entryPatterns(shape.item, `${setting}[]`);
      else yield setting;
      return;
    case "map":
      yield* entryPatterns(shape.value, `${setting}.*`);
      return;
  }
  for (const [key, field] of shape.fields) {
    if (field.presence === "input only") continue;
    const inner = setting === "" ? key : `${setting}.${key}`;
    // Such a block may come and go as a whole.
    if (field.shape.type === "block" && field.presence !== "default") yield inner;
    yield* patternsOf(field.shape, inner);
  }
}

function* entryPatterns(shape: Shape, setting: string): Generator<string> {
  if (shape.type === "block") yield setting;
  yield* patternsOf(shape, setting);
}

/** A change's path as text. */
export function changedPath({ path }: Pick<Change, "path">): string {
  const steps: Step[] = [...path];
  return formatPath(steps);
}
