/**
 * What a command of `denats` is, such as `denats convert`: a word after the program's name that asks
 * for something else than a server.
 *
 * @module
 */
import type { Environment } from "../config/mod.ts";
import type { Files } from "../platform/mod.ts";

/** What a command may use of the outside world. */
export interface CommandWorld {
  /** Writes to the standard output; `false` when nobody reads it any more. */
  stdout(text: string): boolean;
  /** Writes to the standard error; `false` when nobody reads it any more. */
  stderr(text: string): boolean;
  /** Where files are read. */
  readonly files: Files;
  /** Environment variables. */
  readonly env: Environment;
}

/** One command. */
export interface Command {
  /** The word that asks for it. */
  readonly name: string;
  /** What follows the word, as it stands in the help: `"[--ignore-unsupported] <file>"`. */
  readonly usage: string;
  /** What it does, in one line of at most 64 characters. */
  readonly help: string;
  /** More about it, for its own `--help`: whole lines. */
  readonly details?: readonly string[];
  /**
   * Does it.
   *
   * @param args The arguments after the word.
   * @returns The exit code: 0 when all is well.
   * @throws {FlagError} when the arguments are wrong; the message is one line.
   * @throws {ConfigError} when a configuration is wrong.
   */
  run(args: readonly string[], world: CommandWorld): Promise<number>;
}
