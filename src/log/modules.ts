/**
 * The parts of the broker that have a log, and so may have a level, of their own.
 *
 * @module
 */

/** The names of the modules, as lines show them and as `log.levels` of the configuration takes them. */
export const LOG_MODULES = [
  "client",
  "accept",
  "auth",
  "account",
  "tls",
  "route",
  "supervisor",
] as const;

/** The name of a module. */
export type LogModule = typeof LOG_MODULES[number];
