/**
 * Writes settings as YAML, guided by their shapes.
 *
 * @module
 */
import type { Shape } from "./shape.ts";
import { type Kind, quoteKey } from "./kind.ts";
import { isMap } from "./prepare.ts";

/** How a scalar is written. */
export type ScalarWriter = (value: unknown, kind: Kind<unknown, unknown>) => string;

/** The lines of `key: value`, not indented; none for a value that is absent. */
export function settingLines(
  key: string,
  value: unknown,
  shape: Shape,
  writeScalar: ScalarWriter,
): string[] {
  if (value === undefined) return [];
  const name = /^[A-Za-z_][\w-]*$/.test(key) ? key : quoteKey(key);
  if (shape.type === "scalar") return [`${name}: ${writeScalar(value, shape.kind)}`];
  const lines = valueLines(value, shape, writeScalar);
  if (lines.length === 0) return [`${name}: ${shape.type === "list" ? "[]" : "{}"}`];
  return [`${name}:`, ...lines.map((line) => `  ${line}`)];
}

function valueLines(value: unknown, shape: Shape, writeScalar: ScalarWriter): string[] {
  if (shape.type === "scalar") return [writeScalar(value, shape.kind)];
  if (shape.type === "list") {
    return (Array.isArray(value) ? value : []).flatMap((item) => {
      const [first = "{}", ...rest] = valueLines(item, shape.item, writeScalar);
      return [`- ${first}`, ...rest.map((line) => `  ${line}`)];
    });
  }
  if (!isMap(value)) return [];
  if (shape.type === "map") {
    return Object.entries(value).flatMap(([key, item]) =>
      settingLines(key, item, shape.value, writeScalar)
    );
  }
  return [...shape.fields].flatMap(([key, field]) =>
    settingLines(key, value[key], field.shape, writeScalar)
  );
}
