/**
 * Texts in nats-server's configuration format: values written in one of the many ways they may be
 * spelt, and read back.
 *
 * @module
 */
import { readConfFiles } from "../../src/config/conf/files.ts";
import { resolveConf } from "../../src/config/conf/resolve.ts";
import type { ConfNode } from "../../src/config/conf/tree.ts";
import { FileError, type Random } from "../../src/platform/mod.ts";

/** A value, with the type that nats-server sees. */
export type ConfValue =
  | { readonly string: string }
  | { readonly integer: string }
  | { readonly float: string }
  | { readonly boolean: boolean }
  | { readonly datetime: string }
  | { readonly list: readonly ConfValue[] }
  | ConfMap
  | { readonly missing: true };

/** A map; its keys differ. */
export interface ConfMap {
  /** Keys and values in order. */
  readonly map: readonly (readonly [key: string, value: ConfValue])[];
}

/** What was read. */
export interface ConfReading {
  /** What the text says, without keys that only variables stand for. */
  readonly value: ConfValue;
  /** What is wrong, as `line:column: found`. */
  readonly problems: readonly string[];
  /** What is strange, in the same form. */
  readonly oddities: readonly string[];
}

/** Keys that begin like this are there for variables alone. */
const VARIABLE = "var_";

/** Reads a text as a configuration file does, with other files by path, and the environment. */
export async function readConfText(
  text: string,
  files: Readonly<Record<string, string>> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<ConfReading> {
  const readText = (path: string) => {
    const found = Object.hasOwn(files, path) ? files[path] : undefined;
    return found === undefined
      ? Promise.reject(new FileError(`cannot read ${path}`))
      : Promise.resolve(found);
  };
  const source = await readConfFiles("main.conf", text, readText, 50);
  const { root, problems, oddities } = resolveConf(
    source.main,
    (name) => Object.hasOwn(environment, name) ? environment[name] : undefined,
  );
  const shown = ({ file, at, found }: (typeof problems)[number]) => {
    const { line, column } = file.positionOf(at);
    const prefix = file.source === "main.conf" ? "" : `${file.source}:`;
    return `${prefix}${line}:${column}: ${found}`;
  };
  return {
    value: valueOf(root),
    problems: [...source.problems, ...problems].map(shown),
    oddities: [...source.oddities, ...oddities].map(shown),
  };
}

function valueOf(node: ConfNode): ConfValue {
  switch (node.type) {
    case "map":
      return {
        map: [...node.entries]
          .filter(([key, { used }]) => !(used && key.startsWith(VARIABLE)))
          .map(([key, { value }]) => [key, valueOf(value)] as const),
      };
    case "list":
      return { list: node.items.map(valueOf) };
    case "string":
      return { string: node.text };
    case "integer":
      return { integer: node.digits ?? "?" };
    case "float":
      return { float: node.text };
    case "boolean":
      return { boolean: /^(?:true|yes|on)$/i.test(node.text) };
    case "datetime":
      return { datetime: node.text };
    case "missing":
      return { missing: true };
  }
}

/** A text, and the files that it includes. */
export interface ConfWriting {
  /** The text of `main.conf`. */
  readonly text: string;
  /** Texts by path. */
  readonly files: Readonly<Record<string, string>>;
}

/** How {@link writeConf} may spell. */
export interface ConfSpelling {
  /** Whether values may be moved into variables, in the map of that path where it is asked. */
  readonly variables?: boolean | ((path: readonly string[]) => boolean);
  /** Whether entries may be moved into other files. */
  readonly includes?: boolean;
  /** Whether keys of the map of that path may be written in another case. */
  readonly anyCase?: (path: readonly string[]) => boolean;
}

/** Writes a configuration in one of its spellings, which `random` chooses. */
export function writeConf(
  value: ConfMap,
  random: Random,
  spelling: ConfSpelling = {},
): ConfWriting {
  const writer = new ConfWriter(random, spelling);
  return { text: writer.file(value.map), files: writer.files };
}

type Entries = ConfMap["map"];
/** What stands around an entry, which decides how it may end. */
type Home = "file" | "braces" | "map";

const units = [
  ...["k", "m", "g"].flatMap((letter, index) => [
    [letter, 1000n ** BigInt(index + 1)] as const,
    ...["b", "i", "ib"].map((rest) => [letter + rest, 1024n ** BigInt(index + 1)] as const),
  ]),
];

const bareText = /^[A-Za-z_*>][^\s,;\]}'"\\#]*$/;
const switchWord = /^(?:true|false|yes|no|on|off)$/i;

class ConfWriter {
  readonly files: Record<string, string> = {};
  readonly #random: Random;
  readonly #spelling: ConfSpelling;
  readonly #path: string[] = [];
  #names = 0;

  constructor(random: Random, spelling: ConfSpelling) {
    this.#random = random;
    this.#spelling = spelling;
  }

  file(entries: Entries): string {
    if (this.#chance(0.2)) {
      return `${this.#gap()}{${this.#gap()}${this.#entries(entries, "braces")}}${this.#gap()}`;
    }
    return this.#gap() + this.#entries(entries, "file");
  }

