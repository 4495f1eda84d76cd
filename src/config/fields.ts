/**
 * The building blocks of the schema. Each makes a zod schema and remembers beside it a
 * {@link Shape}: what zod cannot tell, such as documentation, other names and units. Everything
 * generated (types, example, JSON Schema, printed configuration) is written from shapes.
 *
 * @module
 */
import * as z from "zod/mini";
import { type JsonSchema, type Kind, Refusal } from "./kind.ts";

/** A scalar setting. */
export interface ScalarShape {
  /** Tells shapes apart. */
  readonly type: "scalar";
  /** How the scalar is read and written. */
  readonly kind: Kind<unknown, unknown>;
}

/** A list of settings of one shape. */
export interface ListShape {
  /** Tells shapes apart. */
  readonly type: "list";
  /** The shape of every item. */
  readonly item: Shape;
  /** Whether one item may be written without the list around it. */
  readonly orOne: boolean;
}

/** A map whose values are all of one shape. */
export interface MapShape {
  /** Tells shapes apart. */
  readonly type: "map";
  /** The keys that it may have; any when absent. */
  readonly names?: readonly string[];
  /** The shape of every value. */
  readonly value: Shape;
  /** Whether a list of keys may be written instead, whose values are then empty blocks. */
  readonly orNames?: boolean;
}

/** What may be written instead of a block: a `Form`. */
export interface ShortForm<Form = never> {
  /** The TypeScript source of what it may be. */
  readonly inputType: string;
  /** What an editor should accept for it. */
  readonly json: JsonSchema;
  /** What is expected where the value is neither that nor a map. */
  readonly expected: string;
  /**
   * The keys that `value`, which is no map, stands for; `null` where it says that the block is not
   * given, `undefined` where it is no short form.
   */
  expand(value: unknown): Readonly<Record<string, unknown>> | null | undefined;
  /** Never set: ties `Form` to this, so that the types of a schema follow from it. */
  input?(form: Form): void;
}

/** A map with keys of ours. */
export interface BlockShape {
  /** Tells shapes apart. */
  readonly type: "block";
  /** Name of the generated interface of the output; the input's has `Input` added. */
  readonly typeName: string;
  /** What the block is for; one or more sentences. */
  readonly doc: string;
  /** The settings by key, in the order in which they are documented. */
  readonly fields: ReadonlyMap<string, Field>;
  /** Other names of keys: nats-server's synonyms. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Keys that nats-server has and denats does not have yet. */
  readonly unsupported: ReadonlySet<string>;
  /** Values of unsupported keys, in small letters, that ask for nothing and are taken. */
  readonly harmless: ReadonlyMap<string, readonly string[]>;
  /** Keys that nats-server refuses with words of their own, and those words. */
  readonly refused: ReadonlyMap<string, string>;
  /** The key that a value stands for that is not a map, where one may be written. */
  readonly short?: string;
  /** What else may be written instead of the map. */
  readonly shortForm?: ShortForm;
}

/** The shape of a setting. */
export type Shape = ScalarShape | ListShape | MapShape | BlockShape;

/** One key of a block. */
export interface Field {
  /** What the setting does; one or more sentences. */
  readonly doc: string;
  /** The shape of its value. */
  readonly shape: Shape;
  /** Whether it must, may or need not be given. */
  readonly presence: "required" | "optional" | "default" | "input only";
  /** The value it has when it is not given, as a user would write it. */
  readonly defaultValue?: unknown;
  /** A value to show in the example, where there is no default. */
  readonly example?: unknown;
}

/** Any schema of these blocks. */
export type Schema = z.core.$ZodType;

const shapes = new WeakMap<Schema, Shape>();
const fieldsOf = new WeakMap<Schema, Field>();

/** The shape of a schema that this module made. */
export function shapeOf(schema: Schema): Shape | undefined {
  return shapes.get(schema);
}

/** The key that a schema was declared for. */
export function fieldOf(schema: Schema): Field | undefined {
  return fieldsOf.get(schema);
}

function knownShape(schema: Schema): Shape {
  const shape = shapes.get(schema);
  if (shape === undefined) throw new TypeError("not a schema of these blocks");
  return shape;
}

function withShape<S extends Schema>(schema: S, shape: Shape): S {
  shapes.set(schema, shape);
  return schema;
}

function withField<S extends Schema>(schema: S, field: Field): S {
  fieldsOf.set(schema, field);
  return withShape(schema, field.shape);
}

/** What a problem that zod reports carries along. */
export interface ProblemNote {
  /** What was expected. */
  readonly expected: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** What was found, where it is not simply the value at the problem's path. */
  readonly found?: string;
}

