/**
 * A record as one line, for people or for machines.
 *
 * @module
 */
import type { LogRecord } from "@std/log";
import type { Clock } from "../platform/mod.ts";
import { escapeJson, escapeText, valueText } from "./escape.ts";
import { levelsByNumber } from "./level.ts";
import { isoTimestamp, TimestampWriter } from "./timestamp.ts";

/** What a field may hold; undefined is left out, an Error is shown with its stack. */
export type LogValue = string | number | bigint | boolean | null | undefined | Error;

/** What a message is about: cid, name, account, address and the like. */
export type LogFields = Readonly<Record<string, LogValue>>;

/** How lines look. */
export interface LineOptions {
  /** `"text"`: as nats-server writes them; `"json"`: one object a line. */
  readonly format: "text" | "json";
  /** Whether a line has the time. */
  readonly logtime: boolean;
  /** Whether the time of a text line is in UTC; that of a JSON line always is. */
  readonly logtime_utc: boolean;
  /** The process id, part of every line. */
  readonly pid: number;
}

/** Where a field's text is cut, in UTF-16 units: peers choose some of them. */
const maxValueLength = 8192;

/** The members of a JSON line that a field may not replace. */
const ownMembers: ReadonlySet<string> = new Set(["time", "level", "pid", "module", "message"]);

/**
 * A function that makes a line, without its end, of a record whose first argument, if any, is
 * {@link LogFields}. The time is the clock's.
 */
export function lineFormatter(clock: Clock, options: LineOptions): (record: LogRecord) => string {
  return options.format === "json" ? jsonLine(clock, options) : textLine(clock, options);
}

/** `[pid] 2026/11/22 13:43:24.123456 [INF] message module=client cid=17 name="my app"` */
function textLine(clock: Clock, options: LineOptions): (record: LogRecord) => string {
  const timestamps = options.logtime ? new TimestampWriter(options.logtime_utc) : undefined;
  return (record) => {
    const tag = levelsByNumber.get(record.level)!.tag;
    const time = timestamps === undefined ? "" : `${timestamps.write(clock.now())} `;
    let line = `[${options.pid}] ${time}[${tag}] ${escapeText(record.msg)}`;
    if (record.loggerName !== "") line += ` module=${record.loggerName}`;
    for (const [key, value] of Object.entries(fieldsOf(record))) {
      if (value === undefined) continue;
      const plain = plainValue(value);
      line += ` ${key}=${typeof plain === "string" ? valueText(plain) : plain}`;
    }
    return line;
  };
}

/** `{"time":"2026-11-22T13:43:24.123456Z","level":"info","pid":1,"message":"...","cid":17}` */
function jsonLine(clock: Clock, options: LineOptions): (record: LogRecord) => string {
  return (record) => {
    const members: Record<string, unknown> = {};
    if (options.logtime) members["time"] = isoTimestamp(clock.now());
    members["level"] = levelsByNumber.get(record.level)!.name;
    members["pid"] = options.pid;
    if (record.loggerName !== "") members["module"] = record.loggerName;
    members["message"] = record.msg;
    for (const [key, value] of Object.entries(fieldsOf(record))) {
      if (value === undefined) continue;
      const plain = plainValue(value);
      members[ownMembers.has(key) ? `${key}_` : key] = typeof plain === "bigint"
        ? String(plain)
        : plain;
    }
    return escapeJson(JSON.stringify(members));
  };
}

function fieldsOf(record: LogRecord): LogFields {
  return (record.args[0] ?? {}) as LogFields;
}

function plainValue(value: Exclude<LogValue, undefined>): Exclude<LogValue, undefined | Error> {
  const plain = value instanceof Error ? errorText(value) : value;
  if (typeof plain !== "string" || plain.length <= maxValueLength) return plain;
  return `${plain.slice(0, maxValueLength)}...`;
}

/** An error with its stack and what caused it. */
function errorText(error: Error): string {
  try {
    const text = error.stack ?? `${error.name}: ${error.message}`;
    return error.cause instanceof Error ? `${text}\nCaused by: ${error.cause.stack}` : text;
  } catch {
    return "an error that cannot be shown"; // its getters throw; logging must not
  }
}
