/**
 * Writes what a configuration in nats-server's format says in the form that the schema checks.
 *
 * @module
 */
import { type Kind, Refusal } from "../kind.ts";
import type { Finding, Path, Step } from "../problem.ts";
import type { BlockShape, Field, MapShape, ScalarShape, Shape } from "../shape.ts";
import type { LiteralType, ScalarSyntax } from "./syntax.ts";
import type { ConfNode, ListNode, MapNode } from "./tree.ts";

/** How many values a configuration may have when its variables are written out. */
export const VALUE_LIMIT = 10_000_000;

/** Values to be checked. */
export interface ConfValues {
  /**
   * The values: every scalar is text, keys of ours are in lower case, and keys are left out that no
   * setting is called, but a variable.
   */
  readonly values: Readonly<Record<string, unknown>>;
  /** Values of a type that nats-server does not take for their key, and keys in two spellings. */
  readonly findings: readonly Finding[];
}

/** Writes the values of a whole configuration. */
export function writeValues(root: MapNode, shape: BlockShape): ConfValues {
  const writer = new ValueWriter();
  const values = writer.block(root, shape);
  return { values, findings: writer.findings };
}

class ValueWriter {
  readonly findings: Finding[] = [];
  /** Where the value stands that is being written. */
  readonly #path: Step[] = [];
  #count = 0;

