/**
 * Reads the arguments of a command.
 *
 * @module
 */
import { FlagError } from "../config/mod.ts";

/** The switch of commands that read configurations which denats does not support all of. */
export const IGNORE_UNSUPPORTED = "ignore-unsupported";

/** The flags that a command has, by their names without dashes. */
export interface ArgumentNames {
  /** Flags without a value. */
  readonly switches?: readonly string[];
  /** Flags with one. */
  readonly values?: readonly string[];
  /** Short names, `c` for `config`. */
  readonly short?: Readonly<Record<string, string>>;
  /** The fewest and the most words that are no flags. */
  readonly words: readonly [min: number, max: number];
}

/** The arguments of a command. */
export interface Arguments {
  /** The switches that are on. */
  readonly switches: ReadonlySet<string>;
  /** Values by the name of their flag; the last one counts. */
  readonly values: ReadonlyMap<string, string>;
  /** The words that are no flags. */
  readonly words: readonly string[];
}

/**
 * Takes arguments apart. As with the server's flags one dash or two may stand before a name, and a
 * value follows as the next argument or after `=`; flags may stand between words, up to `--`.
 *
 * @throws {FlagError} when a flag is unknown, a value is missing, or there are too few or many words.
 */
export function readArguments(args: readonly string[], names: ArgumentNames): Arguments {
  const { switches = [], values = [], short = {}, words: [min, max] } = names;
  const on = new Set<string>();
  const given = new Map<string, string>();
  const words: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (arg === "--") {
      words.push(...args.slice(index + 1));
      break;
    }
    const [, typed, value] = /^--?([A-Za-z][\w-]*)(?:=([^]*))?$/.exec(arg) ?? [];
    if (typed === undefined) {
      if (arg.startsWith("-") && arg !== "-") throw new FlagError(`bad flag syntax: ${shown(arg)}`);
      words.push(arg);
      continue;
    }
    const name = (Object.hasOwn(short, typed) ? short[typed] : undefined) ?? typed;
    if (switches.includes(name)) {
      if (value !== undefined && value !== "true" && value !== "false") {
        throw new FlagError(`flag --${name}: expected true or false`);
      }
      if (value === "false") on.delete(name);
      else on.add(name);
    } else if (values.includes(name)) {
      const text = value ?? args[++index];
      if (text === undefined || text === "") throw new FlagError(`flag --${name} needs a value`);
      given.set(name, text);
    } else {
      throw new FlagError(`unknown flag ${shown(arg.replace(/=[^]*$/, ""))}`);
    }
  }
  if (words.length < min) throw new FlagError("an argument is missing");
  if (words.length > max) throw new FlagError(`unexpected argument ${shown(words[max] ?? "")}`);
  return { switches: on, values: given, words };
}

/** An argument of a message: nobody is helped by pages of it. */
function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}
