/**
 * A configuration in nats-server's format, in the form that the schema checks.
 *
 * @module
 */
import type { Environment } from "../environment.ts";
import type { BlockShape, MapShape, ScalarShape, Shape } from "../shape.ts";
import type { Kind } from "../kind.ts";
import { Refusal } from "../kind.ts";
import type { Position } from "../positions.ts";
import { type Finding, type Path, type Problem, PROBLEM_LIMIT } from "../problem.ts";
import { readConfFiles } from "./files.ts";
import { type PlacedProblem, resolveConf } from "./resolve.ts";
import type { LiteralType } from "./syntax.ts";
import type { ConfNode, ListNode, MapNode, Origin, ScalarNode } from "./tree.ts";

/** How many values a configuration may have when its variables are written out. */
const VALUE_LIMIT = 10_000_000;

/** Where a value stands: a file and a position in it. */
export interface Place extends Position {
  /** The file. */
  readonly source: string;
}

/** A configuration that was read. */
export interface ConfDocument {
  /** What is wrong with its syntax, its variables and includes. */
  readonly problems: readonly Problem[];
  /** Whether parts of it could not be read, so that there is no use in examining the rest. */
  readonly broken: boolean;
  /** What is strange, though nats-server accepts it. */
  readonly oddities: readonly Problem[];
  /**
   * What it says, to be checked: every scalar is text, keys of ours are in lower case, and keys are
   * left out that no setting is called, but a variable.
   */
  readonly values: Readonly<Record<string, unknown>>;
  /** Values of a type that nats-server does not take for their key. */
  readonly findings: readonly Finding[];
  /** Where the value at `path` of {@link values} stands, or its key, or what is nearest around it. */
  locate(path: Path, atKey: boolean): Place;
}

/**
 * Reads a configuration, with all that it includes. Never throws on what it says.
 *
 * @param path What the file is called; includes are looked for from its folder.
 * @param readText Reads an included file; throws `FileError` when that cannot be done.
 */
export async function readConf(
  path: string,
  text: string,
  shape: BlockShape,
  readText: (path: string) => Promise<string>,
  environment: Environment,
): Promise<ConfDocument> {
  const files = await readConfFiles(path, text, readText, PROBLEM_LIMIT);
  const { root, problems, oddities } = resolveConf(files.main, environment);
  const writer = new ValueWriter();
  const values = writer.map(root, shape, []);
  return {
    problems: [...files.problems, ...problems].map(placed),
    broken: files.problems.length > 0,
    oddities: [...files.oddities, ...oddities].map(placed),
    values,
    findings: writer.findings,
    locate: (path, atKey) => placeOf(locate(root, path, atKey)),
  };
}

function placed({ origin, found, hint }: PlacedProblem): Problem {
  return { ...placeOf(origin), path: "", found, hint };
}

function placeOf({ file, at }: Origin): Place {
  return { source: file.source, ...file.positionOf(at) };
}

function locate(root: MapNode, path: Path, atKey: boolean): Origin {
  let node: ConfNode | undefined = root;
  let origin = root.origin;
  for (const [index, step] of path.entries()) {
    if (node?.type === "map") {
      const entry = entryOf(node, String(step));
      if (entry === undefined) break;
      const wantKey = atKey && index === path.length - 1;
      origin = wantKey ? entry.origin : entry.value.origin;
      node = entry.value;
    } else if (node?.type === "list" && typeof step === "number") {
      node = node.items[step];
      if (node === undefined) break;
      origin = node.origin;
    } else {
      break;
    }
  }
  return origin;
}

/** The entry of a key, which may be in lower case where it is not written so. */
function entryOf({ entries }: MapNode, key: string) {
  const exact = entries.get(key);
  if (exact !== undefined) return exact;
  for (const [written, entry] of entries) {
    if (written.toLowerCase() === key) return entry;
  }
  return undefined;
}

/** Writes values as the schema wants them, and notices what is of the wrong type. */
class ValueWriter {
  readonly findings: Finding[] = [];
  #count = 0;

