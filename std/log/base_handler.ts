import { getLevelByName, getLevelName, type LevelName, type LogLevel } from "./levels.ts";
import type { LogRecord } from "./logger.ts";

export type { LevelName, LogLevel, LogRecord };

/** Makes a line of a record. */
export type FormatterFunction = (logRecord: LogRecord) => string;

/** What a {@link BaseHandler} may be given. */
export interface BaseHandlerOptions {
  /** Makes a line of a record. Default: the level's name and the message. */
  formatter?: FormatterFunction;
}

/** Where records go: formats those of its level and above and writes them somewhere. */
export abstract class BaseHandler {
  #level: LogLevel;
  /** Makes a line of a record. */
  formatter: FormatterFunction;

  /** Handles records of the named level and above. */
  constructor(levelName: LevelName, options?: BaseHandlerOptions) {
    this.#level = getLevelByName(levelName);
    this.formatter = options?.formatter ?? (({ levelName, msg }) => `${levelName} ${msg}`);
  }

  /** The lowest level that is handled. */
  get level(): LogLevel {
    return this.#level;
  }

  /** Changes the lowest level that is handled. */
  set level(level: LogLevel) {
    getLevelName(level);
    this.#level = level;
  }

  /** The name of the lowest level that is handled. */
  get levelName(): LevelName {
    return getLevelName(this.#level);
  }

  /** Changes the lowest level that is handled. */
  set levelName(levelName: LevelName) {
    this.#level = getLevelByName(levelName);
  }

  /** Formats and writes a record, if its level is high enough. */
  handle(logRecord: LogRecord): void {
    if (this.#level > logRecord.level) return;
    this.log(this.format(logRecord));
  }

  /** The line of a record. */
  format(logRecord: LogRecord): string {
    return this.formatter(logRecord);
  }

  /** Writes a line. */
  abstract log(msg: string): void;

  /** Opens what the handler writes to. */
  setup(): void {}

  /** Closes what the handler writes to. */
  destroy(): void {}

  /** Calls {@link BaseHandler.destroy}. */
  [Symbol.dispose](): void {
    this.destroy();
  }
}