/** A scalar of a kind. */
export function scalar<Input, Output>(
  kind: Kind<Input, Output>,
): z.ZodMiniType<Awaited<Output>, Input> {
  const schema = z.transform<Input, Output>((input, context) => {
    const value = kind.read(input);
    if (!(value instanceof Refusal)) return value;
    const note: ProblemNote = { expected: value.expected, hint: value.hint };
    context.issues.push({ code: "custom", input, params: { note } });
    return z.NEVER;
  });
  return withShape(schema, { type: "scalar", kind });
}

/** A list. */
export function list<Item extends Schema>(item: Item): z.ZodMiniReadonly<z.ZodMiniArray<Item>> {
  return withShape(z.readonly(z.array(item)), {
    type: "list",
    item: knownShape(item),
    orOne: false,
  });
}

/** A list of at least one item. */
export function listOfSome<Item extends Schema>(
  item: Item,
  expected: string,
): z.ZodMiniReadonly<z.ZodMiniArray<Item>> {
  const note: ProblemNote = { expected, found: "an empty list" };
  const schema = z.array(item).check(z.superRefine((items, context) => {
    if (items.length === 0) context.addIssue({ code: "custom", params: { note } });
  }));
  return withShape(z.readonly(schema), { type: "list", item: knownShape(item), orOne: false });
}

/** A list; a single item that is no list itself may be written without it, see `prepare`. */
export function listOrOne<Input, Output>(
  item: z.ZodMiniType<Output, Input>,
): z.ZodMiniType<readonly Output[], Input | readonly Input[]>;
export function listOrOne(item: z.ZodMiniType): z.ZodMiniType {
  const wrap = z.transform((input: unknown) => typeof input === "string" ? [input] : input);
  const schema: z.ZodMiniType = z.pipe(wrap, list(item));
  return withShape(schema, { type: "list", item: knownShape(item), orOne: true });
}

/** A map with keys of the user's choice. */
export function map<Value extends Schema>(
  value: Value,
): z.ZodMiniReadonly<z.ZodMiniRecord<z.ZodMiniString<string>, Value>> {
  return withShape(z.readonly(z.record(z.string(), value)), {
    type: "map",
    value: knownShape(value),
  });
}

/** A map of blocks with keys of the user's choice; a list of keys stands for empty blocks. */
export function mapOrNames<Input, Output>(
  value: z.ZodMiniType<Output, Input>,
): z.ZodMiniType<
  Readonly<Record<string, Output>>,
  Readonly<Record<string, Input>> | readonly string[]
>;
export function mapOrNames(value: z.ZodMiniType): z.ZodMiniType {
  const schema: z.ZodMiniType = z.pipe(z.transform((input: unknown) => input), map(value));
  return withShape(schema, { type: "map", value: knownShape(value), orNames: true });
}

/** A map with some of the keys `names`; any other is refused. */
export function mapOf<const Name extends string, Value extends Schema>(
  names: readonly Name[],
  value: Value,
): z.ZodMiniReadonly<ReturnType<typeof recordOf<Name, Value>>> {
  return withShape(z.readonly(recordOf(names, value)), {
    type: "map",
    names,
    value: knownShape(value),
  });
}

function recordOf<const Name extends string, Value extends Schema>(
  names: readonly Name[],
  value: Value,
) {
  return z.partialRecord(z.enum(names), value);
}

/** A key that must be given. */
export function required<S extends z.ZodMiniType>(schema: S, doc: string): S {
  return withField(schema, { doc, shape: knownShape(schema), presence: "required" });
}

/**
 * A key without a default; `example` is shown in the example configuration. Of a block every key is
 * shown where it is not given.
 */
export function optional<S extends z.ZodMiniType>(
  schema: S,
  example: z.input<S> | undefined,
  doc: string,
): z.ZodMiniOptional<S> {
  const shape = knownShape(schema);
  return withField(z.optional(schema), { doc, shape, presence: "optional", example });
}

/** A key with a default, as a user would write it. */
export function withDefault<S extends z.ZodMiniType>(
  schema: S,
  defaultValue: z.input<S>,
  doc: string,
): z.ZodMiniPrefault<S> {
  const shape = knownShape(schema);
  const field: Field = { doc, shape, presence: "default", defaultValue };
  return withField(z.prefault(schema, defaultValue), field);
}

/**
 * A key whose default is filled in after the checks, for settings where it matters to a check
 * whether they were given.
 */
export function withLateDefault<S extends z.ZodMiniType>(
  schema: S,
  defaultValue: z.input<S>,
  doc: string,
): z.ZodMiniOptional<S> {
  const shape = knownShape(schema);
  return withField(z.optional(schema), { doc, shape, presence: "default", defaultValue });
}

