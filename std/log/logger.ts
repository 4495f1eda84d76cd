import type { BaseHandler } from "./base_handler.ts";
import {
  getLevelByName,
  getLevelName,
  type LevelName,
  type LogLevel,
  LogLevels,
} from "./levels.ts";

/** Any function: what {@link Logger}'s methods call for their message when they are given one. */
// deno-lint-ignore no-explicit-any -- as in the original
export type GenericFunction = (...args: any[]) => any;

/** What a {@link LogRecord} is made of. */
export interface LogRecordOptions {
  /** The message. */
  msg: string;
  /** What was given besides the message. */
  args: unknown[];
  /** How much it matters. */
  level: LogLevel;
  /** Who says it. */
  loggerName: string;
}

/** Something that is logged. */
export class LogRecord {
  /** The message. */
  readonly msg: string;
  /** How much it matters. */
  readonly level: number;
  /** The name of the level. */
  readonly levelName: string;
  /** Who says it. */
  readonly loggerName: string;
  readonly #args: unknown[];
  readonly #datetime = new Date();

  /** A record of this moment. */
  constructor(options: LogRecordOptions) {
    this.msg = options.msg;
    this.level = options.level;
    this.levelName = getLevelName(options.level);
    this.loggerName = options.loggerName;
    this.#args = [...options.args];
  }

  /** What was given besides the message; a copy. */
  get args(): unknown[] {
    return [...this.#args];
  }

  /** When it was logged; a copy. */
  get datetime(): Date {
    return new Date(this.#datetime.getTime());
  }
}

/** What a {@link Logger} may be given. */
export interface LoggerOptions {
  /** Where its records go. Default: nowhere. */
  handlers?: BaseHandler[];
}

/** Hands what it is told to its handlers, if it matters enough. */
export class Logger {
  /** Where its records go. */
  handlers: BaseHandler[];
  readonly #loggerName: string;
  #level: LogLevel;

  /** A logger for messages of the named level and above. */
  constructor(loggerName: string, levelName: LevelName, options: LoggerOptions = {}) {
    this.#loggerName = loggerName;
    this.#level = getLevelByName(levelName);
    this.handlers = options.handlers ?? [];
  }

  /** The lowest level that is logged. */
  get level(): LogLevel {
    return this.#level;
  }

  /**
   * Changes the lowest level that is logged.
   *
   * @throws {TypeError} when there is no such level.
   */
  set level(level: LogLevel) {
    if (!Object.values(LogLevels).includes(level)) {
      throw new TypeError(`Invalid log level: ${level}`);
    }
    this.#level = level;
  }

  /** The name of the lowest level that is logged. */
  get levelName(): LevelName {
    return getLevelName(this.#level);
  }

  /** Changes the lowest level that is logged. */
  set levelName(levelName: LevelName) {
    this.#level = getLevelByName(levelName);
  }

  /** Its name. */
  get loggerName(): string {
    return this.#loggerName;
  }

  /** Logs what `msg` returns; it is not called when the level is off. */
  debug<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs and returns `msg`. */
  debug<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  debug(msg: unknown, ...args: unknown[]): unknown {
    return this.#log(LogLevels.DEBUG, msg, args);
  }

  /** Logs what `msg` returns; it is not called when the level is off. */
  info<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs and returns `msg`. */
  info<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  info(msg: unknown, ...args: unknown[]): unknown {
    return this.#log(LogLevels.INFO, msg, args);
  }

  /** Logs what `msg` returns; it is not called when the level is off. */
  warn<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs and returns `msg`. */
  warn<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  warn(msg: unknown, ...args: unknown[]): unknown {
    return this.#log(LogLevels.WARN, msg, args);
  }

  /** Logs what `msg` returns; it is not called when the level is off. */
  error<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs and returns `msg`. */
  error<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  error(msg: unknown, ...args: unknown[]): unknown {
    return this.#log(LogLevels.ERROR, msg, args);
  }

  /** Logs what `msg` returns; it is not called when the level is off. */
  critical<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs and returns `msg`. */
  critical<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  critical(msg: unknown, ...args: unknown[]): unknown {
    return this.#log(LogLevels.CRITICAL, msg, args);
  }

  #log(level: LogLevel, msg: unknown, args: unknown[]): unknown {
    const lazy = typeof msg === "function";
    if (this.#level > level) return lazy ? undefined : msg;
    const said: unknown = lazy ? msg() : msg;
    const record = new LogRecord({
      msg: asString(said, false),
      args,
      level,
      loggerName: this.#loggerName,
    });
    for (const handler of this.handlers) handler.handle(record);
    return said;
  }
}

function asString(data: unknown, quoted: boolean): string {
  if (typeof data === "string") return quoted ? `"${data}"` : data;
  if (data instanceof Error) return data.stack!;
  if (typeof data === "object" && data !== null) {
    const members = Object.entries(data).map(([key, value]) => `"${key}":${asString(value, true)}`);
    return `{${members.join(",")}}`;
  }
  return typeof data === "function" ? "undefined" : String(data);
}