  #entries(entries: Entries, home: Home): string {
    return entries.map((entry) => this.#entry(entry, home)).join("");
  }

  #entry([key, value]: Entries[number], home: Home): string {
    const { variables = false, includes = false } = this.#spelling;
    if (includes && this.#chance(0.1)) {
      const path = `part${++this.#names}.conf`;
      this.files[path] = this.file([[key, value]]);
      const quote = this.#pick(["", '"', "'"]);
      return `${this.#pick(["include", "INCLUDE"])} ${quote}${path}${quote}\n${this.#gap()}`;
    }
    const allowed = typeof variables === "boolean" ? variables : variables(this.#path);
    if (allowed && this.#chance(0.15)) {
      const name = `${VARIABLE}${++this.#names}`;
      return this.#plainEntry(name, this.#below(key, value), home) +
        this.#plainEntry(key, `$${name}`, home);
    }
    return this.#plainEntry(key, this.#below(key, value), home);
  }

  #below(key: string, value: ConfValue): string {
    this.#path.push(key);
    const text = this.#value(value);
    this.#path.pop();
    return text;
  }

  #plainEntry(key: string, value: string, home: Home): string {
    const structured = value.startsWith("{") || value.startsWith("[");
    const separators = [" ", ": ", "=", " = ", " :", "\t", " \n "];
    if (home === "map") separators.push(":\n  ", "=\n");
    if (structured) separators.push(" ");
    const end = value.endsWith("\n)") ? "\n" : this.#pick(["\n", ",", ";", " \n", " # x\n", ", "]);
    return this.#key(key) + this.#pick(separators) + value + end + this.#gap();
  }

  #key(key: string): string {
    const { anyCase = () => false } = this.#spelling;
    const written = anyCase(this.#path) && this.#chance(0.2) && !key.startsWith(VARIABLE)
      ? key.replace(/[a-z]/g, (letter) => this.#chance(0.5) ? letter.toUpperCase() : letter)
      : key;
    const ways: string[] = [];
    if (/^[A-Za-z_$*>][^\s:={}[\]#"']*$/.test(written) && !/^include$/i.test(written)) {
      ways.push(written, written);
    }
    if (!written.includes('"')) ways.push(`"${written}"`);
    if (!written.includes("'")) ways.push(`'${written}'`);
    return this.#pick(ways);
  }

  #value(value: ConfValue): string {
    if ("string" in value) return this.#string(value.string);
    if ("integer" in value) return this.#integer(BigInt(value.integer));
    if ("float" in value) return value.float;
    if ("datetime" in value) return value.datetime;
    if ("boolean" in value) {
      const words = value.boolean ? ["true", "yes", "on", "True"] : ["false", "no", "off", "OFF"];
      return this.#pick(words);
    }
    if ("list" in value) {
      const items = value.list.map((item) => {
        const text = this.#value(item);
        const end = text.endsWith("\n)") ? "\n" : this.#pick([",", ", ", "\n", " ,\n", " # y\n"]);
        return text + end + this.#gap();
      });
      return `[${this.#gap()}${items.join("")}]`;
    }
    if ("map" in value) return `{${this.#gap()}${this.#entries(value.map, "map")}}`;
    throw new TypeError("a missing value cannot be written");
  }

  #string(text: string): string {
    const ways = [`"${this.#escaped(text)}"`];
    if (!text.includes("'")) ways.push(`'${text}'`);
    if (bareText.test(text) && !switchWord.test(text)) ways.push(text, text);
    if (text.endsWith("\n") && !text.includes("\n)")) ways.push(`(${text})`);
    return this.#pick(ways);
  }

  #escaped(text: string): string {
    return text.replace(/[\\"\n\r\t]|[\x20-\x7e]/g, (char) => {
      switch (char) {
        case "\\":
        case '"':
          return `\\${char}`;
        case "\n":
          return this.#pick(["\\n", "\n"]);
        case "\r":
          return "\\r";
        case "\t":
          return this.#pick(["\\t", "\t"]);
      }
      const code = char.charCodeAt(0).toString(16);
      return this.#chance(0.05) ? `\\x${code.padStart(2, "0")}` : char;
    });
  }

  #integer(value: bigint): string {
    const fitting = units.filter(([, factor]) => value !== 0n && value % factor === 0n);
    if (fitting.length === 0 || this.#chance(0.3)) return String(value);
    const [unit, factor] = this.#pick(fitting);
    return `${value / factor}${this.#chance(0.3) ? unit.toUpperCase() : unit}`;
  }

  /** What may stand between entries: nothing, lines, comments. */
  #gap(): string {
    return this.#pick(["", "", "", "\n", "  ", "\n# comment { [\n", "\n// x = 'y\n", "\r\n", "\t"]);
  }

  #chance(share: number): boolean {
    return this.#random.next() < share;
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[this.#random.below(items.length)];
    if (item === undefined) throw new TypeError("nothing to choose from");
    return item;
  }
}
