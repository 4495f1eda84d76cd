import type { Aliases, Args, Name, ParsedArgs, ParseOptions } from "./parse_args_types.ts";

export type { Args, ParseOptions };

type Tree = { [key: string]: unknown };

/**
 * Reads command line arguments: `--name value`, `--name=value`, `--flag`, `--no-flag`, `-n value`,
 * `-nvalue`, `-abc`. A value that looks like a number becomes one unless its flag is declared a
 * string; a name with dots becomes nested objects.
 *
 * @throws {TypeError} on an alias without a value.
 */
export function parseArgs<
  DoubleDash extends boolean | undefined = undefined,
  Booleans extends Name = undefined,
  Strings extends Name = undefined,
  Collected extends Name = undefined,
  Negatable extends Name = undefined,
  const Defaults extends Record<string, unknown> | undefined = undefined,
  const Alias extends Aliases | undefined = undefined,
>(
  args: string[],
  options?: ParseOptions<
    Booleans,
    Strings,
    Collected,
    Negatable,
    Defaults,
    Alias,
    DoubleDash
  >,
): ParsedArgs<Booleans, Strings, Collected, Negatable, Defaults, Alias, DoubleDash> {
  const parser = new Parser((options ?? {}) as ParseOptions);
  parser.read(args);
  return parser.result() as ParsedArgs<
    Booleans,
    Strings,
    Collected,
    Negatable,
    Defaults,
    Alias,
    DoubleDash
  >;
}

class Parser {
  readonly #options: ParseOptions;
  readonly #aliases: Map<string, Set<string>>;
  readonly #booleans: Set<string>;
  readonly #strings: Set<string>;
  readonly #collected: Set<string>;
  readonly #negatable: Set<string>;
  readonly #allBooleans: boolean;
  readonly #flags: Tree = {};
  readonly #positional: Array<string | number> = [];
  #afterDoubleDash: string[] = [];

  constructor(options: ParseOptions) {
    this.#options = options;
    this.#aliases = aliasMap(options.alias);
    this.#allBooleans = options.boolean === true;
    this.#booleans = this.#names(typeof options.boolean === "boolean" ? [] : options.boolean);
    this.#strings = this.#names(options.string);
    this.#collected = this.#names(options.collect);
    this.#negatable = this.#names(options.negatable);
    this.#flags["_"] = this.#positional;
  }

  #names(declared: string | readonly string[] | undefined): Set<string> {
    const names = new Set<string>();
    for (const name of typeof declared === "string" ? [declared] : declared ?? []) {
      if (name === "") continue;
      names.add(name);
      for (const alias of this.#aliases.get(name) ?? []) names.add(alias);
    }
    return names;
  }

  read(all: readonly string[]): void {
    const end = all.indexOf("--");
    const args = end < 0 ? all : all.slice(0, end);
    this.#afterDoubleDash = end < 0 ? [] : all.slice(end + 1);

    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!;
      const next = args[i + 1];
      if (arg.length > 2 && arg.startsWith("--")) {
        if (this.#readLong(arg, next)) i++;
      } else if (arg.length > 1 && arg.startsWith("-")) {
        if (this.#readShort(arg, next)) i++;
      } else {
        if (this.#options.unknown?.(arg) !== false) {
          const number = isNumber(arg) && !this.#strings.has("_");
          this.#positional.push(number ? Number(arg) : arg);
        }
        if (this.#options.stopEarly) {
          this.#positional.push(...args.slice(i + 1));
          return;
        }
      }
    }
  }

  /** Reads a flag with two dashes; true when `next` was its value. */
  #readLong(arg: string, next: string | undefined): boolean {
    // The name has at least one character, and so has the value, which is all after the first "=".
    const equals = arg.indexOf("=", arg.startsWith("--no-") && arg.length > 5 ? 6 : 3);
    const hasValue = equals >= 0 && equals < arg.length - 1;
    const name = arg.slice(2, hasValue ? equals : undefined);
    // In `--no-name=value` the value counts and the "no-" does not.
    const negated = name.startsWith("no-") && name.length > 3;
    if (hasValue) {
      const key = negated ? name.slice(3) : name;
      const value = arg.slice(equals + 1);
      this.#set(key, this.#booleans.has(key) ? value !== "false" : value, arg);
      return false;
    }
    if (negated && this.#negatable.has(name.slice(3))) {
      this.#set(name.slice(3), false, arg, { replace: true });
      return false;
    }
    if (next) {
      if (!this.#takesNoValue(name) && !this.#allBooleans && !next.startsWith("-")) {
        this.#set(name, next, arg);
        return true;
      }
      if (next === "true" || next === "false") {
        this.#set(name, next === "true", arg);
        return true;
      }
    }
    this.#set(name, this.#strings.has(name) ? "" : true, arg);
    return false;
  }

