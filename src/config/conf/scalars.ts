/**
 * Reads the scalars of nats-server's configuration format: quoted and bare text, text in parentheses,
 * numbers with units, switches, dates, and the variables that stand for them.
 *
 * @module
 */
import { type Cursor, isBlank, isDigit, isLineEnd } from "./cursor.ts";
import type { LiteralType, ScalarSyntax, VariableSyntax } from "./syntax.ts";

/** A value that cannot be read; what follows it in the line is passed over. */
export class ValueError extends Error {
  /** The offset of what is wrong. */
  readonly at: number;
  /** What was found. */
  readonly found: string;
  /** What to do about it. */
  readonly hint: string | undefined;

  /** An error that is caught before anybody reads it as one. */
  constructor(at: number, found: string, hint?: string) {
    super(found);
    this.at = at;
    this.found = found;
    this.hint = hint;
  }
}

/** Something was begun that the text never ends; nothing can be read behind it. */
export class UnclosedError extends ValueError {}

const quoteIt = "a text must be quoted";

const switchWords: ReadonlySet<string> = new Set(["true", "false", "on", "off", "yes", "no"]);

/** How bcrypt hashes begin that need no quotes; everything else behind a `$` is a variable. */
const bcryptPrefix = "2a$";

const utf8 = new TextEncoder();

/** The scalar that begins at `cursor`, which is moved behind it. */
export function readScalar(cursor: Cursor): ScalarSyntax | VariableSyntax {
  const { char } = cursor;
  if (char === "'") return readSingleQuoted(cursor);
  if (char === '"') return readDoubleQuoted(cursor);
  if (char === "(") return readBlock(cursor);
  if (char === "-") return readNegative(cursor);
  if (isDigit(char)) return readNumber(cursor);
  if (char === ".") throw new ValueError(cursor.at, "a value that begins with a dot", quoteIt);
  return readBare(cursor, cursor.at);
}

function scalar(
  { file }: Cursor,
  type: LiteralType,
  text: string,
  at: number,
  digits?: string,
): ScalarSyntax {
  return { type, text, digits, file, at };
}

function readSingleQuoted(cursor: Cursor): ScalarSyntax {
  const { at, text } = cursor;
  const end = text.indexOf("'", at + 1);
  if (end < 0) throw unclosedQuote(cursor);
  cursor.at = end + 1;
  return scalar(cursor, "string", text.slice(at + 1, end), at);
}

