/**
 * The files that are generated from the schema.
 *
 * @module
 */
import { jsonSchema } from "./json_schema.ts";
import { exampleYaml } from "./print.ts";
import { typesSource } from "./types_source.ts";

/** A generated file. */
export interface GeneratedFile {
  /** Its path from the top of the repository. */
  readonly path: string;
  /** Its content. */
  readonly text: string;
}

/** Every file that is generated from the schema. */
export function generatedFiles(): GeneratedFile[] {
  return [
    { path: "src/config/types.ts", text: typesSource() },
    { path: "config.example.yaml", text: exampleYaml() },
    { path: "docs/config.schema.json", text: `${JSON.stringify(jsonSchema(), null, 2)}\n` },
  ];
}
