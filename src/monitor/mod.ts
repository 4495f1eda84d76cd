/**
 * What can be seen of a broker from outside.
 *
 * @module
 */
export * from "./lifecycle.ts";
export * from "./loop_delay.ts";
export * from "./process_files.ts";
export * from "./statistics.ts";
