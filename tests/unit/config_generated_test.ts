import { assert, assertEquals } from "@std/assert";
import {
  type Config,
  type ConfigInput,
  jsonSchema,
  loadConfig,
  normaliseConfig,
} from "../../src/config/mod.ts";
import type { Shape } from "../../src/config/fields.ts";
import { generatedFiles } from "../../src/config/generated_files.ts";
import { Refusal } from "../../src/config/kind.ts";
import {
  configShape,
  type SchemaInput,
  type SchemaOutput,
  sections,
} from "../../src/config/schema.ts";
import { unsupportedKeys } from "../../src/config/unsupported.ts";

/** A type without the names of its parts, so that equal types compare as equal. */
type Plain<T> = T extends readonly (infer Item)[] ? readonly Plain<Item>[]
  : T extends object ? { readonly [Key in keyof T]: Plain<T[Key]> }
  : T;
type Same<A, B> = (<T>() => T extends Plain<A> ? 1 : 2) extends
  (<T>() => T extends Plain<B> ? 1 : 2) ? true
  : false;

Deno.test("the documented types are those of the schema", () => {
  // Checked by the compiler: either line is an error when the two differ.
  const input: Same<ConfigInput, SchemaInput> = true;
  const output: Same<Config, SchemaOutput> = true;
  const control: Same<ConfigInput, SchemaOutput> = false;
  assertEquals([input, output, control], [true, true, false]);
});

Deno.test("the generated files are in step with the schema", async () => {
  for (const { path, text } of generatedFiles()) {
    const file = new URL(`../../${path}`, import.meta.url);
    assertEquals(await Deno.readTextFile(file), text, `run deno run -A src/config/generate.ts`);
  }
});

Deno.test("the example is the defaults", async () => {
  const example = generatedFiles().find(({ path }) => path === "config.example.yaml");
  const config = await loadConfig({
    text: example?.text ?? "port: 1",
    env: () => undefined,
    files: { readText: () => Promise.reject(new Error("nothing to read")) },
  });
  assertEquals(config, normaliseConfig());
});

Deno.test("every commented-out line of the example is a good setting", () => {
  const check = (shape: Shape, value: unknown): void => {
    if (shape.type === "scalar") assert(!(shape.kind.read(value) instanceof Refusal));
    if (shape.type === "list") {
      assert(Array.isArray(value));
      for (const item of value) check(shape.item, item);
    }
    if (shape.type === "block") {
      for (const [key, field] of shape.fields) {
        const example = field.example ?? field.defaultValue;
        if (example !== undefined || field.shape.type === "block") check(field.shape, example);
        else assertEquals(field.presence, "required", key);
      }
    }
  };
  check(configShape, undefined);
});

Deno.test("a block of the example is a good one without its comment signs", async () => {
  const example = generatedFiles().find(({ path }) => path === "config.example.yaml")!.text;
  for (const [key, shown] of [["tls", "cert_file"], ["cluster", "pool_size"]] as const) {
    const [block] = new RegExp(`^#${key}:$(\n#.*)*`, "m").exec(example)!;
    const text = block.replace(/^#/gm, "");
    const config = await loadConfig({
      text,
      env: () => undefined,
      files: { readText: () => Promise.reject(new Error("nothing to read")) },
    });
    assert(Object.hasOwn(config[key]!, shown), text);
  }
});

Deno.test("every top-level key is documented under one heading", () => {
  const listed = sections.flatMap(({ keys }) => keys);
  assertEquals(listed.toSorted(), [...configShape.fields.keys()].toSorted());
  assertEquals(new Set(listed).size, listed.length);
});

Deno.test("no key is both supported and not", () => {
  const names = [...configShape.fields.keys(), ...configShape.aliases.keys()];
  assertEquals(unsupportedKeys.filter((key) => names.includes(key)), []);
  for (const name of configShape.aliases.values()) assert(configShape.fields.has(name), name);
});

Deno.test("the JSON Schema describes what a file may say", () => {
  const schema = jsonSchema();
  assertEquals(schema.additionalProperties, false);
  const properties = schema.properties as Record<string, Record<string, unknown>>;
  assertEquals(properties.port?.default, 4222);
  assertEquals(properties.max_payload?.default, "1MB");
  assertEquals(properties.logfile?.description, "Another name of log_file.");
  const definitions = schema.$defs as Record<string, Record<string, unknown>>;
  assertEquals(definitions.MappedTo?.required, ["weight"]);
  const undescribed = Object.entries(properties).filter(([, { description }]) => !description);
  assertEquals(undescribed, []);
  assertEquals(JSON.stringify(schema).includes("readOnly"), false);
});