/** A key that the output does not have, because others say the same. */
export function inputOnly<S extends z.ZodMiniType>(
  schema: S,
  example: z.input<S>,
  doc: string,
): z.ZodMiniOptional<S> {
  const shape = knownShape(schema);
  return withField(z.optional(schema), { doc, shape, presence: "input only", example });
}

/** An optional block that is present, with its defaults, when it is not given. */
export function alwaysPresent<S extends z.ZodMiniType>(
  schema: S,
  emptyBlock: z.input<S>,
): z.ZodMiniPrefault<S> {
  const shape = knownShape(schema);
  const doc = shape.type === "block" ? shape.doc : "";
  const field: Field = { doc, shape, presence: "default", defaultValue: emptyBlock };
  return withField(z.prefault(schema, emptyBlock), field);
}

/** Reports that settings do not go together. `about` are the keys concerned, the likely culprit first. */
export type Report = (about: readonly PropertyKey[][], note: ProblemNote) => void;

/**
 * A check of settings against each other. `values` are without the settings that are wrong in
 * themselves; `given` names those too.
 */
export type Rule<Values> = (
  values: Partial<Values>,
  report: Report,
  given: ReadonlySet<PropertyKey>,
) => void;

/** The keys of a block. */
export type Fields = Readonly<Record<string, z.ZodMiniType>>;

/** The values of a block. */
export type ValuesOf<F extends Fields> = z.output<z.ZodMiniObject<F, z.core.$strict>>;

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
): z.ZodMiniReadonly<z.ZodMiniObject<F, z.core.$strict>> {
  const rules = options.rules ?? [];
  const base: z.ZodMiniObject<F, z.core.$strict> = z.strictObject(fields);
  const schema = base.check(z.superRefine<ValuesOf<F>>((values, context) => {
    const wrong = new Set(context.issues.flatMap((issue) => issue.path?.slice(0, 1) ?? []));
    const given = new Set(wrong);
    const sound: Partial<ValuesOf<F>> = {};
    for (const key in values) {
      if (values[key] !== undefined) given.add(key);
      if (!wrong.has(key)) sound[key] = values[key];
    }
    const report: Report = (about, note) => {
      context.addIssue({ code: "custom", path: about[0] ?? [], params: { note, about } });
    };
    for (const rule of rules) rule(sound, report, given);
    // Rules are run beside other problems, so that all of them are told at once.
  }, { when: () => true }));
  return withShape(z.readonly(schema), {
    type: "block",
    typeName: options.typeName,
    doc: options.doc,
    fields: new Map(
      Object.entries(fields).map(([key, field]) => {
        const known = fieldsOf.get(field);
        if (known === undefined) throw new TypeError(`no documentation for the key ${key}`);
        return [key, known];
      }),
    ),
    aliases: new Map(Object.entries(options.aliases ?? {})),
    unsupported: new Set(options.unsupported ?? []),
    harmless: new Map(Object.entries(options.harmless ?? {})),
    refused: new Map(Object.entries(options.refused ?? {})),
  });
}

/**
 * A block that may be written as no more than the value of its key `key`. `prepare` writes that out,
 * so that the schema itself never meets it.
 */
export function orShort<Input, Output, const Key extends string & keyof Input>(
  schema: z.ZodMiniType<Output, Input>,
  key: Key,
): z.ZodMiniType<Output, Input | NonNullable<Input[Key]>>;
export function orShort(schema: z.ZodMiniType, key: string): z.ZodMiniType {
  const shape = knownShape(schema);
  if (shape.type !== "block") throw new TypeError("only a block has a short form");
  const outer: z.ZodMiniType = z.pipe(z.transform((input: unknown) => input), schema);
  return withShape(outer, { ...shape, short: key });
}

/**
 * A block that may be written in another form than a map. `prepare` writes that out, so that the schema
 * itself never meets it.
 */
export function orForm<Form, Input, Output>(
  schema: z.ZodMiniType<Output, Input>,
  form: ShortForm<Form>,
): z.ZodMiniType<Output, Input | Form>;
export function orForm(schema: z.ZodMiniType, form: ShortForm): z.ZodMiniType {
  const shape = knownShape(schema);
  if (shape.type !== "block") throw new TypeError("only a block has another form");
  const outer: z.ZodMiniType = z.pipe(z.transform((input: unknown) => input), schema);
  return withShape(outer, { ...shape, shortForm: form });
}

/** A schema whose output is made of another's. */
export function resolved<S extends z.ZodMiniType, Output>(
  schema: S,
  resolve: (values: z.output<S>) => Output,
): z.ZodMiniType<Awaited<Output>, z.input<S>> {
  const schemaOut: z.ZodMiniType<Awaited<Output>, z.input<S>> = z.pipe(
    schema,
    z.transform<z.output<S>, Output>(resolve),
  );
  return withShape(schemaOut, knownShape(schema));
}
