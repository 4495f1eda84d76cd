/**
 * Reads the command's arguments, which are written as Go programs take them.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import type { Shape } from "./fields.ts";
import { dashed, type Flag, flagsByName, type Mode } from "./flag_table.ts";
import { Refusal } from "./kind.ts";
import type { Override } from "./overrides.ts";
import type { Path } from "./problem.ts";
import { configShape } from "./schema.ts";
import { nearest } from "./suggestion.ts";

/** What the command was asked. */
export interface Flags {
  /** What to do. */
  readonly mode: Mode;
  /** The configuration file, where one was named. */
  readonly configFile?: string | undefined;
  /** Whether settings of the file are ignored that denats does not have yet. */
  readonly ignoreUnsupported?: boolean;
  /** Settings that were given by flags; every value was checked by itself. */
  readonly overrides: readonly Override[];
  /** What is to be said to another server, by nats-server's word, and to which: a pid or a pid file. */
  readonly signal?: { readonly name: string; readonly target?: string | undefined } | undefined;
}

/** The command's arguments were refused; the message is one line, and holds no secret. */
export class FlagError extends Error {
  /** Always `"FlagError"`. */
  override readonly name = "FlagError";
}

/**
 * Rewrites Go-style flags to the one form `--name=value`: one dash or two, `-p 4222`, `-p -1`,
 * `-p=4222`, `-DV`, `-T=false`, with a flag's one name for all its names, if it is supported. What is
 * no known flag is left for {@link parseFlags} to refuse; as in Go, everything from the first word that is no flag
 * on is left alone. Never throws; rewriting twice changes nothing more.
 */
export function normaliseArguments(args: readonly string[]): string[] {
  const result: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (!arg.startsWith("-") || arg === "-" || arg === "--") {
      return [...result, ...args.slice(index)];
    }
    const { name, value } = splitFlag(arg);
    const flag = flagsByName.get(name);
    if (flag === undefined) {
      result.push(isFlagSyntax(arg) ? `--${arg.replace(/^--?/, "")}` : arg);
      continue;
    }
    // What is refused is refused by the name that was typed.
    const written = flag.help === undefined ? name : flag.name;
    if (value !== undefined) {
      result.push(`--${written}=${value}`);
    } else if (flag.value === undefined) {
      result.push(`--${written}=true`);
    } else if (index + 1 < args.length) {
      result.push(`--${written}=${args[++index] ?? ""}`);
    } else {
      result.push(`--${written}`);
    }
  }
  return result;
}

function splitFlag(arg: string): { readonly name: string; readonly value?: string } {
  const text = arg.replace(/^--?/, "");
  const equals = text.indexOf("=");
  return equals < 0
    ? { name: text }
    : { name: text.slice(0, equals), value: text.slice(equals + 1) };
}

function isFlagSyntax(arg: string): boolean {
  return /^--?[^-=]/.test(arg);
}

/**
 * Reads the command's arguments (those after the program's name).
 *
 * @throws {FlagError} on the first unknown or unsupported flag, missing value, value out of range or
 * unexpected word.
 */
export function parseFlags(args: readonly string[]): Flags {
  const normalised = normaliseArguments(args);
  const end = normalised.findIndex((arg) => !arg.startsWith("-") || arg === "-" || arg === "--");
  const given = end < 0 ? normalised : normalised.slice(0, end);
  const [word, ...others] = end < 0 ? [] : normalised.slice(end).filter((arg) => arg !== "--");
  for (const arg of given) checkFlag(arg);
  // No flag is declared boolean: each has its value by now, and parseArgs would take any text for
  // true, and an absent flag for false.
  const values = parseArgs([...given], { string: [...flagsByName.keys()] });
  const flags = [...new Set(flagsByName.values())].flatMap((flag) => {
    const value: unknown = values[flag.name];
    return typeof value === "string" ? [{ flag, value: valueOf(flag, value) }] : [];
  });
  const overrides = flags.flatMap(({ flag, value }) => overridesOf(flag, value));
  const config = flags.find(({ flag }) => flag.name === "config")?.value;
  const ignoreUnsupported = flags.some(({ flag, value }) =>
    flag.name === "ignore-unsupported" && value === "true"
  );
  const mode = modeOf(flags, config, word, others);
  return {
    mode,
    configFile: config,
    ...(ignoreUnsupported ? { ignoreUnsupported } : {}),
    overrides,
    ...signalOf(flags.find(({ flag }) => flag.name === "signal")?.value),
  };
}

