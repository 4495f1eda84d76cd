import { jsYaml } from "./js_yaml.ts";
import { schemaOf, type SchemaType } from "./schema.ts";

export type { SchemaType };

/** How to {@link parse}. */
export interface ParseOptions {
  /** Which scalars become more than strings. Default: `"default"`. */
  schema?: SchemaType;
  /** Whether the last of several equal keys wins instead of being an error. Default: false. */
  allowDuplicateKeys?: boolean;
  /** Told of what is odd but not wrong. */
  onWarning?(error: Error): void;
}

/**
 * The value of a text with at most one YAML document; null when there is none.
 *
 * @throws {SyntaxError} when it is not YAML; the message ends in line, column and an excerpt.
 */
export function parse(content: string, options: ParseOptions = {}): unknown {
  try {
    return jsYaml.safeLoad(String(content), {
      schema: schemaOf(options.schema),
      json: options.allowDuplicateKeys ?? false,
      onWarning: options.onWarning,
    }) ?? null;
  } catch (error) {
    if (!(error instanceof jsYaml.YAMLException)) throw error;
    throw new SyntaxError(error.message);
  }
}