  block(node: MapNode, shape: BlockShape): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const [written, { value, used }] of node.entries) {
      const { key, name, field, known } = settingOf(written, shape);
      if (used && name === "password" && !hasUser(node.entries.keys())) continue;
      if (!known) {
        if (!used) put(result, written, this.#unknown(value));
      } else if (Object.hasOwn(result, key)) {
        const found = `another spelling of ${key}, which is given too`;
        this.findings.push({ path: [...this.#path, written], atKey: true, found });
      } else {
        put(
          result,
          key,
          field === undefined ? this.#unknown(value) : this.#below(key, value, field.shape),
        );
      }
    }
    return result;
  }

  #below(step: Step, node: ConfNode, shape: Shape): unknown {
    this.#path.push(step);
    const value = this.#value(node, shape);
    this.#path.pop();
    return value;
  }

  #value(node: ConfNode, shape: Shape): unknown {
    // What is written once may be used very often.
    if (this.#count > VALUE_LIMIT) return this.#unknown(node);
    if (++this.#count > VALUE_LIMIT) {
      this.findings.push({ path: this.#here, found: "more values than a configuration may have" });
    }
    const stoodFor = shapeStoodFor(shape, node.type);
    if (stoodFor !== undefined) return this.#value(node, stoodFor);
    switch (node.type) {
      case "missing":
        return undefined;
      case "list":
        return shape.type === "list"
          ? node.items.map((item, index) => this.#below(index, item, shape.item))
          : this.#list(node);
      case "map":
        if (shape.type === "block") return this.block(node, shape);
        return shape.type === "map" ? this.#names(node, shape) : this.#unknown(node);
      default:
        return shape.type === "scalar" ? this.#scalar(node, shape) : this.#short(node, shape);
    }
  }

  get #here(): Path {
    return [...this.#path];
  }

  /** A map with keys of the user's choice. */
  #names({ entries }: MapNode, shape: MapShape): unknown {
    // nats-server passes over variables here, and nowhere else among names.
    const mayBeVariables = this.#path.length === 1 && this.#path[0] === "accounts";
    const result: Record<string, unknown> = {};
    for (const [key, { value, used }] of entries) {
      if (!(used && mayBeVariables)) put(result, key, this.#below(key, value, shape.value));
    }
    return result;
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
      default:
        return anyText(node);
    }
  }

  /** A list that is no list of settings, but may be one of names. */
  #list({ items }: ListNode): unknown {
    return items.map((item) => "text" in item ? item.text : {});
  }

  /** A scalar where more than one belongs: the short form of a block, or a mistake. */
  #short(node: ScalarSyntax, shape: Shape): string {
    if (!mayStandFor(node, shape) && shape.type === "block" && shape.shortForm !== undefined) {
      const { inputType, expected } = shape.shortForm;
      this.findings.push(wrongType(node, typesOf(inputType), this.#here, expected, false));
    }
    return node.text;
  }

  #scalar(node: ScalarSyntax, { kind }: ScalarShape): string {
    const said = scalarText(node, kind);
    if (said !== undefined) return said;
    const types = literalTypes(kind), { type, text, digits } = node;
    if (types.includes(type)) this.findings.push(misleading(node, kind, this.#here));
    else {
      const { secret = false } = kind;
      this.findings.push(wrongType(node, types, this.#here, expectedBy(kind), secret));
    }
    return types.includes("integer") ? digits ?? text : text;
  }
}

/** A key of a block. */
export interface WrittenSetting {
  /** The key in small letters. */
  readonly key: string;
  /** The name of the setting. */
  readonly name: string;
  /** The setting, where there is one. */
  readonly field: Field | undefined;
  /** Whether something of ours is called that. */
  readonly known: boolean;
}

/** What the key `written` of a block is. */
export function settingOf(written: string, shape: BlockShape): WrittenSetting {
  const key = written.toLowerCase();
  const name = shape.aliases.get(key) ?? key;
  const field = shape.fields.get(name);
  const known = field !== undefined || shape.unsupported.has(name) || shape.refused.has(name);
  return { key, name, field, known };
}

/** The shape of the one value below `shape` that a value of type `type` may be written for. */
export function shapeStoodFor(shape: Shape, type: ConfNode["type"]): Shape | undefined {
  if (shape.type === "block" && shape.short !== undefined && type !== "map") {
    return shape.fields.get(shape.short)?.shape;
  }
  return shape.type === "list" && shape.orOne && type !== "list" ? shape.item : undefined;
}

/** A scalar that no shape says more about. */
export function anyText({ type, text }: ScalarSyntax): string {
  return type === "boolean" ? String(isOn(text)) : text;
}

/** Whether a scalar has a type that may stand for a whole block, or there is no saying. */
export function mayStandFor({ type }: ScalarSyntax, shape: Shape): boolean {
  return shape.type !== "block" || shape.shortForm === undefined ||
    typesOf(shape.shortForm.inputType).includes(type);
}

/** What a scalar says, for the schema to read; `undefined` where it is of a wrong type or misleading. */
export function scalarText(
  { type, text, digits }: ScalarSyntax,
  kind: Kind<unknown, unknown>,
): string | undefined {
  const types = literalTypes(kind);
  if (!types.includes(type)) return undefined;
  if (digits !== undefined && digits !== text) {
    // `64MB` says more than its digits, where both are the same to the setting.
    const asText = kind.read(text);
    if (Object.is(asText, kind.read(digits))) return text;
    if (!(asText instanceof Refusal)) return undefined;
  } else if (type === "boolean" && types.includes("string")) {
    return switchWord(text, kind);
  }
  return types.includes("integer") ? digits ?? text : text;
}

/**
 * Whether a map names a user. Where it does not, nats-server has no use for a password, and many a file
 * has a variable of that name there.
 */
export function hasUser(keys: Iterable<string>): boolean {
  return [...keys].some((key) => /^user(?:name)?$/i.test(key));
}

/** A switch in a word that the kind knows, where it does not know that which is written. */
function switchWord(text: string, kind: Kind<unknown, unknown>): string {
  const words = isOn(text) ? [text, "true", "on"] : [text, "false", "off"];
  return words.find((word) => !(kind.read(word) instanceof Refusal)) ?? text;
}

/** Sets a key of a record, which may be called `__proto__`; a value that is missing is left out. */
export function put(record: Record<string, unknown>, key: string, value: unknown): void {
  if (value === undefined) return;
  if (key !== "__proto__") record[key] = value;
  else {
    Object.defineProperty(record, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}

const typesByInput = new Map<string, readonly LiteralType[]>();

/** The types of scalars that nats-server takes for a kind of setting. */
function literalTypes({ literals, inputType }: Kind<unknown, unknown>): readonly LiteralType[] {
  return literals ?? typesOf(inputType);
}

/** The types of scalars for the TypeScript source of a type. */
function typesOf(inputType: string): readonly LiteralType[] {
  let types = typesByInput.get(inputType);
  if (types === undefined) {
    types = inputType.split(" | ").map((type) =>
      type === "number" ? "integer" : type === "boolean" ? "boolean" : "string"
    );
    typesByInput.set(inputType, types);
  }
  return types;
}

/** Whether a switch is on. */
function isOn(text: string): boolean {
  return /^(?:true|yes|on)$/i.test(text);
}

function wrongType(
  node: ScalarSyntax,
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
function misleading({ text, digits }: ScalarSyntax, kind: Kind<unknown, unknown>, path: Path) {
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
