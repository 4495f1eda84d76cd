/**
 * The building blocks of the schema: what a configuration may hold, how it is checked and what
 * becomes of it. Each carries a `Shape`.
 *
 * @module
 */
import {
  Checking,
  type InputOf,
  type OutputOf,
  type ProblemNote,
  type Schema,
  WRONG,
  type Wrong,
} from "./checking.ts";
import { type Kind, Refusal } from "./kind.ts";
import { KnownAccount } from "./known_account.ts";
import { isMap } from "./prepare.ts";
import type { Path } from "./problem.ts";
import type { BlockShape, Field, ShortForm } from "./shape.ts";

export type {
  BlockShape,
  Field,
  ListShape,
  MapShape,
  ScalarShape,
  Shape,
  ShortForm,
} from "./shape.ts";

/** A scalar of a kind. */
export function scalar<Input, Output>(kind: Kind<Input, Output>): Schema<Input, Output> {
  return {
    shape: { type: "scalar", kind },
    check: (value, checking) => {
      const output = kind.read(value);
      if (!(output instanceof Refusal)) return output;
      return checking.wrong({ note: { expected: output.expected, hint: output.hint } });
    },
  };
}

/** A list. */
export function list<Input, Output>(
  item: Schema<Input, Output>,
): Schema<readonly Input[], readonly Output[]> {
  return {
    shape: { type: "list", item: item.shape, orOne: false },
    check: (value, checking) => {
      if (!Array.isArray(value)) return checking.wrong();
      let wrong = false;
      const outputs: Output[] = [];
      for (const [index, one] of value.entries()) {
        const output = checking.below(index, item, one);
        if (output === WRONG) wrong = true;
        else outputs.push(output);
      }
      return wrong ? WRONG : Object.freeze(outputs);
    },
  };
}

/** A list of at least one item. */
export function listOfSome<Input, Output>(
  item: Schema<Input, Output>,
  expected: string,
): Schema<readonly Input[], readonly Output[]> {
  const any = list(item);
  return {
    shape: any.shape,
    check: (value, checking) =>
      Array.isArray(value) && value.length === 0
        ? checking.wrong({ note: { expected, found: "an empty list" } })
        : any.check(value, checking),
  };
}

/** A list; a single item that is no list itself may be written without it, see `prepare`. */
export function listOrOne<Input, Output>(
  item: Schema<Input, Output>,
): Schema<Input | readonly Input[], readonly Output[]> {
  const { check } = list(item);
  return { shape: { type: "list", item: item.shape, orOne: true }, check };
}

/** A map with keys of the user's choice. */
export function map<Input, Output>(
  value: Schema<Input, Output>,
): Schema<Readonly<Record<string, Input>>, Readonly<Record<string, Output>>> {
  return {
    shape: { type: "map", value: value.shape },
    check: (map, checking) => {
      if (!isMap(map)) return checking.wrong();
      return mapValues(map, Object.keys(map), value, checking);
    },
  };
}

/** A map of blocks with keys of the user's choice; a list of keys stands for empty blocks. */
export function mapOrNames<Input, Output>(
  value: Schema<Input, Output>,
): Schema<
  Readonly<Record<string, Input>> | readonly string[],
  Readonly<Record<string, Output>>
> {
  const { check } = map(value);
  return { shape: { type: "map", value: value.shape, orNames: true }, check };
}

/** A map with some of the keys `names`; any other is refused. */
export function mapOf<const Name extends string, Input, Output>(
  names: readonly Name[],
  value: Schema<Input, Output>,
): Schema<Readonly<Partial<Record<Name, Input>>>, Readonly<Partial<Record<Name, Output>>>> {
  return {
    shape: { type: "map", names, value: value.shape },
    check: (map, checking) => {
      if (!isMap(map)) return checking.wrong();
      const known = names.filter((name) => Object.hasOwn(map, name));
      const outputs = mapValues<Name, Output>(map, known, value, checking);
      const unknown = Object.keys(map).filter((key) => !known.some((name) => name === key));
      for (const unknownKey of unknown) checking.wrong({ unknownKey });
      return unknown.length > 0 ? WRONG : outputs;
    },
  };
}

function mapValues<Name extends string, Output>(
  map: Readonly<Record<string, unknown>>,
  keys: readonly Name[],
  value: Schema<unknown, Output>,
  checking: Checking,
): Readonly<Record<Name, Output>> | Wrong {
  let wrong = false;
  const entries: [Name, Output][] = [];
  for (const key of keys) {
    const given = map[key];
    // Which stands for what this very schema has made.
    const isKnown = given instanceof KnownAccount;
    const output = isKnown ? given as Output : checking.below(key, value, given);
    if (output === WRONG) wrong = true;
    else entries.push([key, output]);
  }
  // Not assignments: a key may be called __proto__.
  return wrong ? WRONG : Object.freeze(Object.fromEntries(entries) as Record<Name, Output>);
}

