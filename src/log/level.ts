/**
 * The levels of the log.
 *
 * @module
 */
import { type LogLevel, LogLevels } from "@std/log";

/** The least important lines that are logged. */
export type Level = "trace" | "debug" | "info" | "warn" | "error";

/** The levels as `@std/log` numbers them; it has none below debug, so trace is "not set". */
export const levelNumbers: Readonly<Record<Level, LogLevel>> = {
  trace: LogLevels.NOTSET,
  debug: LogLevels.DEBUG,
  info: LogLevels.INFO,
  warn: LogLevels.WARN,
  error: LogLevels.ERROR,
};

/** The level of a number, and how nats-server marks its lines. */
export const levelsByNumber: ReadonlyMap<number, { readonly name: string; readonly tag: string }> =
  new Map(
    Object.entries({
      trace: "TRC",
      debug: "DBG",
      info: "INF",
      warn: "WRN",
      error: "ERR",
    }).map(([name, tag]) => [levelNumbers[name as Level], { name, tag }]),
  );
