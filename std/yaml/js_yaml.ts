import library from "js-yaml";

/** One of the library's data types. */
export interface YamlType {
  readonly tag: string;
  readonly kind: string;
  readonly resolve: (data: string) => boolean;
  readonly construct: (data: string) => unknown;
  readonly predicate: unknown;
  readonly represent: unknown;
  readonly defaultStyle: unknown;
}

/** One of the library's schemas. */
export interface YamlSchema {
  readonly compiledImplicit: YamlType[];
}

interface JsYaml {
  safeLoad(content: string, options: Record<string, unknown>): unknown;
  safeDump(data: unknown, options: Record<string, unknown>): string;
  YAMLException: new () => Error & { readonly reason?: string; readonly mark?: object };
  Type: new (tag: string, options: Omit<YamlType, "tag">) => YamlType;
  Schema: new (definition: { include: YamlSchema[]; implicit: YamlType[] }) => YamlSchema;
  FAILSAFE_SCHEMA: YamlSchema;
  JSON_SCHEMA: YamlSchema;
  CORE_SCHEMA: YamlSchema;
  DEFAULT_SAFE_SCHEMA: YamlSchema;
}

/** The library, as far as it is used here; it comes without types. */
export const jsYaml = library as JsYaml;
