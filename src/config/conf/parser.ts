/**
 * Reads a text in nats-server's configuration format. Like nats-server's, this reader is lenient:
 * `:`, `=` or nothing between key and value, `,`, `;` or a new line between entries. Variables and
 * includes are left as they are.
 *
 * @module
 */
import { Cursor, isBlank, isLineEnd, isSeparator, isSpace } from "./cursor.ts";
import type { ConfFile } from "./origin.ts";
import { readScalar, UnclosedError, ValueError } from "./scalars.ts";
import type { ScalarSyntax, SyntaxProblem, VariableSyntax } from "./syntax.ts";

/** How deep lists and maps may be nested. */
const DEPTH_LIMIT = 100;

/** What is made of a text while it is read: maps and lists are begun, filled, and then values. */
export interface Builder<Value, OpenMap, OpenList> {
  /** A `{` is at the offset `at`. */
  beginMap(at: number): OpenMap;
  /** A `[` is at the offset `at`. */
  beginList(at: number): OpenList;
  /** A key of `map`, whose value comes next. */
  key(map: OpenMap, key: string): void;
  /** The value of the key that stands at `at`; it stands at `valueAt` itself. */
  entry(map: OpenMap, key: string, value: Value, at: number, valueAt: number): void;
  /** `include`, in the place of entries; the path stands at `at`. */
  include(map: OpenMap, path: string, at: number): void;
  /** An item of `list`. */
  item(list: OpenList, value: Value): void;
  /** Nothing more is in `map`. */
  endMap(map: OpenMap): Value;
  /** Nothing more is in `list`. */
  endList(list: OpenList): Value;
  /** A scalar, or what stands for a value. */
  scalar(syntax: ScalarSyntax | VariableSyntax): Value;
}

/** What is wrong with a text. */
export interface ParseProblems {
  /** What could not be read, in order, at most as many as were asked for. */
  readonly problems: readonly SyntaxProblem[];
  /** What is strange, though nats-server accepts it. */
  readonly oddities: readonly SyntaxProblem[];
}

/**
 * Parses a file. Never throws but what `builder` throws; takes time in proportion to its length.
 *
 * @param root What is filled with the entries that can be read.
 * @param limit How many problems are looked for.
 */
export function parseInto<Value, OpenMap, OpenList>(
  file: ConfFile,
  builder: Builder<Value, OpenMap, OpenList>,
  root: OpenMap,
  limit: number,
): ParseProblems {
  return new Parser(file, builder, limit).parse(root);
}

/** Reads the value at the offset `at` again, which was read without problems before. */
export function parseValueAt<Value, OpenMap, OpenList>(
  file: ConfFile,
  at: number,
  builder: Builder<Value, OpenMap, OpenList>,
): Value {
  return new Parser(file, builder, 1).valueAt(at);
}

/** Characters of a key that is not quoted; as fast as can be. */
const keyCharacters = /[^:=\t-\r \x85\xa0\p{Z}]*/uy;

/** Where an entry stands: between the braces of a map, those around a whole file, or in no braces. */
type Home = "map" | "braces" | "file";

/** Enough was found. */
class Enough extends Error {}

class Parser<Value, OpenMap, OpenList> {
  readonly #cursor: Cursor;
  readonly #builder: Builder<Value, OpenMap, OpenList>;
  readonly #limit: number;
  readonly #problems: SyntaxProblem[] = [];
  readonly #oddities: SyntaxProblem[] = [];
  #depth = 0;

  constructor(file: ConfFile, builder: Builder<Value, OpenMap, OpenList>, limit: number) {
    this.#cursor = new Cursor(file);
    this.#builder = builder;
    this.#limit = limit;
  }

  parse(root: OpenMap): ParseProblems {
    const cursor = this.#cursor;
    const zero = cursor.text.indexOf("\0");
    if (zero >= 0) {
      this.#problems.push({ at: zero, found: "a zero byte; is this a text?" });
    } else {
      try {
        this.#readFile(root);
      } catch (error) {
        if (!(error instanceof Enough)) throw error;
      }
    }
    return { problems: this.#problems, oddities: this.#oddities };
  }

  valueAt(at: number): Value {
    this.#cursor.at = at;
    return this.#readValue();
  }

  #readFile(root: OpenMap): void {
    const cursor = this.#cursor;
    for (;;) {
      cursor.skipSpacesAndComments();
      if (cursor.ended) return;
      if (cursor.char === "{") {
        this.#readBraces(root);
      } else if (cursor.char === "}") {
        this.#readStrayBrace();
      } else {
        this.#readEntry(root, "file");
      }
    }
  }

