import { jsYaml } from "./js_yaml.ts";
import { schemaOf, type SchemaType } from "./schema.ts";

export type { SchemaType };

/** How to {@link stringify}. */
export interface StringifyOptions {
  /** Spaces per level. Default: 2. */
  indent?: number;
  /** Whether the elements of an array are indented below its key. Default: true. */
  arrayIndent?: boolean;
  /** From which level on collections are written in one line; -1: never. Default: -1. */
  flowLevel?: number;
  /** Which types there are. Default: `"default"`. */
  schema?: SchemaType;
  /** Whether, or how, keys are sorted. Default: false. */
  sortKeys?: boolean | ((a: string, b: string) => number);
  /** Where text is folded. Default: 80. */
  lineWidth?: number;
  /** Whether what occurs more than once is written once and referred to. Default: true. */
  useAnchors?: boolean;
  /** Whether words that older YAML takes for a boolean are quoted. Default: true. */
  compatMode?: boolean;
  /** Whether collections in one line go without spaces. Default: false. */
  condenseFlow?: boolean;
}

/**
 * A value as a YAML document.
 *
 * @throws {TypeError} when it holds something YAML has no form for.
 */
export function stringify(data: unknown, options: StringifyOptions = {}): string {
  const { arrayIndent = true, useAnchors = true, compatMode = true, schema, ...same } = options;
  try {
    return jsYaml.safeDump(data, {
      ...same,
      schema: schemaOf(schema),
      noArrayIndent: !arrayIndent,
      noRefs: !useAnchors,
      noCompatMode: !compatMode,
    });
  } catch (error) {
    if (!(error instanceof jsYaml.YAMLException)) throw error;
    throw new TypeError(`Cannot stringify ${typeof data}: ${error.message}`);
  }
}
