/**
 * Client sessions.
 *
 * @module
 */
export * from "./environment.ts";
export * from "./keepalive.ts";
export * from "./lame_duck.ts";
export * from "./limits.ts";
export * from "./reconsider.ts";
export * from "./listener.ts";
export * from "./opening.ts";
export * from "./session.ts";
export * from "./info.ts";
export * from "./surplus.ts";
