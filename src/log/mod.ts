/**
 * The log: levels per module that cost one property read when they are off, lines as nats-server
 * writes them or JSON, a file that rotates, and what a protocol trace may show.
 *
 * @module
 */
export type { Level } from "./level.ts";
export type { LogFields, LogValue } from "./line.ts";
export { type LimitedLog, Log, type LogOptions } from "./log.ts";
export { Logging, type LoggingConfig, type LoggingOptions } from "./logging.ts";
export { LOG_MODULES, type LogModule } from "./modules.ts";
export { redactConnect } from "./redact.ts";
export { silentLog } from "./silent_log.ts";
export { tracePayload } from "./trace_payload.ts";
