/**
 * The outside world as four small interfaces, their Deno implementations and the in-memory ones.
 *
 * @module
 */
export * from "./address.ts";
export * from "./clock.ts";
export * from "./deno_files.ts";
export * from "./deno_http.ts";
export * from "./deno_process.ts";
export * from "./deno_transport.ts";
export * from "./file_stamp.ts";
export * from "./files.ts";
export * from "./http.ts";
export * from "./memory_transport.ts";
export * from "./random.ts";
export * from "./resting.ts";
export * from "./seeded_random.ts";
export * from "./system_clock.ts";
export * from "./system_random.ts";
export * from "./transport.ts";
export * from "./virtual_clock.ts";
export * from "./worker.ts";
