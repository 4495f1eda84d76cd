/**
 * The functions that tokens of a transform's destination are made with.
 *
 * The first letter of each word of a function's name may be upper case, and blanks may stand around
 * names and arguments. Arguments that count tokens count the source's `*`, from 1; less than 1 is
 * the subject's first token whatever it is, as in nats-server.
 *
 * @module
 */
import { SUBJECT_HASH_BASIS, SUBJECT_HASH_PRIME } from "./subject_hash.ts";
import { TransformError } from "./transform_error.ts";

/** Draws a whole number in [0, n), for n >= 1. */
export type Draw = (n: number) => number;

/** Makes one token, or several with dots between them, from the tokens of a subject. */
export type MakeToken = (tokens: readonly string[], random: Draw) => string;

/** A token of a destination that calls a function. */
export interface TokenFunction {
  /** The function's name in lower case; `$1` is `"wildcard"`. */
  readonly name: string;
  /** Which of the source's `*` it reads, as written. */
  readonly wildcards: readonly number[];
  /** Compiles it, given where in a subject the source's `*` are; `null` for a source without any wildcard. */
  compile(positions: readonly number[] | null): MakeToken;
}

const CALL =
  /\{\{[\t\n\f\r ]*([Ww]ildcard|[Pp]artition|[Ss]plit[Ff]rom[Ll]eft|[Ss]plit[Ff]rom[Rr]ight|[Ss]lice[Ff]rom[Ll]eft|[Ss]lice[Ff]rom[Rr]ight|[Ss]plit|[Ll]eft|[Rr]ight|[Rr]andom)[\t\n\f\r ]*\(([^\n]*)\)[\t\n\f\r ]*\}\}/;

const INT32_MAX = 0x7fff_ffff, INT32_MIN = -0x8000_0000;

/** Functions of one token and a number. */
const CUTS: Readonly<Record<string, (token: string, count: number) => string>> = {
  splitfromleft: (token, count) => `${token.slice(0, count)}.${token.slice(count)}`,
  splitfromright: (token, count) => `${token.slice(0, -count)}.${token.slice(-count)}`,
  slicefromleft: (token, count) => slices(token, count, 0),
  slicefromright: (token, count) => slices(token, count, token.length % count),
  left: (token, count) => token.slice(0, count),
  right: (token, count) => token.slice(-count),
};

/** Whether a token of a destination looks like a call, so that it must be a right one. */
export function looksLikeCall(token: string): boolean {
  return token.length > 4 && token.startsWith("{{") && token.endsWith("}}");
}

/**
 * The function that a token of a destination calls, or `null` when the token stands for itself.
 *
 * @throws {TransformError} when it looks like a call and is none.
 */
export function parseTokenFunction(token: string): TokenFunction | null {
  if (token.length > 1 && token.startsWith("$")) {
    const index = wholeNumber(token.slice(1));
    return index === null ? null : wildcardFunction(index); // `$JS` and the like are literals
  }
  if (!looksLikeCall(token)) return null;
  const call = CALL.exec(token);
  if (call === null) throw new TransformError("unknown function", token);
  const name = (call[1] as string).toLowerCase();
  const args = (call[2] as string).split(/,[\t\n\f\r ]*/);
  switch (name) {
    case "wildcard":
      if (args[0] === "") throw new TransformError(NOT_ENOUGH, token);
      checkCount(args, 1, token);
      return wildcardFunction(numberAt(args, 0, token));
    case "partition":
      return partitionFunction(
        countAt(args, 0, token),
        args.slice(1).map((_, i) => numberAt(args, i + 1, token)),
      );
    case "random": {
      checkCount(args, 1, token);
      const limit = Math.abs(countAt(args, 0, token));
      return {
        name,
        wildcards: [],
        compile: () => (_tokens, random) => limit === 0 ? "0" : `${random(limit)}`,
      };
    }
    case "split": {
      checkCount(args, 2, token);
      const delimiter = args[1] as string;
      if (delimiter.includes(" ")) throw new TransformError(INVALID_ARGUMENT, token);
      return ofOneToken(name, numberAt(args, 0, token), (text) => splitToken(text, delimiter));
    }
    default: {
      checkCount(args, 2, token);
      const index = numberAt(args, 0, token), count = countAt(args, 1, token);
      const cut = CUTS[name] as (token: string, count: number) => string;
      return ofOneToken(
        name,
        index,
        (text) => count > 0 && count < text.length ? cut(text, count) : text,
      );
    }
  }
}

