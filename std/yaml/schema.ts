import { jsYaml, type YamlSchema } from "./js_yaml.ts";

/** Which scalars become more than strings: none, JSON's, YAML 1.2's, or those and YAML 1.1's. */
export type SchemaType = "failsafe" | "json" | "core" | "default";

const schemas: ReadonlyMap<SchemaType, YamlSchema> = new Map([
  ["failsafe", jsYaml.FAILSAFE_SCHEMA],
  ["json", withoutBase60(jsYaml.JSON_SCHEMA)],
  ["core", withoutBase60(jsYaml.CORE_SCHEMA)],
  ["default", withoutBase60(jsYaml.DEFAULT_SAFE_SCHEMA)],
]);

/** The library's schema for a name; the default one for a name that there is not. */
export function schemaOf(name: SchemaType = "default"): YamlSchema {
  return schemas.get(name) ?? schemas.get("default")!;
}

/** `@std/yaml` reads `1:30` as text, the library as 90. */
function withoutBase60(schema: YamlSchema): YamlSchema {
  const numbers = schema.compiledImplicit
    .filter((type) => /:(int|float)$/.test(type.tag))
    .map(({ tag, ...type }) =>
      new jsYaml.Type(tag, {
        kind: type.kind,
        resolve: (data) => !String(data).includes(":") && type.resolve(data),
        construct: type.construct,
        predicate: type.predicate,
        represent: type.represent,
        defaultStyle: type.defaultStyle,
      })
    );
  return new jsYaml.Schema({ include: [schema], implicit: numbers });
}