/** Characters between quotes that stand for themselves. */
const plainQuoted = /[^"\\]*/y;

function unclosedQuote(cursor: Cursor): UnclosedError {
  return new UnclosedError(cursor.at, "a quote that is never closed");
}

function readDoubleQuoted(cursor: Cursor): ScalarSyntax {
  const { at, text } = cursor;
  plainQuoted.lastIndex = at + 1;
  plainQuoted.test(text);
  const plainEnd = plainQuoted.lastIndex;
  if (text.charAt(plainEnd) === '"') {
    cursor.at = plainEnd + 1;
    return scalar(cursor, "string", text.slice(at + 1, plainEnd), at);
  }
  const parts = new TextParts(cursor);
  let from = at + 1;
  for (let end = from; end < text.length; end++) {
    const char = text.charAt(end);
    if (char === '"') {
      cursor.at = end + 1;
      return scalar(cursor, "string", parts.join(text.slice(from, end), at), at);
    }
    if (char !== "\\") continue;
    parts.add(text.slice(from, end));
    end = parts.addEscape(end) - 1;
    from = end + 1;
  }
  throw unclosedQuote(cursor);
}

/**
 * A word without quotes, whose characters up to `from` are known to belong to it. A quote ends it, as
 * in nats-server.
 */
function readBare(cursor: Cursor, from: number): ScalarSyntax | VariableSyntax {
  const { at, text } = cursor;
  bareCharacters.lastIndex = from;
  bareCharacters.test(text);
  let partFrom = at, end = bareCharacters.lastIndex;
  if (text.charAt(end) !== "\\") return bareWord(cursor, end, text.slice(at, end), false);
  const parts = new TextParts(cursor);
  for (;; end++) {
    const char = text.charAt(end);
    if (char === "\\") {
      parts.add(text.slice(partFrom, end));
      end = parts.addEscape(end) - 1;
      partFrom = end + 1;
    } else if (endsBare(char) || char === "'") {
      break;
    }
  }
  return bareWord(cursor, end, parts.join(text.slice(partFrom, end), at), true);
}

/** Characters of a word that stand for themselves and do not end it; as fast as can be. */
const bareCharacters = /[^\\',;\]} \t\n\r]*/y;

/** The word that ends before the offset `end`. */
function bareWord(
  cursor: Cursor,
  end: number,
  word: string,
  escaped: boolean,
): ScalarSyntax | VariableSyntax {
  const { at, file } = cursor;
  const quoted = cursor.text.charAt(end) === "'";
  cursor.at = quoted ? end + 1 : end;
  if (quoted || escaped) return scalar(cursor, "string", word, at);
  if (word.length <= 5 && switchWords.has(word.toLowerCase())) {
    return scalar(cursor, "boolean", word, at);
  }
  if (!word.startsWith("$") || word.startsWith(bcryptPrefix, 1)) {
    return scalar(cursor, "string", word, at);
  }
  return { type: "variable", name: word.slice(1), file, at };
}

function endsBare(char: string): boolean {
  return char === "" || isLineEnd(char) || isBlank(char) || char === "," || char === ";" ||
    char === "]" || char === "}";
}

const escapes: ReadonlyMap<string, string> = new Map([
  ["t", "\t"],
  ["n", "\n"],
  ["r", "\r"],
  ['"', '"'],
  ["\\", "\\"],
]);

/** A text put together from what is written and what escapes stand for: bytes, where it is `\xXX`. */
class TextParts {
  readonly #cursor: Cursor;
  readonly #parts: (string | number)[] = [];
  #bytes = false;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  get escaped(): boolean {
    return this.#parts.length > 0;
  }

  add(text: string): void {
    this.#parts.push(text);
  }

  /** Adds what the escape at the offset `at` stands for; the offset behind it. */
  addEscape(at: number): number {
    const { text } = this.#cursor;
    const letter = text.charAt(at + 1);
    const plain = escapes.get(letter);
    if (plain !== undefined) {
      this.#parts.push(plain);
      return at + 2;
    }
    const hex = text.slice(at + 2, at + 4);
    if (letter === "x" && /^[0-9A-Fa-f]{2}$/.test(hex)) {
      this.#bytes = true;
      this.#parts.push(Number.parseInt(hex, 16));
      return at + 4;
    }
    throw new ValueError(
      at,
      letter === "x" ? "\\x without two hexadecimal digits" : "a \\ that begins no escape",
      String.raw`escapes are \t, \n, \r, \", \\ and \xXX; in '...' there are none`,
    );
  }

  join(last: string, at: number): string {
    if (!this.#bytes) return this.#parts.join("") + last;
    const bytes = [...this.#parts, last].flatMap((part) =>
      typeof part === "number" ? [part] : [...utf8.encode(part)]
    );
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(bytes));
    } catch {
      throw new ValueError(at, "escapes that are no UTF-8 text");
    }
  }
}

/** Text in parentheses: everything up to a line that is a closing one alone. */
function readBlock(cursor: Cursor): ScalarSyntax {
  const { at, text } = cursor;
  const match = /\n\)(?=\n|$)/g;
  match.lastIndex = at + 1;
  const found = match.exec(text);
  if (found === null) {
    throw new UnclosedError(
      at,
      "a text in parentheses that is never closed",
      "the closing one must stand alone in its line; other texts that begin with ( must be quoted",
    );
  }
  cursor.at = found.index + 2;
  return scalar(cursor, "string", text.slice(at + 1, found.index + 1), at);
}

const unitLetter = /^[kmgtpe]/i;

function readNegative(cursor: Cursor): ScalarSyntax | VariableSyntax {
  const { at, text } = cursor;
  const end = endOfDigits(text, at + 1);
  if (end === at + 1) {
    throw new ValueError(at, "a value that begins with - and is no number", quoteIt);
  }
  if (text.charAt(end) === ".") return readFraction(cursor, end);
  if (unitLetter.test(text.charAt(end))) return readUnit(cursor, end);
  return integer(cursor, end, end);
}

