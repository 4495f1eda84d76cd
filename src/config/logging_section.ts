/**
 * What is logged, how and where to.
 *
 * @module
 */
import { LOG_MODULES } from "../log/mod.ts";
import { alwaysPresent, block, mapOf, optional, scalar, withDefault } from "./fields.ts";
import { integer, size } from "./number_kinds.ts";
import { boolean, choice, text } from "./text_kinds.ts";

const level = choice(["error", "warn", "info", "debug", "trace"]);

const log = block({
  format: withDefault(
    scalar(choice(["text", "json"])),
    "text",
    "Lines as nats-server writes them, or one JSON object a line.",
  ),
  level: withDefault(
    scalar(level),
    "info",
    "The least important lines that are logged: error, warn, info, debug or trace.",
  ),
  levels: withDefault(
    mapOf(LOG_MODULES, scalar(level)),
    {},
    `Levels of single modules, where they differ from level: ${LOG_MODULES.join(", ")}.`,
  ),
}, { typeName: "LogConfig", doc: "The form and the level of the log." });

/** What is logged, how and where to. */
export const loggingFields = {
  debug: withDefault(scalar(boolean()), false, "Log debug lines too."),
  trace: withDefault(
    scalar(boolean()),
    false,
    "Log every protocol line too; secrets in it are hidden.",
  ),
  trace_verbose: withDefault(
    scalar(boolean()),
    false,
    "Trace the system account too; implies trace.",
  ),
  max_traced_msg_len: withDefault(
    scalar(integer({ min: 0 })),
    0,
    "How many bytes of a payload are traced; 0 is all of it.",
  ),
  logtime: withDefault(scalar(boolean()), true, "Begin every line with the time."),
  logtime_utc: withDefault(scalar(boolean()), false, "Write times in UTC, not in local time."),
  log_file: optional(
    scalar(text({ expected: "a path" })),
    "/var/log/denats.log",
    "File to log to. Default: standard error.",
  ),
  log_size_limit: withDefault(
    scalar(size({ min: 0 })),
    0,
    "Size at which the log file is put aside and a new one begun; 0 is never.",
  ),
  log_max_num: withDefault(
    scalar(integer({ min: 0, max: 100_000 })),
    0,
    "How many log files are kept, the current one included; 0 is all of them.",
  ),
  log: alwaysPresent(log, {}),
};
