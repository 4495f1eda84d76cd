/**
 * Checks a configuration against the schema and tells everything that is wrong with it at once.
 *
 * @module
 */
import type { Environment } from "./environment.ts";
import { check, type Issue } from "./checking.ts";
import type { Shape } from "./shape.ts";
import { type Override, override, samePath, settle, withToken } from "./overrides.ts";
import { asWritten, isMap, prepare, stepInto } from "./prepare.ts";
import {
  blankMissing,
  blankMissingHint,
  type Finding,
  type Path,
  PROBLEM_LIMIT,
  type Step,
} from "./problem.ts";
import { looksLikeSeed } from "./public_key.ts";
import { configSchema, configShape, type SchemaOutput } from "./schema.ts";
import { describeUnknownKey, describeUnknownName } from "./suggestion.ts";

/** How to {@link examine}. */
export interface ExamineOptions {
  /** Where `${NAME}` is looked up; nothing is substituted without it. */
  readonly environment?: Environment;
  /** Values that override those examined, later ones the earlier ones. */
  readonly overrides?: readonly Override[];
  /** What is known to be wrong already. */
  readonly findings?: readonly Finding[];
  /** Where settings are put that denats does not have yet; they are wrong without it. */
  readonly unsupported?: Finding[];
}

/** A configuration that is good, with the values that it was made of, or what is wrong with it: the first 50 things, and how many more. */
export type Examination =
  | { readonly config: SchemaOutput; readonly values: Readonly<Record<string, unknown>> }
  | { readonly findings: readonly Finding[]; readonly omitted: number };

/** Checks `raw`: what a YAML file or a program said. */
export function examine(raw: unknown, options: ExamineOptions = {}): Examination {
  const top = raw ?? {};
  if (!isMap(top)) {
    const found = describeValue(top, configShape);
    const expected = "a map of settings (key: value)", hint = hintOn(top, configShape);
    return { findings: [{ path: [], expected, found, hint }], omitted: 0 };
  }
  const prepared = prepare(top, configShape, options.environment, options.unsupported);
  const settled = settle(prepared.values, options.overrides ?? []);
  const { overrides, token } = settled;
  const values = override(prepared.values, overrides);
  const checked = check(configSchema, values);
  const findings = [
    ...options.findings ?? [],
    ...prepared.findings,
    ...settled.findings,
  ];
  const told = new Set(findings.map(({ path }) => JSON.stringify(path)));
  let omitted = Math.max(0, findings.length - PROBLEM_LIMIT);
  findings.length -= omitted;
  for (const issue of "issues" in checked ? checked.issues : []) {
    if (findings.length >= PROBLEM_LIMIT) {
      // Not described: for each of very many keys that takes too long.
      omitted++;
      continue;
    }
    const finding = findingOf(issue, top, values, overrides);
    if (!told.has(JSON.stringify(finding.path))) findings.push(finding);
  }
  if ("value" in checked && findings.length === 0) {
    return { config: withToken(checked.value, token), values: prepared.values };
  }
  return { findings, omitted };
}

/** Keys below which passwords stand. */
const secretHomes: ReadonlySet<Step> = new Set(["authorization", "accounts"]);

function findingOf(
  issue: Issue,
  raw: unknown,
  values: unknown,
  overrides: readonly Override[],
): Finding {
  const { path, note, about, unknownKey: key } = issue;
  const shape = shapeAt(path);
  if (key !== undefined && (shape?.type === "block" || shape?.type === "map")) {
    const { found, hint, strange = false } = shape.type === "block"
      ? describeUnknownKey(key, shape, path, configShape)
      : describeUnknownName(key, shape.names ?? []);
    // Where secrets are at home, what is no misspelt key may be one.
    const hidden = path.some((step) => secretHomes.has(step)) && !key.includes(":") &&
      (strange || !/^[\w-]+$/.test(key));
    return {
      path: [...asWritten(path, raw, configShape), key],
      atKey: true,
      found: hidden ? `${found} (not shown)` : found,
      hint,
      hidden,
    };
  }
  // Of settings that do not go together, one that was really given.
  const base = about?.[0] === undefined ? path : path.slice(0, path.length - about[0].length);
  const concerned = (about ?? []).map((keys) => [...base, ...keys]);
  const given = concerned.find((candidate) => valueAt(values, candidate) !== undefined) ?? path;
  const source = overrides.findLast((item) => samePath(item.path, given))?.source;
  return {
    source,
    path: source === undefined ? asWritten(given, raw, configShape) : given,
    atKey: note?.found !== undefined || valueAt(values, given) === undefined,
    expected: note?.expected ?? expectedOf(shape),
    found: note?.found ?? describeValue(valueAt(values, given), shape),
    hint: note?.hint ?? hintOn(valueAt(values, given), shape),
  };
}

/** A hint on a text where a map or a list was expected. */
function hintOn(value: unknown, shape: Shape | undefined): string | undefined {
  if (shape?.type === "scalar" || typeof value !== "string") return undefined;
  return blankMissing(value) ? blankMissingHint : undefined;
}

function shapeAt(path: Path): Shape | undefined {
  let shape: Shape | undefined = configShape;
  for (const step of path) {
    if (shape?.type === "block") shape = shape.fields.get(String(step))?.shape;
    else if (shape?.type === "list") shape = shape.item;
    else if (shape?.type === "map") shape = shape.value;
  }
  return shape;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce(stepInto, value);
}

function expectedOf(shape: Shape | undefined): string {
  if (shape?.type === "block" && shape.shortForm !== undefined) return shape.shortForm.expected;
  switch (shape?.type) {
    case "list":
      return "a list";
    case "map":
    case "block":
      return "a map (key: value)";
  }
  return "something else";
}

/** The longest text that is shown whole. */
const shownLength = 60;

/** Words on a value that was not expected, without telling secrets. */
function describeValue(value: unknown, shape: Shape | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null) return "nothing (an empty value)";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isMap(value)) return "a map";
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
    return `a ${typeof value}`;
  }
  if (value === "") return "nothing (an empty text)";
  // A text that stands where more belongs may be a secret that was meant for a key below.
  const text = String(value);
  if (shape?.type !== "scalar" || shape.kind.secret || looksLikeSeed(text)) {
    return `a ${typeofText(value)} (not shown)`;
  }
  const safe = text.replace(/\/\/[^/@\s]*@/g, "//***@");
  const shown = safe.length > shownLength ? `${safe.slice(0, shownLength)}...` : safe;
  return typeof value === "string" ? JSON.stringify(shown) : shown;
}

function typeofText(value: string | number | boolean): string {
  return typeof value === "string" ? "text" : typeof value;
}
