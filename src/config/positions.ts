/**
 * Lines and columns of what is wrong in a YAML text. `@std/yaml` keeps no positions, so the text is
 * read once more, by a parser that does; this file is loaded only when there is an error to report.
 *
 * @module
 */
import { isMap as isYamlMap, isSeq, LineCounter, type Node, parseDocument, visit } from "yaml";
import { blankMissing, type Path, type Step } from "./problem.ts";

/** A place in a text. */
export interface Position {
  /** Line, from 1. */
  readonly line: number;
  /** Column, from 1. */
  readonly column: number;
}

const badAlias = 'no anchor of that name; a value that begins with "*" must be quoted';

/** What makes a text no YAML, in words that repeat nothing of the text: it may hold secrets. */
const syntaxErrors: Readonly<Record<string, string>> = {
  BAD_ALIAS: badAlias,
  BAD_INDENT: "the indentation does not fit the lines above, or a bracket is not closed",
  BAD_SCALAR_START: "a value that begins with this character must be quoted",
  BLOCK_AS_IMPLICIT_KEY: "a second value, or a map, where one value ends",
  BLOCK_IN_FLOW: "a block inside [ ] or { }",
  DUPLICATE_KEY: "the key is given twice",
  MISSING_CHAR:
    "something is missing: a closing quote or bracket, a comma, or the space after a colon",
  MULTILINE_IMPLICIT_KEY: "a key over several lines; is a colon missing, or the blank after one?",
  MULTIPLE_DOCS: "a second document (---); a configuration is one",
  NON_STRING_KEY: "a key that is not a text",
  TAB_AS_INDENT: "a tab in the indentation; YAML wants spaces",
  TAG_RESOLVE_FAILED: 'a tag; a value that begins with "!" must be quoted',
};

/** What {@link blankMissing} says of a text. */
const noBlank = "no blank after the colon";
const deeperKey = "a key that is indented deeper than the one above it, which has a value already";

/** Errors at a word that should have been a key. */
const WORD_ERRORS: ReadonlySet<string> = new Set(["MULTILINE_IMPLICIT_KEY", "MISSING_CHAR"]);

/** An error of the parser. */
interface SyntaxError {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/** One thing that makes a text no YAML. */
export interface SyntaxProblem extends Position {
  /** What it is. */
  readonly found: string;
  /** What to do about it, where that can be said. */
  readonly hint?: string;
}

/** The longest text in which keys are looked for that stand twice: this parser compares all with all. */
const UNIQUE_KEYS_LENGTH = 16_384;

/** A YAML text whose values can be found again. */
export class PositionedText {
  readonly #text: string;
  readonly #lines = new LineCounter();
  readonly #document;

