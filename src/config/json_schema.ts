/**
 * The JSON Schema of the configuration file, for editors.
 *
 * @module
 */
import * as z from "zod/mini";
import { type BlockShape, fieldOf, type Schema, shapeOf } from "./fields.ts";
import type { JsonSchema } from "./kind.ts";
import { configSchema } from "./schema.ts";

/** The JSON Schema (draft 2020-12) of what a configuration file may say. */
export function jsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema, {
    io: "input",
    // Every scalar reads text, which zod cannot describe; `complete` does.
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => complete(zodSchema, jsonSchema),
  });
  return { ...schema, title: "denats configuration" };
}

type Draft = z.core.JSONSchema.BaseSchema;

/** Adds to what zod wrote on one schema what only our blocks know. */
function complete(schema: Schema, draft: Draft): void {
  const shape = shapeOf(schema);
  const field = fieldOf(schema);
  // Of the output, and misleading in an editor.
  delete draft.readOnly;
  if (shape?.type === "scalar") Object.assign(draft, orVariable(shape.kind.json));
  if (shape?.type === "block") completeBlock(shape, draft);
  if (shape?.type === "block" && shape.short !== undefined) orShort(shape.short, draft);
  if (shape?.type === "block" && shape.shortForm !== undefined) {
    orOther(shape.shortForm.json, draft);
  }
  if (shape?.type === "list" && shape.orOne && draft.items !== undefined) {
    const { items } = draft;
    delete draft.type;
    delete draft.items;
    const array: Draft = { type: "array", items };
    const one: Draft = { type: "string", minLength: 1 };
    draft.anyOf = shape.item.type !== "scalar" && typeof items === "object" && !Array.isArray(items)
      ? [items, array]
      : [one, array];
  }
  if (shape?.type === "map" && shape.orNames) {
    orOther({ type: "array", items: { type: "string", minLength: 1 }, uniqueItems: true }, draft);
  }
  if (field === undefined) return;
  draft.description = field.doc;
  if (field.defaultValue !== undefined) draft.default = field.defaultValue;
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

/** `draft`, or what one of its keys may be. */
function orShort(key: string, draft: Draft): void {
  const short = draft.properties?.[key];
  if (typeof short !== "object") return;
  const { description: _description, default: _default, ...value } = short;
  const block = { ...draft };
  for (const keyword in draft) delete draft[keyword];
  draft.anyOf = [value, block];
}

/** `draft`, or what `other` describes. */
function orOther(other: JsonSchema, draft: Draft): void {
  // Done already, on the schema within this one.
  if (draft.type !== "object") return;
  const own = { ...draft };
  for (const keyword in draft) delete draft[keyword];
  draft.anyOf = [other, own];
}

function completeBlock(shape: BlockShape, draft: Draft): void {
  const properties = draft.properties;
  if (properties === undefined) return;
  const required = [...shape.fields].filter(([, field]) => field.presence === "required");
  if (required.length > 0) draft.required = required.map(([key]) => key);
  for (const [alias, key] of shape.aliases) {
    const property = properties[key];
    if (typeof property !== "object") continue;
    const { default: _default, ...rest } = property;
    properties[alias] = { ...rest, description: `Another name of ${key}.` };
  }
}