  /** Reads flags with one dash, of one letter each; true when `next` was the last one's value. */
  #readShort(arg: string, next: string | undefined): boolean {
    for (let i = 1; i < arg.length - 1; i++) {
      const letter = arg[i]!;
      const rest = arg.slice(i + 1);
      if (rest === "-") {
        this.#set(letter, rest, arg);
        continue;
      }
      const value = attachedValue(letter, rest, arg.length - 1 - i > 1);
      if (value !== undefined) {
        this.#set(letter, value, arg);
        return false;
      }
      this.#set(letter, this.#strings.has(letter) ? "" : true, arg);
    }
    const key = arg.at(-1)!;
    if (key === "-") return false;
    if (next) {
      if (!/^--?[^-]/.test(next) && !this.#takesNoValue(key)) {
        this.#set(key, next, arg);
        return true;
      }
      if (next === "true" || next === "false") {
        this.#set(key, next === "true", arg);
        return true;
      }
    }
    this.#set(key, this.#strings.has(key) ? "" : true, arg);
    return false;
  }

  #takesNoValue(key: string): boolean {
    if (this.#booleans.has(key)) return true;
    for (const alias of this.#aliases.get(key) ?? []) {
      if (this.#booleans.has(alias)) return true;
    }
    return false;
  }

  #set(key: string, given: string | boolean, arg: string, how?: { replace: true }): void {
    const known = this.#booleans.has(key) || this.#strings.has(key) || this.#aliases.has(key) ||
      this.#collected.has(key) || this.#allBooleans && /^--[^=]+$/.test(arg);
    if (!known && this.#options.unknown?.(arg, key, given) === false) return;

    const value = typeof given === "string" && !this.#strings.has(key) && isNumber(given)
      ? Number(given)
      : given;
    const collect = how === undefined && this.#collected.has(key);
    for (const name of [key, ...this.#aliases.get(key) ?? []]) {
      setNested(this.#flags, name.split("."), value, collect);
    }
  }

  result(): Tree {
    for (const [key, value] of Object.entries(this.#options.default ?? {})) {
      if (hasNested(this.#flags, key.split("."))) continue;
      for (const name of [key, ...this.#aliases.get(key) ?? []]) {
        setNested(this.#flags, name.split("."), value, false);
      }
    }
    for (const key of this.#booleans) {
      this.#setMissing(key, this.#collected.has(key) ? [] : false);
    }
    for (const key of this.#strings) {
      if (this.#collected.has(key)) this.#setMissing(key, []);
    }
    if (this.#options["--"]) this.#flags["--"] = this.#afterDoubleDash;
    else this.#positional.push(...this.#afterDoubleDash);
    return this.#flags;
  }

  #setMissing(key: string, value: unknown): void {
    const path = key.split(".");
    if (!hasNested(this.#flags, path)) setNested(this.#flags, path, value, false);
  }
}

/** The value written right after a letter (`-n5`, `-n=x`, `-n/path`), if `rest` is one. */
function attachedValue(letter: string, rest: string, hasMore: boolean): string | undefined {
  if (/[A-Za-z]/.test(letter)) {
    const assigned = /=(.+)/.exec(rest)?.[1];
    if (assigned !== undefined) return assigned;
    if (/-?\d+(\.\d*)?(e-?\d+)?$/.test(rest)) return rest;
  }
  return hasMore && /\W/.test(rest[0]!) ? rest : undefined;
}

function aliasMap(aliases: Aliases | undefined): Map<string, Set<string>> {
  const map = new Map<string, Set<string>>();
  for (const [name, value] of Object.entries(aliases ?? {})) {
    if (value === undefined) throw new TypeError("Alias value must be defined");
    const all = [name, ...(typeof value === "string" ? [value] : value)];
    for (const each of all) map.set(each, new Set(all.filter((other) => other !== each)));
  }
  return map;
}

function isNumber(text: string): boolean {
  return /\S/.test(text) && Number.isFinite(Number(text));
}

function setNested(tree: Tree, path: string[], value: unknown, collect: boolean): void {
  for (const key of path.slice(0, -1)) tree = (tree[key] ??= {}) as Tree;
  const key = path.at(-1)!;
  if (!collect) {
    tree[key] = value;
    return;
  }
  const before = tree[key];
  if (Array.isArray(before)) before.push(value);
  else tree[key] = before ? [before, value] : [value];
}

function hasNested(tree: Tree, path: string[]): boolean {
  for (const key of path) {
    if (!Object.hasOwn(tree, key)) return false;
    tree = tree[key] as Tree;
  }
  return true;
}
