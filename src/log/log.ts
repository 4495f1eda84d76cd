/**
 * What the rooms of the broker log through.
 *
 * @module
 */
import type { BaseHandler } from "@std/log";
import { Logger, LogRecord } from "@std/log/logger";
import { type Level, levelNumbers } from "./level.ts";
import type { LogFields } from "./line.ts";
import type { RepeatLimiter } from "./repeat_limiter.ts";
import { tracePayload } from "./trace_payload.ts";

/** What a {@link Log} is made of; {@link Logging.log} does it. */
export interface LogOptions {
  /** The part of the broker that logs; empty for the broker as a whole. */
  readonly module: string;
  /** The least important lines that are logged. */
  readonly level: Level;
  /** Where lines go. */
  readonly handler: BaseHandler;
  /** What {@link Log.limited} asks. */
  readonly limiter: Pick<RepeatLimiter, "admit">;
  /** How many bytes {@link Log.payload} shows; 0 is all of them. */
  readonly maxTracedBytes: () => number;
  /** Makes the logs that {@link Log.child} returns. */
  readonly child: (module: string) => Log;
}

/** Most lines that {@link Log.limitedBy} lets through in a period; a power of two. */
const MOST_LINES = 16;

/** The part of a {@link Log} that {@link Log.limited} returns. */
export type LimitedLog = Pick<Log, "error" | "warn" | "info" | "debug">;

/**
 * The log of one module. On a hot path, `if (log.traceOn) log.trace(...)` costs one property read
 * while tracing is off.
 */
export class Log {
  /** The part of the broker that logs; empty for the broker as a whole. */
  readonly module: string;
  /** Whether debug lines are logged. Changes with {@link Logging.setLevels}. */
  readonly debugOn: boolean;
  /** Whether trace lines are logged. Changes with {@link Logging.setLevels}. */
  readonly traceOn: boolean;
  readonly #options: LogOptions;
  readonly #logger: Logger;

  /** The log of a module. */
  constructor(options: LogOptions) {
    this.module = options.module;
    this.#options = options;
    this.#logger = new Logger(options.module, "INFO", { handlers: [options.handler] });
    this.debugOn = false;
    this.traceOn = false;
    this.setLevel(options.level);
  }

  /** Changes the least important lines that are logged. */
  setLevel(level: Level): void {
    this.#logger.level = levelNumbers[level];
    const flags = this as { -readonly [Flag in "debugOn" | "traceOn"]: boolean };
    flags.debugOn = levelNumbers[level] <= levelNumbers.debug;
    flags.traceOn = levelNumbers[level] <= levelNumbers.trace;
  }

  /**
   * The log of a part of this module: `client` has `client.parser`. The names of modules are few
   * and fixed; what differs from connection to connection belongs into the fields.
   */
  child(module: string): Log {
    return this.#options.child(this.module === "" ? module : `${this.module}.${module}`);
  }

  /** Logs something that failed and should not have. */
  error(message: string, fields?: LogFields): void {
    this.#logger.error(message, fields);
  }

  /** Logs something that somebody should look at. */
  warn(message: string, fields?: LogFields): void {
    this.#logger.warn(message, fields);
  }

  /** Logs something that happens in the life of a healthy broker, but not often. */
  info(message: string, fields?: LogFields): void {
    this.#logger.info(message, fields);
  }

  /** Logs something that helps to find out why. */
  debug(message: string, fields?: LogFields): void {
    this.#logger.debug(message, fields);
  }

  /** Logs what goes over the wire; secrets have to be taken out before. */
  trace(message: string, fields?: LogFields): void {
    if (!this.traceOn) return;
    const { module, handler } = this.#options;
    handler.handle(
      new LogRecord({
        msg: message,
        args: [fields],
        level: levelNumbers.trace,
        loggerName: module,
      }),
    );
  }

  /**
   * For what may happen very often, such as errors of accept: a log for it, or undefined when `key`
   * was logged less than `per_ms` milliseconds ago. What is logged then has a field `suppressed`
   * that counts what was not.
   *
   * @example
   * ```ts ignore
   * log.limited("slow consumer", 1000)?.warn("Slow consumer", { cid });
   * ```
   */
  limited(key: string, per_ms: number): LimitedLog | undefined {
    const suppressed = this.#options.limiter.admit(`${this.module}\n${key}`, per_ms);
    if (suppressed === undefined) return undefined;
    if (suppressed === 0) return this;
    return {
      error: (message, fields) => this.error(message, { ...fields, suppressed }),
      warn: (message, fields) => this.warn(message, { ...fields, suppressed }),
      info: (message, fields) => this.info(message, { ...fields, suppressed }),
      debug: (message, fields) => this.debug(message, { ...fields, suppressed }),
    };
  }

  /**
   * As {@link Log.limited}, for what may be about many: who fails again and again does not keep the
   * others out of the log. Equal `about` share one line, and there are at most 16 in all.
   */
  limitedBy(key: string, about: string, per_ms: number): LimitedLog | undefined {
    let hash = 0;
    for (let i = 0; i < about.length; i++) hash = Math.imul(hash ^ about.charCodeAt(i), 0x01000193);
    return this.limited(`${key}\n${(hash ^ (hash >>> 16)) & (MOST_LINES - 1)}`, per_ms);
  }

  /** A payload as a trace line shows it: quoted, escaped, cut to the configured length. */
  payload(bytes: Uint8Array): string {
    return tracePayload(bytes, this.#options.maxTracedBytes());
  }
}
