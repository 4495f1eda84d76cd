/**
 * The outside world as four small interfaces, their Deno implementations and the in-memory ones.
 *
 * @module
 */
export * from "./clock.ts";
export * from "./files.ts";
export * from "./random.ts";
export * from "./transport.ts";
