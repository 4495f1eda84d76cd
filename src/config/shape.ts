/**
 * Shapes of settings: what is known of a schema besides how it is checked. Everything generated
 * (types, example, JSON Schema, printed configuration) is written from shapes.
 *
 * @module
 */
import type { JsonSchema, Kind } from "./kind.ts";

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
  /** Keys whose value denats does not have yet where it is a map. */
  readonly unsupportedMaps: ReadonlySet<string>;
  /** Values of unsupported keys, in small letters, that ask for nothing and are taken. */
  readonly harmless: ReadonlyMap<string, readonly string[]>;
  /** Keys that nats-server refuses with words of their own, and those words. */
  readonly refused: ReadonlyMap<string, string>;
  /** The key that a value stands for that is not a map, where one may be written. */
  readonly short?: string;
  /** What else may be written instead of the map. */
  readonly shortForm?: ShortForm;
  /** Whether one value may stand in many places, by an anchor: it is then looked at once. */
  readonly shared?: boolean;
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
