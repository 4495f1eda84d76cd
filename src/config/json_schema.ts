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
  if (shape?.type === "scalar") Object.assign(draft, shape.kind.json);
  if (shape?.type === "block") completeBlock(shape, draft);
  if (shape?.type === "list" && shape.orOne && draft.items !== undefined) {
    const { items } = draft;
    delete draft.type;
    delete draft.items;
    draft.anyOf = [{ type: "string", minLength: 1 }, { type: "array", items }];
  }
  if (field === undefined) return;
  draft.description = field.doc;
  if (field.defaultValue !== undefined) draft.default = field.defaultValue;
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