/** `reload` or `reload=pid`. */
function signalOf(value: string | undefined): Pick<Flags, "signal"> {
  if (value === undefined) return {};
  const [name = "", ...rest] = value.split("=");
  return { signal: { name, ...(rest.length > 0 && { target: rest.join("=") }) } };
}

/** Modes that were asked for, the one that wins first. */
const modePrecedence: readonly Mode[] = [
  "version",
  "help",
  "json schema",
  "print config",
  "check",
];

function modeOf(
  flags: readonly { readonly flag: Flag; readonly value: string }[],
  config: string | undefined,
  word: string | undefined,
  others: readonly string[],
): Mode {
  if (word === "help" || word === "version") {
    if (others[0] !== undefined) throw unexpectedWord(others[0]);
    return word;
  }
  if (word !== undefined) throw unexpectedWord(word);
  const asked = new Set(flags.filter(({ value }) => value === "true").map(({ flag }) => flag.mode));
  const signalled = flags.some(({ flag }) => flag.name === "signal");
  const mode = modePrecedence.find((item) => asked.has(item)) ?? (signalled ? "signal" : "run");
  if (mode === "check" && config === undefined) {
    throw new FlagError("-t checks a configuration file: name it with -c <file>");
  }
  return mode;
}

function unexpectedWord(word: string): FlagError {
  return new FlagError(
    `unexpected argument ${JSON.stringify(shorten(word))}: only a command may be the first word`,
  );
}

/** An argument of a message: nobody is helped by pages of it. */
function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

function checkFlag(arg: string): void {
  const { name, value } = splitFlag(arg);
  if (!isFlagSyntax(arg)) throw new FlagError(`bad flag syntax: ${shorten(arg)}`);
  const flag = flagsByName.get(name);
  if (flag === undefined) {
    const near = nearest(name, flagsByName.keys());
    throw new FlagError(
      `unknown flag ${dashed(shorten(name))}` +
        (near === undefined ? "" : ` (did you mean ${dashed(near)}?)`),
    );
  }
  if (flag.help === undefined) {
    throw new FlagError(`flag ${dashed(name)} is not supported by this version of denats`);
  }
  if (value === undefined || value === "") {
    throw new FlagError(`flag ${dashed(flag.name)} needs a value: <${flag.value ?? "true|false"}>`);
  }
}

const trueWords = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const falseWords = new Set(["0", "f", "F", "false", "FALSE", "False"]);

/** The value of a flag; that of a switch is one of the words Go takes, made `true` or `false`. */
function valueOf(flag: Flag, text: string): string {
  if (flag.value !== undefined) return text;
  if (trueWords.has(text)) return "true";
  if (falseWords.has(text)) return "false";
  throw new FlagError(
    `flag ${dashed(flag.name)}: expected true or false, found ${JSON.stringify(shorten(text))}`,
  );
}

function overridesOf(flag: Flag, value: string): Override[] {
  const source = dashed(flag.name);
  const settings = flag.reads?.(value) ?? [];
  if (settings instanceof Refusal) throw refusalOf(source, settings, undefined);
  return [
    ...(flag.sets ?? []).map((path) => checkedOverride(source, path, value)),
    ...settings.map(([path, part]) =>
      part === undefined ? { source, path, value: part } : checkedOverride(source, path, part)
    ),
  ];
}

function checkedOverride(source: string, path: Path, value: string): Override {
  let shape: Shape | undefined = configShape;
  for (const step of path) {
    shape = shape?.type === "block" ? shape.fields.get(String(step))?.shape : undefined;
  }
  const isList = shape?.type === "list";
  const scalar = shape?.type === "list" ? shape.item : shape;
  if (scalar?.type !== "scalar") throw new TypeError(`flag ${source} sets no scalar`);
  const items = isList ? value.split(",").map((item) => item.trim()) : [value];
  for (const item of items) {
    const result = scalar.kind.read(item);
    if (result instanceof Refusal) {
      throw refusalOf(source, result, scalar.kind.secret ? undefined : item);
    }
  }
  return { source, path, value: isList ? items : value };
}

/** What is wrong with a value, which is not shown where it is not given. */
function refusalOf(source: string, { expected, hint }: Refusal, value?: string): FlagError {
  const found = value === undefined ? "a text (not shown)" : JSON.stringify(shorten(value));
  return new FlagError(
    `flag ${source}: expected ${expected}, found ${found}${hint === undefined ? "" : ` (${hint})`}`,
  );
}
