/**
 * Loggers, records and handlers: the part of JSR's `@std/log` that this repository uses, under the
 * same names.
 *
 * @module
 */
export * from "./base_handler.ts";
export * from "./levels.ts";
export * from "./logger.ts";