/** Whether a key is there: always, or perhaps not. */
type Certainty = "always" | "perhaps";

/** A key of a block: its schema and its documentation, and whether it must and will be there. */
export interface Setting<
  Input = unknown,
  Output = unknown,
  In extends Certainty = Certainty,
  Out extends Certainty = Certainty,
> {
  /** How its value is checked. */
  readonly schema: Schema<Input, Output>;
  /** What is known of it. */
  readonly field: Field;
  /** What it is where it is not given; made when it is first needed. */
  readonly fallback?: () => Output;
  /** Never set: ties the types to the setting. */
  readonly certainty?: readonly [In, Out];
}

/** A key that must be given; `example` is shown where the example has its block, but not its values. */
export function required<Input, Output>(
  schema: Schema<Input, Output>,
  doc: string,
  example?: NoInfer<Input>,
): Setting<Input, Output, "always", "always"> {
  return { schema, field: { doc, shape: schema.shape, presence: "required", example } };
}

/**
 * A key without a default; `example` is shown in the example configuration. Of a block every key is
 * shown where it is not given.
 */
export function optional<Input, Output>(
  schema: Schema<Input, Output>,
  example: NoInfer<Input> | undefined,
  doc: string,
): Setting<Input, Output, "perhaps", "perhaps"> {
  return { schema, field: { doc, shape: schema.shape, presence: "optional", example } };
}

/** A key with a default, as a user would write it. */
export function withDefault<Input, Output>(
  schema: Schema<Input, Output>,
  defaultValue: NoInfer<Input>,
  doc: string,
): Setting<Input, Output, "perhaps", "always"> {
  const field: Field = { doc, shape: schema.shape, presence: "default", defaultValue };
  return { schema, field, fallback: fallbackOf(schema, defaultValue) };
}

/**
 * A key whose default is filled in after the checks, for settings where it matters to a check
 * whether they were given.
 */
export function withLateDefault<Input, Output>(
  schema: Schema<Input, Output>,
  defaultValue: NoInfer<Input>,
  doc: string,
): Setting<Input, Output, "perhaps", "perhaps"> {
  return { schema, field: { doc, shape: schema.shape, presence: "default", defaultValue } };
}

/** A key that the output does not have, because others say the same. */
export function inputOnly<Input, Output>(
  schema: Schema<Input, Output>,
  example: NoInfer<Input>,
  doc: string,
): Setting<Input, Output, "perhaps", "perhaps"> {
  return { schema, field: { doc, shape: schema.shape, presence: "input only", example } };
}

/** An optional block that is present, with its defaults, when it is not given. */
export function alwaysPresent<Input, Output>(
  schema: Schema<Input, Output>,
  emptyBlock: NoInfer<Input>,
): Setting<Input, Output, "perhaps", "always"> {
  const { shape } = schema;
  return withDefault(schema, emptyBlock, shape.type === "block" ? shape.doc : "");
}

/** What a default stands for; it is the same value every time, and frozen. */
function fallbackOf<Output>(schema: Schema<unknown, Output>, defaultValue: unknown): () => Output {
  let made: { readonly value: Output } | undefined;
  return () => {
    if (made === undefined) {
      const value = schema.check(defaultValue, new Checking());
      if (value === WRONG) throw new TypeError("a default is wrong");
      made = { value };
    }
    return made.value;
  };
}

/** Reports that settings do not go together. `about` are the keys concerned, the likely culprit first. */
export type Report = (about: readonly Path[], note: ProblemNote) => void;

/** Which keys were given, whether or not their values are right. */
export type Given = Pick<ReadonlySet<PropertyKey>, "has">;

/**
 * A check of settings against each other. `values` are without the settings that are wrong in
 * themselves; `given` names those too.
 */
export type Rule<Values> = (
  values: Partial<Values>,
  report: Report,
  given: Given,
) => void;

/** The keys of a block. */
export type Fields = Readonly<Record<string, Setting>>;

type Flat<T> = { [Key in keyof T]: T[Key] };

/** The keys of `F` that are always there. */
type Certain<F extends Fields, Side extends 0 | 1> = {
  [Key in keyof F]: NonNullable<F[Key]["certainty"]>[Side] extends "always" ? Key : never;
}[keyof F];

/** The values of a block. */
export type ValuesOf<F extends Fields> = Flat<
  & { [Key in Certain<F, 1>]: OutputOf<F[Key]["schema"]> }
  & { [Key in Exclude<keyof F, Certain<F, 1>>]?: OutputOf<F[Key]["schema"]> | undefined }
>;

/** What a program may write for a block. */
export type InputsOf<F extends Fields> = Flat<
  & { [Key in Certain<F, 0>]: InputOf<F[Key]["schema"]> }
  & { [Key in Exclude<keyof F, Certain<F, 0>>]?: InputOf<F[Key]["schema"]> | undefined }
>;

