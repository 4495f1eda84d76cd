/**
 * YAML: the part of JSR's `@std/yaml` that this repository uses, over the library that
 * `@std/yaml` is a port of.
 *
 * @module
 */
export * from "./parse.ts";
export * from "./stringify.ts";
