/**
 * The log of a broker: its levels, its form and where it goes.
 *
 * @module
 */
import { BaseHandler } from "@std/log";
import { LogRecord } from "@std/log/logger";
import type { Clock, Files } from "../platform/mod.ts";
import { type Level, levelNumbers } from "./level.ts";
import { lineFormatter } from "./line.ts";
import { Log } from "./log.ts";
import { LogOutput } from "./log_output.ts";
import { RepeatLimiter } from "./repeat_limiter.ts";

/** What is logged, how and where to; the names are those of the configuration. */
export interface LoggingConfig {
  /** The least important lines that are logged. */
  readonly level: Level;
  /** Levels of single modules, by name; one for `client` is also that of `client.parser`. */
  readonly levels?: Readonly<Record<string, Level>> | undefined;
  /** Lines as nats-server writes them, or one JSON object a line. */
  readonly format: "text" | "json";
  /** File to log to; undefined for the standard error. */
  readonly log_file?: string | undefined;
  /** Size in bytes at which the file is put aside and a new one begun; 0 is never. */
  readonly log_size_limit: number;
  /** How many files are kept, the current one included; 0 is all of them. */
  readonly log_max_num: number;
  /** Whether every line has the time. */
  readonly logtime: boolean;
  /** Whether times are in UTC instead of local time. */
  readonly logtime_utc: boolean;
  /** How many bytes of a payload are traced; 0 is all of it. */
  readonly max_traced_msg_len: number;
}

/** What a {@link Logging} needs. */
export interface LoggingOptions {
  /** The time of the lines. */
  readonly clock: Clock;
  /** Where the file is. */
  readonly files: Files;
  /** The process id, part of every line. */
  readonly pid: number;
  /** Writes all of a text to the standard error; what it returns or throws is ignored. */
  readonly stderrWrite: (text: string) => unknown;
  /** What is logged, how and where to. */
  readonly config: LoggingConfig;
}

/** A change of a log that is ready to be made. */
export interface LoggingChange {
  /** Makes it. */
  apply(): void;
  /** Takes it back. */
  rollback(): void;
  /** Gives back what was written to before; after that it cannot be taken back. */
  finish(): void;
  /** Gives back what was opened, where it is not made. */
  discard(): void;
}

/** How many modules have a log of their own; more would mean that names are made up on the go. */
const maxModules = 256;

/** Owns where lines go, and hands out the logs of the modules. */
export class Logging implements Disposable {
  readonly #options: Omit<LoggingOptions, "config">;
  #config: LoggingConfig;
  #output: LogOutput;
  readonly #handler: OutputHandler;
  readonly #limiter: RepeatLimiter;
  readonly #logs = new Map<string, Log>();
  #level: Level;
  #levels: ReadonlyMap<string, Level>;

  /** Opens the log file, if there is one; until that works, lines go to the standard error. */
  constructor(options: LoggingOptions) {
    const { clock, config } = options;
    this.#options = options;
    this.#config = config;
    this.#level = config.level;
    this.#levels = new Map(Object.entries(config.levels ?? {}));
    this.#limiter = new RepeatLimiter(clock);
    this.#output = this.#outputOf(config);
    this.#handler = new OutputHandler(this.#output, this.#lineOf(config));
  }

  #lineOf({ format, logtime, logtime_utc }: LoggingConfig): (record: LogRecord) => string {
    const { clock, pid } = this.#options;
    return lineFormatter(clock, { format, logtime, logtime_utc, pid });
  }

  #outputOf(config: LoggingConfig): LogOutput {
    const { clock, files, stderrWrite } = this.#options, line = this.#lineOf(config);
    return new LogOutput({
      clock,
      files,
      stderrWrite,
      path: config.log_file,
      sizeLimit: config.log_size_limit,
      maxFiles: config.log_max_num,
      utc: config.logtime_utc,
      line: (level, msg) =>
        line(new LogRecord({ msg, args: [], level: levelNumbers[level], loggerName: "log" })),
    });
  }

  /**
   * Makes ready to log otherwise: opens what is to be written to, and changes nothing else yet.
   *
   * @throws {FileError} when the file cannot be opened.
   */
  prepare(config: LoggingConfig): LoggingChange {
    const { files } = this.#options, before = this.#config;
    // An output does without a file that it cannot have; whoever changes it should learn of that.
    if (config.log_file !== undefined) files.openAppend(config.log_file).close();
    const old = this.#output, output = this.#outputOf(config);
    return {
      apply: () => this.#use(config, output),
      rollback: () => this.#use(before, old),
      finish: () => old.close(),
      discard: () => output.close(),
    };
  }

  #use(config: LoggingConfig, output: LogOutput): void {
    this.#config = config;
    this.#output = output;
    this.#handler.use(output, this.#lineOf(config));
    this.setLevels(config.level, config.levels);
  }

  /**
   * The log of a module, one of {@link LOG_MODULES} or a part of it (`client`, `client.parser`);
   * without a name that of the broker.
   */
  log(module = ""): Log {
    const known = this.#logs.get(module);
    if (known !== undefined) return known;
    // One log too many is shared: a name that differs each time must not become a leak.
    const name = this.#logs.size < maxModules ? module : "";
    const log = this.#logs.get(name) ?? new Log({
      module: name,
      level: this.#levelOf(name),
      handler: this.#handler,
      limiter: this.#limiter,
      maxTracedBytes: () => this.#config.max_traced_msg_len,
      child: (child) => this.log(child),
    });
    this.#logs.set(name, log);
    return log;
  }

  /**
   * Opens the log file anew: after it was moved away (SIGUSR1), or to try again at once after it
   * failed, which otherwise happens every second. False when it cannot be opened or written; that is
   * said on the standard error, and what was open before is written on.
   */
  reopen(): boolean {
    return this.#output.reopen();
  }

  /** Changes the levels of all modules, at once and of the logs handed out before too. */
  setLevels(level: Level, levels: Readonly<Record<string, Level>> = {}): void {
    this.#level = level;
    this.#levels = new Map(Object.entries(levels));
    for (const log of this.#logs.values()) log.setLevel(this.#levelOf(log.module));
  }

  /** Closes the log file. What is still logged goes to the standard error. */
  close(): void {
    this.#output.close();
  }

  /** Calls {@link Logging.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #levelOf(module: string): Level {
    for (let name = module; name !== ""; name = name.slice(0, Math.max(0, name.lastIndexOf(".")))) {
      const level = this.#levels.get(name);
      if (level !== undefined) return level;
    }
    return this.#level;
  }
}

/** Hands the lines of `@std/log` to the output; the logs decide by their levels what gets here. */
class OutputHandler extends BaseHandler {
  #output: LogOutput;

  constructor(output: LogOutput, formatter: (record: LogRecord) => string) {
    super("NOTSET", { formatter });
    this.#output = output;
  }

  /** Writes there, and in that form, from now on. */
  use(output: LogOutput, formatter: (record: LogRecord) => string): void {
    this.#output = output;
    this.formatter = formatter;
  }

  override log(line: string): void {
    this.#output.write(line);
  }
}
