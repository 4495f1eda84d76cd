/**
 * Client sessions.
 *
 * @module
 */
export * from "./environment.ts";
export * from "./keepalive.ts";
export * from "./session.ts";