  /** A brace that closes nothing: nats-server accepts it behind a value and at the very end. */
  #readStrayBrace(): void {
    const cursor = this.#cursor;
    const { at } = cursor;
    const found = "a } that closes nothing";
    cursor.at++;
    cursor.skipSpaces();
    if (cursor.ended) this.#oddities.push({ at, found });
    else this.#report({ at, found });
  }

  /** Braces around what the file says, as in JSON. */
  #readBraces(root: OpenMap): void {
    const cursor = this.#cursor;
    const { at } = cursor;
    cursor.at++;
    this.#nested(at, () => {
      for (;;) {
        cursor.skipSpacesAndComments();
        if (cursor.ended) {
          this.#oddities.push({ at, found: "a { that is never closed" });
          return;
        }
        if (cursor.char === "}") {
          cursor.at++;
          return;
        }
        if (cursor.char === "{") this.#readBraces(root);
        else if (this.#readEntry(root, "braces")) return;
      }
    });
  }

  #readMap(): Value {
    const cursor = this.#cursor;
    const { at } = cursor;
    const map = this.#builder.beginMap(at);
    cursor.at++;
    for (;;) {
      cursor.skipSpacesAndComments();
      if (cursor.ended) throw new UnclosedError(at, "a { that is never closed");
      if (cursor.char === "}") {
        cursor.at++;
        break;
      }
      if (this.#readEntry(map, "map")) break;
    }
    return this.#builder.endMap(map);
  }

  #readList(): Value {
    const cursor = this.#cursor;
    const { at } = cursor;
    const list = this.#builder.beginList(at);
    cursor.at++;
    for (;;) {
      cursor.skipSpacesAndComments();
      if (cursor.ended) throw new UnclosedError(at, "a [ that is never closed");
      if (cursor.char === "]") {
        cursor.at++;
        break;
      }
      const ended = this.#recover("]", () => {
        if (cursor.char === "," || cursor.char === "/") {
          throw new ValueError(cursor.at, `a ${cursor.char} where a value is expected`);
        }
        this.#builder.item(list, this.#readValue());
        return this.#readListEnd();
      });
      if (ended) break;
    }
    return this.#builder.endList(list);
  }

  /** Reads what stands behind an item; whether it ended the list. */
  #readListEnd(): boolean {
    const cursor = this.#cursor;
    for (;;) {
      cursor.skip(isBlank);
      if (!cursor.atComment) break;
      cursor.skipLine();
    }
    const { char } = cursor;
    // At its end nothing is closed, which the list itself reports.
    if (cursor.ended) return false;
    if (char !== "]" && char !== "," && char !== "/" && !isLineEnd(char)) throw this.#trailing();
    cursor.at++;
    return char === "]";
  }

  /** What is behind a value and does not belong there. */
  #trailing(): ValueError {
    return new ValueError(
      this.#cursor.at,
      "more behind the value",
      "a text with blanks or special characters must be quoted, and entries need a line end, " +
        "a comma or a semicolon between them",
    );
  }

  /** Reads an entry and what follows it; whether that closed the braces that it stands in. */
  #readEntry(map: OpenMap, home: Home): boolean {
    return this.#recover(home === "file" ? "" : "}", () => {
      this.#readKey(map, home);
      return this.#readEntryEnd(home);
    });
  }

  #readKey(map: OpenMap, home: Home): void {
    const cursor = this.#cursor;
    const { at, char } = cursor;
    if (isSeparator(char) || char === "/" || char === "," || char === ";" || char === "]") {
      throw new ValueError(
        at,
        `a ${char} where a key is expected`,
        char === "/" ? "a comment begins with # or //" : undefined,
      );
    }
    let key: string;
    if (char === '"' || char === "'") {
      const end = cursor.text.indexOf(char, at + 1);
      if (end < 0) throw new UnclosedError(at, "a quote that is never closed");
      key = cursor.text.slice(at + 1, end);
      cursor.at = end + 1;
    } else {
      keyCharacters.lastIndex = at;
      keyCharacters.test(cursor.text);
      cursor.at = keyCharacters.lastIndex;
      key = cursor.text.slice(at, cursor.at);
      if (key.toLowerCase() === "include" && isSpace(cursor.char)) return this.#readInclude(map);
    }
    this.#toValue(at, key, home);
    const valueAt = cursor.at;
    this.#builder.key(map, key);
    this.#builder.entry(map, key, this.#readValue(), at, valueAt);
  }

  /** Moves to the value of the key at `keyAt`. */
  #toValue(keyAt: number, key: string, home: Home): void {
    const cursor = this.#cursor;
    cursor.skipSpaces();
    const separated = isSeparator(cursor.char);
    if (separated) cursor.at++;
    if (home === "map") cursor.skipSpaces();
    else cursor.skip(isBlank);
    const { char } = cursor;
    const none = separated ? "no value behind the key" : "a key without a value";
    const hint = /[{[(]$/.test(key) ? `a blank is missing before the ${key.slice(-1)}` : undefined;
    if (cursor.ended) throw new ValueError(keyAt, none, hint);
    if (char === "}" && home !== "file") throw new ValueError(keyAt, none, hint);
    if (char === "," && home === "map") throw new ValueError(keyAt, none, hint);
    if (isLineEnd(char)) {
      throw new ValueError(keyAt, none, "the value begins in the line of the : or = before it");
    }
  }

  #readInclude(map: OpenMap): void {
    const cursor = this.#cursor;
    cursor.skip(isBlank);
    const { at, char, text } = cursor;
    if (char === '"' || char === "'") {
      const end = text.indexOf(char, at + 1);
      if (end < 0) throw new UnclosedError(at, "a quote that is never closed");
      cursor.at = end + 1;
      return this.#builder.include(map, text.slice(at + 1, end), at);
    }
    const expected = "include without the path of a file";
    if (isLineEnd(char) || cursor.ended) throw new ValueError(at, expected);
    if (/^[[{(0-9\\-]/.test(char)) throw new ValueError(at, expected, "quote the path");
    cursor.skip((char) =>
      !isLineEnd(char) && !isBlank(char) && char !== ";" && char !== "}" && char !== "'"
    );
    const path = text.slice(at, cursor.at);
    if (cursor.char === "'") cursor.at++;
    this.#builder.include(map, path, at);
  }

  #readValue(): Value {
    const cursor = this.#cursor;
    const { at, char } = cursor;
    if (char === "[") return this.#nested(at, () => this.#readList());
    if (char === "{") return this.#nested(at, () => this.#readMap());
    return this.#builder.scalar(readScalar(cursor));
  }

  /** Reads what stands behind an entry; whether that closed the braces around it. */
  #readEntryEnd(home: Home): boolean {
    const cursor = this.#cursor;
    for (;;) {
      // A single / is nothing to nats-server here.
      cursor.skip((char) => isBlank(char) || (char === "/" && !cursor.atComment));
      if (!cursor.atComment) break;
      cursor.skipLine();
    }
    const { at, char } = cursor;
    if (cursor.ended) return false;
    if (char !== "}" && char !== "," && char !== ";" && !isLineEnd(char)) throw this.#trailing();
    cursor.at++;
    if (char === "}" && home === "file") {
      this.#oddities.push({ at, found: "a } that closes nothing" });
    }
    return char === "}" && home !== "file";
  }

  #nested<T>(at: number, read: () => T): T {
    if (this.#depth >= DEPTH_LIMIT) {
      this.#report({ at, found: "lists or maps are nested too deeply" });
      throw new Enough();
    }
    this.#depth++;
    try {
      return read();
    } finally {
      this.#depth--;
    }
  }

  /**
   * Runs `read`; when it finds something wrong that is reported, and reading goes on in the next line,
   * or behind the bracket `close` that ends what it was in.
   */
  #recover(close: string, read: () => boolean): boolean {
    const cursor = this.#cursor;
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      const unclosed = error instanceof UnclosedError;
      // What was passed over before may have closed it.
      if (!unclosed || this.#problems.length === 0) this.#report(error);
      if (unclosed) throw new Enough();
      cursor.at = Math.max(cursor.at, error.at);
      cursor.skip((char) => !isLineEnd(char) && char !== close);
      if (cursor.ended) return false;
      const closed = cursor.char === close;
      cursor.at++;
      return closed;
    }
  }

  #report({ at, found, hint }: SyntaxProblem): void {
    this.#problems.push({ at, found, hint });
    if (this.#problems.length >= this.#limit) throw new Enough();
  }
}
