/**
 * Lines and columns of what is wrong in a YAML text. `@std/yaml` keeps no positions, so the text is
 * read once more, by a parser that does; this file is loaded only when there is an error to report.
 *
 * @module
 */
import { isMap as isYamlMap, isSeq, LineCounter, type Node, parseDocument, visit } from "yaml";
import type { Path, Step } from "./problem.ts";

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
  MULTILINE_IMPLICIT_KEY: "a key over several lines; is a colon missing?",
  MULTIPLE_DOCS: "a second document (---); a configuration is one",
  NON_STRING_KEY: "a key that is not a text",
  TAB_AS_INDENT: "a tab in the indentation; YAML wants spaces",
  TAG_RESOLVE_FAILED: 'a tag; a value that begins with "!" must be quoted',
};

/** One thing that makes a text no YAML. */
export interface SyntaxProblem extends Position {
  /** What it is. */
  readonly found: string;
  /** What to do about it, where that can be said. */
  readonly hint?: string;
}

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
    });
  }

  /** Everything that makes the text no YAML; empty when this parser finds nothing wrong. */
  syntaxProblems(): SyntaxProblem[] {
    // Tags that this parser passes over with a warning are errors to the other.
    const { errors, warnings } = this.#document;
    const inOrder = [...errors, ...warnings].sort((a, b) => a.pos[0] - b.pos[0]);
    const problems: SyntaxProblem[] = [];
    let misled = false;
    for (const { code, pos: [offset] } of inOrder) {
      const variable = this.#unquotedVariable(offset);
      if (variable !== undefined) problems.push(variable);
      // To the parser that was a map begun in the middle of a value: what follows is its confusion.
      misled ||= variable !== undefined;
      if (misled) continue;
      const found = syntaxErrors[code] ?? "this is not valid YAML";
      problems.push({ ...this.#position(offset), found });
    }
    visit(this.#document, {
      Alias: (_key, alias) => {
        if (alias.resolve(this.#document) !== undefined) return;
        const position = this.#position(alias.range?.[0] ?? 0);
        problems.push({ ...position, found: badAlias });
      },
    });
    return problems;
  }

  /** The problem of an error at the bracket of `${NAME}`, which only within brackets is YAML's own. */
  #unquotedVariable(offset: number): SyntaxProblem | undefined {
    const text = this.#text;
    if (text[offset - 1] !== "$" || text[offset] !== "{") return undefined;
    const [, name = "NAME"] = /^\{([A-Za-z_][A-Za-z0-9_]*)\}/.exec(text.slice(offset)) ?? [];
    return {
      ...this.#position(offset - 1),
      found: "a ${ inside [ ] or { } that is not quoted",
      hint: `quote the value: "\${${name}}"`,
    };
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