function readNumber(cursor: Cursor): ScalarSyntax | VariableSyntax {
  const { at, text } = cursor;
  const end = endOfDigits(text, at);
  const char = text.charAt(end);
  if (char === "-") return readDate(cursor, end);
  if (char === ".") return readFraction(cursor, end);
  if (unitLetter.test(char)) return readUnit(cursor, end);
  if (endsNumber(char)) return integer(cursor, end, end);
  // Whatever it is, a bracket even: it belongs to the word that the digits began.
  return readBare(cursor, end + 1);
}

function endOfDigits(text: string, at: number): number {
  let end = at;
  while (isDigit(text.charAt(end))) end++;
  return end;
}

/** Not a closing bracket: `[1]` is no list of a number to nats-server, `[1 ]` and `[1,2 ]` are. */
function endsNumber(char: string): boolean {
  return char !== "]" && endsBare(char);
}

/** A number whose digits end at `end`, where a letter stands that begins units. */
function readUnit(cursor: Cursor, end: number): ScalarSyntax | VariableSyntax {
  const { text } = cursor;
  let unitEnd = end + 1;
  while (/^[bi]/i.test(text.charAt(unitEnd))) unitEnd++;
  const char = text.charAt(unitEnd);
  if (endsNumber(char) || isDigit(char)) return integer(cursor, end, unitEnd);
  return readBare(cursor, unitEnd);
}

/** What one of each unit is; as in nats-server one letter is a power of 1000. */
const units: ReadonlyMap<string, bigint> = new Map([
  ["", 1n],
  ...["k", "m", "g", "t", "p", "e"].flatMap((letter, index) => {
    const power = BigInt(index + 1);
    return [
      [letter, 1000n ** power] as const,
      ...["b", "i", "ib"].map((rest) => [letter + rest, 1024n ** power] as const),
    ];
  }),
]);

function integer(cursor: Cursor, digitsEnd: number, end: number): ScalarSyntax {
  const { at, text } = cursor;
  const unit = units.get(text.slice(digitsEnd, end).toLowerCase());
  if (unit === undefined) {
    throw new ValueError(
      digitsEnd,
      "a number with an unknown unit",
      "units are k, m, g, t, p, e (powers of 1000) and kb, ki, kib and so on (of 1024)",
    );
  }
  const digits = text.slice(at, digitsEnd);
  // More digits than any number has are not worth reading.
  const value = digits.length > 400 ? undefined : BigInt(digits) * unit;
  if (value === undefined || BigInt.asIntN(64, value) !== value) {
    throw new ValueError(at, "a number that is too large", quoteIt);
  }
  cursor.at = end;
  return scalar(cursor, "integer", text.slice(at, end), at, String(value));
}

/** A number with a fraction, or an IPv4 address with or without a port. `dot` is the first dot. */
function readFraction(cursor: Cursor, dot: number): ScalarSyntax {
  const { at, text } = cursor;
  let end = endOfDigits(text, dot + 1);
  if (end === dot + 1) {
    throw new ValueError(at, "a number without digits after its dot", quoteIt);
  }
  let type: LiteralType = "float";
  if (text.charAt(end) === ".") {
    type = "string";
    while (/^[0-9.:-]/.test(text.charAt(end))) end++;
  }
  const written = text.slice(at, end);
  if (type === "float" && !Number.isFinite(Number(written))) {
    throw new ValueError(at, "a number that is too large", quoteIt);
  }
  cursor.at = end;
  return scalar(cursor, type, written, at);
}

/** A date, which a number with a dash behind it is taken for. */
function readDate(cursor: Cursor, dash: number): ScalarSyntax {
  const { at, text } = cursor;
  const match = /(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)Z/y;
  match.lastIndex = at;
  const [written] = match.exec(text) ?? [];
  if (written === undefined || dash !== at + 4 || !isDate(written)) {
    throw new ValueError(
      at,
      "a number with a dash, which is taken for a date and is none",
      `${quoteIt}; a date is written 2026-01-31T12:00:00Z`,
    );
  }
  cursor.at = at + written.length;
  return scalar(cursor, "datetime", written, at);
}

function isDate(text: string): boolean {
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString() === text.replace("Z", ".000Z");
}