  map(node: MapNode, shape: BlockShape, path: Path): Record<string, unknown> {
    const result = new Map<string, unknown>();
    for (const [written, { value, used }] of node.entries) {
      const key = written.toLowerCase();
      const name = shape.aliases.get(key) ?? key;
      const field = shape.fields.get(name);
      const known = field !== undefined || shape.unsupported.has(name) || shape.refused.has(name);
      if (!known && used) continue;
      if (!known) {
        result.set(written, this.#unknown(value));
        continue;
      }
      if (result.has(key)) {
        const found = `another spelling of ${key}, which is given too`;
        this.findings.push({ path: [...path, written], atKey: true, found });
        continue;
      }
      const below = [...path, key];
      result.set(
        key,
        field === undefined ? this.#unknown(value) : this.#value(value, field.shape, below),
      );
    }
    return withoutMissing(result);
  }

  #value(node: ConfNode, shape: Shape, path: Path): unknown {
    // What is written once may be used very often.
    if (this.#count++ > VALUE_LIMIT) return this.#unknown(node);
    if (this.#count === VALUE_LIMIT) {
      this.findings.push({ path, found: "more values than a configuration may have" });
    }
    if (shape.type === "block" && shape.short !== undefined && node.type !== "map") {
      const short = shape.fields.get(shape.short);
      if (short !== undefined) return this.#value(node, short.shape, path);
    }
    if (shape.type === "list" && shape.orOne && node.type !== "list") {
      return this.#value(node, shape.item, path);
    }
    switch (node.type) {
      case "missing":
        return undefined;
      case "list":
        return shape.type === "list"
          ? node.items.map((item, index) => this.#value(item, shape.item, [...path, index]))
          : this.#list(node);
      case "map":
        if (shape.type === "block") return this.map(node, shape, path);
        if (shape.type !== "map") return this.#unknown(node);
        return this.#names(node, shape, path);
      default:
        return shape.type === "scalar"
          ? this.#scalar(node, shape, path)
          : this.#short(node, shape, path);
    }
  }

  /** A scalar where more than one belongs: the short form of a block, or a mistake. */
  #short(node: ScalarNode, shape: Shape, path: Path): string {
    if (shape.type === "block" && shape.shortForm !== undefined) {
      const { inputType, expected } = shape.shortForm;
      const types = typesOf(inputType);
      if (!types.includes(node.type)) {
        this.findings.push(wrongType(node, types, path, expected, false));
      }
    }
    return node.text;
  }

  /** A map with keys of the user's choice. */
  #names({ entries }: MapNode, shape: MapShape, path: Path): unknown {
    // nats-server passes over variables here, and nowhere else among names.
    const mayBeVariables = path.length === 1 && path[0] === "accounts";
    const named = [...entries].filter(([, { used }]) => !(used && mayBeVariables));
    return withoutMissing(
      new Map(
        named.map(([key, { value }]) =>
          [key, this.#value(value, shape.value, [...path, key])] as const
        ),
      ),
    );
  }

  /** Something that no shape says more about than what it is. */
  #unknown(node: ConfNode): unknown {
    switch (node.type) {
      case "missing":
        return undefined;
      case "map":
        return {};
      case "list":
        return this.#list(node);
      case "boolean":
        return String(isOn(node.text));
      default:
        return node.text;
    }
  }

  /** A list that is no list of settings, but may be one of names. */
  #list({ items }: ListNode): unknown {
    return items.map((item) => "text" in item ? item.text : {});
  }

  #scalar(node: ScalarNode, { kind }: ScalarShape, path: Path): string {
    const { text, digits } = node;
    const types = literalTypes(kind);
    if (!types.includes(node.type)) {
      const { secret = false } = kind;
      this.findings.push(wrongType(node, types, path, expectedBy(kind), secret));
    } else if (digits !== undefined && digits !== text) {
      // `64MB` says more than its digits, where both are the same to the setting.
      const asText = kind.read(text);
      if (Object.is(asText, kind.read(digits))) return text;
      if (!(asText instanceof Refusal)) this.findings.push(misleading(node, kind, path));
    }
    if (node.type === "boolean" && types.includes("string")) return switchWord(text, kind);
    return types.includes("integer") ? digits ?? text : text;
  }
}

/** A switch in a word that the kind knows, where it does not know that which is written. */
function switchWord(text: string, kind: Kind<unknown, unknown>): string {
  const words = isOn(text) ? [text, "true", "on"] : [text, "false", "off"];
  return words.find((word) => !(kind.read(word) instanceof Refusal)) ?? text;
}

/** Not assignments: a key may be called __proto__. */
function withoutMissing(entries: ReadonlyMap<string, unknown>): Record<string, unknown> {
  return Object.fromEntries([...entries].filter(([, value]) => value !== undefined));
}

/** The types of scalars that nats-server takes for a kind of setting. */
function literalTypes(kind: Kind<unknown, unknown>): readonly LiteralType[] {
  if (kind.literals !== undefined) return kind.literals;
  return typesOf(kind.inputType);
}

/** The types of scalars for the TypeScript source of a type. */
function typesOf(inputType: string): readonly LiteralType[] {
  return inputType.split(" | ").map((type) =>
    type === "number" ? "integer" : type === "boolean" ? "boolean" : "string"
  );
}

/** Whether a switch is on. */
function isOn(text: string): boolean {
  return /^(?:true|yes|on)$/i.test(text);
}

function wrongType(
  node: ScalarNode,
  types: readonly LiteralType[],
  path: Path,
  expected: string,
  secret: boolean,
): Finding {
  const noun = nouns[node.type];
  const text = node.type === "string" ? JSON.stringify(node.text.slice(0, 60)) : node.text;
  const hint = types.includes("string")
    ? "quote it to make it a text"
    : node.type === "string"
    ? "take its quotes away"
    : undefined;
  const found = secret ? `a ${noun} (not shown)` : `the ${noun} ${text}`;
  return { path, expected, found, hint };
}

/** `5m` means something as a text, and something else without quotes. */
function misleading({ text, digits }: ScalarNode, kind: Kind<unknown, unknown>, path: Path) {
  return {
    path,
    expected: expectedBy(kind),
    found: `${text}, which is the number ${digits} where it is not quoted`,
    hint: `write "${text}"`,
  };
}

function expectedBy(kind: Kind<unknown, unknown>): string {
  const refusal = kind.read(undefined);
  return refusal instanceof Refusal ? refusal.expected : "something else";
}

const nouns: Readonly<Record<LiteralType, string>> = {
  string: "text",
  integer: "number",
  float: "number",
  boolean: "switch",
  datetime: "date",
};
