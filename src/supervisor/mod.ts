/**
 * Structured concurrency: whatever runs is a task of a scope, and leaving a scope ends and waits for
 * everything in it. Knows nothing of what the tasks do.
 *
 * @module
 */
export * from "./backoff.ts";
export * from "./every.ts";
export * from "./overdue.ts";
export * from "./panic.ts";
export * from "./scope.ts";
export * from "./scope_closed_error.ts";
export * from "./scope_options.ts";
export * from "./ticker.ts";
export * from "./tree.ts";
