/**
 * The JSON Schema of the configuration file, for editors.
 *
 * @module
 */
import type { JsonSchema } from "./kind.ts";
import { configShape } from "./schema.ts";
import type { BlockShape, Field, MapShape, Shape } from "./shape.ts";

/** The JSON Schema (draft 2020-12) of what a configuration file may say. */
export function jsonSchema(): JsonSchema {
  const writer = new SchemaWriter(configShape);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "denats configuration",
    ...writer.root(),
  };
}

/** A text with a variable in it, which the environment fills in. */
const variable: JsonSchema = { type: "string", pattern: "\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}" };

/** `json`, and a text with a variable where that is not among it. */
function orVariable(json: JsonSchema): JsonSchema {
  const types = [json.type].flat();
  if (types.includes("string") && json.pattern === undefined) return json;
  const { anyOf } = json;
  // Alternatives that are all there is to it are not nested.
  const alternatives = Array.isArray(anyOf) && Object.keys(json).length === 1 ? anyOf : [json];
  return { anyOf: [...alternatives, variable] };
}

/** Writes a schema in which a block that may stand in several places is described once. */
class SchemaWriter {
  readonly #root: BlockShape;
  /** How many places there are for the blocks of each name. */
  readonly #places = new Map<string, number>();
  readonly #definitions = new Map<string, JsonSchema>();

  constructor(root: BlockShape) {
    this.#root = root;
    this.#count(root);
  }

  root(): JsonSchema {
    const root = this.#block(this.#root);
    return this.#definitions.size === 0
      ? root
      : { ...root, $defs: Object.fromEntries(this.#definitions) };
  }

  #count(shape: Shape): void {
    if (shape.type === "list") this.#count(shape.item);
    if (shape.type === "map") this.#count(shape.value);
    if (shape.type !== "block") return;
    this.#places.set(shape.typeName, (this.#places.get(shape.typeName) ?? 0) + 1);
    const names = [...shape.fields.keys(), ...shape.aliases.values()];
    for (const name of names) {
      const field = shape.fields.get(name);
      if (field !== undefined) this.#count(field.shape);
    }
  }

  #schema(shape: Shape): JsonSchema {
    switch (shape.type) {
      case "scalar":
        return orVariable(shape.kind.json);
      case "list": {
        const item = this.#schema(shape.item);
        const array: JsonSchema = { type: "array", items: item };
        return shape.orOne ? { anyOf: [item, array] } : array;
      }
      case "map":
        return this.#map(shape);
      case "block": {
        const short = shape.short === undefined ? undefined : shape.fields.get(shape.short);
        const forms = [
          ...(short === undefined ? [] : [this.#schema(short.shape)]),
          ...(shape.shortForm === undefined ? [] : [shape.shortForm.json]),
        ];
        const block = this.#reference(shape);
        return forms.length === 0 ? block : { anyOf: [...forms, block] };
      }
    }
  }

  #map({ names, value, orNames }: MapShape): JsonSchema {
    const one = this.#schema(value);
    const map: JsonSchema = names === undefined ? { type: "object", additionalProperties: one } : {
      type: "object",
      properties: Object.fromEntries(names.map((name) => [name, one])),
      additionalProperties: false,
    };
    if (!orNames) return map;
    const list = { type: "array", items: { type: "string", minLength: 1 }, uniqueItems: true };
    return { anyOf: [list, map] };
  }

  #reference(shape: BlockShape): JsonSchema {
    if (this.#places.get(shape.typeName) === 1) return this.#block(shape);
    const block = this.#block(shape);
    const known = this.#definitions.get(shape.typeName);
    if (known === undefined) this.#definitions.set(shape.typeName, block);
    else if (JSON.stringify(known) !== JSON.stringify(block)) return block;
    return { $ref: `#/$defs/${shape.typeName}` };
  }

  #block(shape: BlockShape): JsonSchema {
    const properties = [...shape.fields].map(([key, field]) => [key, this.#field(field)] as const);
    const aliases = [...shape.aliases].flatMap(([alias, key]) => {
      const field = shape.fields.get(key);
      if (field === undefined) return [];
      const description = `Another name of ${key}.`;
      return [[alias, { ...this.#schema(field.shape), description }] as const];
    });
    const others = new Set(shape.aliases.values());
    const required = [...shape.fields].filter(([key, { presence }]) =>
      // By which of its names it is given cannot be told.
      presence === "required" && !others.has(key)
    );
    return {
      type: "object",
      properties: Object.fromEntries([...properties, ...aliases]),
      ...(required.length === 0 ? {} : { required: required.map(([key]) => key) }),
      additionalProperties: false,
    };
  }

  #field(field: Field): JsonSchema {
    return {
      ...(field.defaultValue === undefined ? {} : { default: field.defaultValue }),
      ...this.#schema(field.shape),
      description: field.doc,
    };
  }
}