const NOT_ENOUGH = "not enough arguments passed to the function";
const TOO_MANY = "too many arguments passed to the function";
const INVALID_ARGUMENT = "function argument is invalid or in the wrong format";

function wildcardFunction(index: number): TokenFunction {
  return ofOneToken("wildcard", index, (text) => text);
}

function ofOneToken(name: string, index: number, make: (token: string) => string): TokenFunction {
  return {
    name,
    wildcards: [index],
    compile(positions) {
      const position = positions?.[index - 1] ?? 0;
      return (tokens) => make(tokens[position] ?? "");
    },
  };
}

/**
 * The tokens' number among `count`: FNV-1a (32 bits) of all their bytes, modulo `count`; that of the
 * whole subject when there are none.
 */
function partitionFunction(count: number, wildcards: readonly number[]): TokenFunction {
  const divisor = count >>> 0;
  return {
    name: "partition",
    wildcards,
    compile(positions) {
      // A source that is no pattern has no tokens to refer to: nats-server takes the whole there.
      const read = positions === null ? [] : wildcards.map((index) => positions[index - 1] ?? 0);
      return (tokens) => {
        if (divisor === 0) return "0";
        const key = read.length === 0
          ? tokens.join(".")
          : read.map((position) => tokens[position]).join("");
        let hash = SUBJECT_HASH_BASIS;
        for (let i = 0; i < key.length; i++) {
          hash = Math.imul(hash ^ key.charCodeAt(i), SUBJECT_HASH_PRIME);
        }
        return `${(hash >>> 0) % divisor}`;
      };
    },
  };
}

function checkCount(args: readonly string[], count: number, token: string): void {
  if (args.length < count) throw new TransformError(NOT_ENOUGH, token);
  if (args.length > count) throw new TransformError(TOO_MANY, token);
}

function numberAt(args: readonly string[], index: number, token: string): number {
  const number = wholeNumber((args[index] as string).replace(/^ +| +$/g, ""));
  if (number === null) throw new TransformError(INVALID_ARGUMENT, token);
  return number;
}

function countAt(args: readonly string[], index: number, token: string): number {
  const count = numberAt(args, index, token);
  if (count > INT32_MAX || count < INT32_MIN) throw new TransformError(INVALID_ARGUMENT, token);
  return count;
}

function wholeNumber(text: string): number | null {
  if (!/^[+-]?\d+$/.test(text)) return null;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : null;
}

/** `token` in pieces of `size` characters with dots between them, after a first one of `first`. */
function slices(token: string, size: number, first: number): string {
  const parts = first === 0 ? [] : [token.slice(0, first)];
  for (let i = first; i < token.length; i += size) parts.push(token.slice(i, i + size));
  return parts.join(".");
}

/**
 * The parts of `token` between `delimiter`s, empty ones left out. Two or more delimiters at the
 * start leave an empty token there, so that the message reaches nobody: nats-server does so.
 */
function splitToken(token: string, delimiter: string): string {
  const parts = delimiter === "" ? characters(token) : token.split(delimiter);
  let text = "";
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as string;
    text += part;
    const next = parts[i + 1];
    if (next !== undefined && next !== "" && !(i === 0 && part === "")) text += ".";
  }
  return text;
}

/** The UTF-8 sequences of a byte string; bytes that belong to none are on their own. */
function characters(bytes: string): string[] {
  return bytes.match(
    // deno-lint-ignore no-control-regex
    /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x00-\xff]/g,
  ) ?? [];
}
