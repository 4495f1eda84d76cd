/**
 * Command line arguments: the part of JSR's `@std/cli` that this repository uses, under the same
 * names.
 *
 * @module
 */
export * from "./parse_args.ts";