/** What a block is besides its keys. */
export interface BlockOptions<Values> {
  /** See {@link BlockShape.typeName}. */
  readonly typeName: string;
  /** See {@link BlockShape.doc}. */
  readonly doc: string;
  /** Other names by key. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Keys of nats-server that denats does not have yet. */
  readonly unsupported?: readonly string[];
  /** See {@link BlockShape.unsupportedMaps}. */
  readonly unsupportedMaps?: readonly string[];
  /** See {@link BlockShape.harmless}. */
  readonly harmless?: Readonly<Record<string, readonly string[]>>;
  /** Words on keys that nats-server refuses, by key. */
  readonly refused?: Readonly<Record<string, string>>;
  /** Checks of the keys against each other. */
  readonly rules?: readonly Rule<Values>[];
}

/** A map with the keys `fields`; any other key is refused. */
export function block<const F extends Fields>(
  fields: F,
  options: BlockOptions<ValuesOf<F>>,
): Schema<InputsOf<F>, Readonly<ValuesOf<F>>> {
  const settings = Object.entries(fields);
  const shape: BlockShape = {
    type: "block",
    typeName: options.typeName,
    doc: options.doc,
    fields: new Map(settings.map(([key, { field }]) => [key, field])),
    aliases: new Map(Object.entries(options.aliases ?? {})),
    unsupported: new Set(options.unsupported ?? []),
    unsupportedMaps: new Set(options.unsupportedMaps ?? []),
    harmless: new Map(Object.entries(options.harmless ?? {})),
    refused: new Map(Object.entries(options.refused ?? {})),
  };
  return {
    shape,
    check: (value, checking) => checkBlock(value, checking, settings, options.rules),
  };
}

/** What of the values of a block is written down while it is checked. */
type Values = Record<string, unknown>;

function checkBlock<Output>(
  value: unknown,
  checking: Checking,
  settings: readonly (readonly [string, Setting])[],
  rules: readonly Rule<Output>[] = [],
): Output | Wrong {
  if (!isMap(value)) return checking.wrong();
  const output: Values = {};
  const before = checking.issues.length;
  let wrong: Set<string> | undefined, known = 0;
  for (const [key, { schema, field, fallback }] of settings) {
    const given = value[key];
    if (given !== undefined) known++;
    else if (fallback !== undefined) {
      output[key] = fallback();
      continue;
    } else if (field.presence !== "required") continue;
    const made = checking.below(key, schema, given);
    if (made === WRONG) (wrong ??= new Set()).add(key);
    else output[key] = made;
  }
  const keys = Object.keys(value);
  if (keys.length !== known) {
    const names = new Set(settings.map(([key]) => key));
    for (const unknownKey of keys) if (!names.has(unknownKey)) checking.wrong({ unknownKey });
  }
  if (rules.length > 0) {
    const given: Given = {
      has: (key) => Object.hasOwn(output, key) || (wrong?.has(String(key)) ?? false),
    };
    const report: Report = (about, note) => checking.wrong({ about, note });
    // Rules are run beside other problems, so that all of them are told at once.
    for (const rule of rules) rule(output as Partial<Output>, report, given);
  }
  const isWrong = wrong !== undefined || checking.issues.length > before;
  return isWrong ? WRONG : Object.freeze(output as Output);
}

/**
 * A block of which one value may stand in many places, by an anchor: it is checked once, and told once
 * where it is wrong.
 */
export function shared<Input, Output>(schema: Schema<Input, Output>): Schema<Input, Output> {
  return {
    shape: { ...blockShape(schema), shared: true },
    check: (value, checking) => checking.once(schema, value),
  };
}

/**
 * A block that may be written as no more than the value of its key `key`. `prepare` writes that out,
 * so that the schema itself never meets it.
 */
export function orShort<Input, Output, const Key extends string & keyof Input>(
  schema: Schema<Input, Output>,
  key: Key,
): Schema<Input | NonNullable<Input[Key]>, Output> {
  return { shape: { ...blockShape(schema), short: key }, check: schema.check };
}

/**
 * A block that may be written in another form than a map. `prepare` writes that out, so that the schema
 * itself never meets it.
 */
export function orForm<Form, Input, Output>(
  schema: Schema<Input, Output>,
  form: ShortForm<Form>,
): Schema<Input | Form, Output> {
  return { shape: { ...blockShape(schema), shortForm: form }, check: schema.check };
}

function blockShape({ shape }: Schema): BlockShape {
  if (shape.type !== "block") throw new TypeError("only a block has another form");
  return shape;
}

/** A schema whose output is made of another's. */
export function resolved<Input, Values, Output>(
  schema: Schema<Input, Values>,
  resolve: (values: Values) => Output,
): Schema<Input, Output> {
  return {
    shape: schema.shape,
    check: (value, checking) => {
      const values = schema.check(value, checking);
      return values === WRONG ? WRONG : resolve(values);
    },
  };
}