  /** Reads `text`, whatever is wrong with it. */
  constructor(text: string) {
    this.#text = text;
    this.#document = parseDocument(text, {
      schema: "failsafe",
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: text.length <= UNIQUE_KEYS_LENGTH,
    });
  }

  /**
   * What makes the text no YAML, at most `limit` problems; empty when this parser finds nothing wrong.
   *
   * @param other Where another parser gave up, if it did.
   */
  syntaxProblems(limit: number, other?: Position): SyntaxProblem[] {
    // Tags that this parser passes over with a warning are errors to the other.
    const { errors, warnings } = this.#document;
    const inOrder = [...errors, ...warnings].sort((a, b) => a.pos[0] - b.pos[0]);
    const problems: SyntaxProblem[] = [];
    const deeper = this.#deeperKeys(inOrder);
    let misled = false, lastLine = 0;
    for (const error of inOrder) {
      const { code, pos: [offset] } = error;
      const variable = this.#unquotedVariable(offset);
      if (variable !== undefined) problems.push(variable);
      // To the parser that was a map begun in the middle of a value: what follows is its confusion.
      misled ||= variable !== undefined;
      const position = this.#position(offset);
      // So is what else it finds in the same line.
      if (misled || position.line === lastLine) continue;
      lastLine = position.line;
      if (deeper.has(offset) && other !== undefined) {
        problems.push({ ...other, found: deeperKey });
      } else if (WORD_ERRORS.has(code) && blankMissing(this.#text.slice(offset, offset + 100))) {
        problems.push({ ...position, found: noBlank });
      } else {
        problems.push({ ...position, ...this.#describe(error) });
      }
      // It reads no structure behind this.
      misled = code === "UNEXPECTED_TOKEN";
    }
    visit(this.#document, {
      Alias: (_key, alias) => {
        if (alias.resolve(this.#document) !== undefined) return;
        const position = this.#position(alias.range?.[0] ?? 0);
        problems.push({ ...position, found: badAlias });
      },
    });
    return problems.slice(0, limit);
  }

  /** Where a value is followed by a line that is indented deeper than its key, and is one itself. */
  #deeperKeys(errors: readonly SyntaxError[]): ReadonlySet<number> {
    const at = (wanted: string) =>
      new Set(errors.filter(({ code }) => code === wanted).map(({ pos: [offset] }) => offset));
    return at("BLOCK_AS_IMPLICIT_KEY").intersection(at("MULTILINE_IMPLICIT_KEY"));
  }

  #describe({ code, message }: SyntaxError): Pick<SyntaxProblem, "found" | "hint"> {
    const known = syntaxErrors[code];
    if (known !== undefined) return { found: known };
    // What follows in it repeats the text.
    const reason = /^[a-z -]*/i.exec(message)?.[0].trim();
    const found = `this is not valid YAML: ${reason}`;
    const indented = /^(?:\s*(?:#.*)?\n)*[ ]+\S/.test(this.#text);
    return code === "UNEXPECTED_TOKEN" && indented
      ? { found, hint: "the first key is indented; keys that belong together start in one column" }
      : { found };
  }

  /** The problem of an error at the bracket of `${NAME}`, which only within brackets is YAML's own. */
  #unquotedVariable(offset: number): SyntaxProblem | undefined {
    const text = this.#text;
    if (text[offset - 1] !== "$" || text[offset] !== "{") return undefined;
    const [reference = "", name = "NAME"] =
      /^\{([A-Za-z_][A-Za-z0-9_]*)\}/.exec(text.slice(offset, offset + 100)) ?? [];
    // A name with text around it may be a piece of a password.
    const whole = /[\s:,[{]/.test(text[offset - 2] ?? " ") &&
      /[\s,\]}]/.test(text[offset + reference.length] ?? " ");
    return {
      ...this.#position(offset - 1),
      found: "a ${ inside [ ] or { } that is not quoted",
      hint: `quote the value: "\${${whole ? name : "NAME"}}"`,
    };
  }

  /** Whether this parser reads `value` too. */
  isRead(value: unknown): boolean {
    return isSameTree(this.#document.toJS({ maxAliasCount: -1 }), value, new Map());
  }

  /**
   * Where the value at `path` stands, or its key if `atKey`; where there is none, the nearest thing
   * around it.
   */
  locate(path: Path, atKey: boolean): Position {
    let node: Node | null = this.#resolve(this.#document.contents);
    let offset = node?.range?.[0] ?? 0;
    for (const [index, step] of path.entries()) {
      const found = this.#step(node, step);
      if (found === undefined) break;
      const wantKey = atKey && index === path.length - 1;
      node = this.#resolve(found.value);
      offset = (wantKey ? undefined : found.value?.range?.[0]) ?? found.keyOffset ?? offset;
    }
    return this.#position(offset);
  }

  #step(
    node: Node | null,
    step: Step,
  ): { readonly keyOffset?: number | undefined; readonly value: Node | null } | undefined {
    if (isYamlMap<Node, Node | null>(node)) {
      const pair = node.items.find(({ key }) => String(this.#resolve(key)) === step);
      return pair && { keyOffset: pair.key.range?.[0], value: pair.value };
    }
    if (isSeq<Node>(node) && typeof step === "number") {
      const value = node.items[step];
      return value && { keyOffset: value.range?.[0], value };
    }
    return undefined;
  }

  #resolve(node: Node | null): Node | null {
    return node !== null && "resolve" in node && typeof node.resolve === "function"
      ? node.resolve(this.#document) ?? null
      : node;
  }

  #position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }
}

/** Whether two values are the same; what aliases share in the first is looked at once. */
function isSameTree(a: unknown, b: unknown, seen: Map<unknown, unknown>): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  const own = Object.entries(a), other = new Map(Object.entries(b));
  return Array.isArray(a) === Array.isArray(b) && own.length === other.size &&
    own.every(([key, value]) => other.has(key) && isSameTree(value, other.get(key), seen));
}
