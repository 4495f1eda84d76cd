/**
 * The part of YAML that configurations are written in, read several times faster than by a library
 * for all of it, and with positions. A text with anything else in it, or with an error, is none of
 * its business: that is for the library, which then reads the whole.
 *
 * Left out are tags, block scalars, several documents, directives, explicit keys, scalars over several
 * lines, keys without values in brackets, tabs, control characters and what is beyond 16 bits.
 *
 * @module
 */
import type { EntryReader } from "./entry_reader.ts";
import { offsetOf, type Offsets, positionOf } from "./offsets.ts";
import type { Position } from "./positions.ts";
import type { Path } from "./problem.ts";

/** What is never read here: control characters, tabs, CR, surrogates, byte order marks. */
const strangeCharacter = /[^\x20-\x7e\n\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;
const marker = /^(?:---|\.\.\.|%)/m;
/** What a plain scalar may not begin with; a dash only before what cannot be the start of a list. */
const notPlain = new Set("\n -?:,[]{}#&*!|>'\"%@`");
const deepest = 100;

/** The text has something in it that is not read here. */
class Unread extends Error {}

type Values = Record<string, unknown>;

/** A text that was read, and where its values stand. */
export interface PlainDocument {
  /** Its value; every scalar is a text. */
  readonly value: unknown;
  /** Where the value at `path` stands, or its key if `atKey`, or what is nearest around it. */
  locate(path: Path, atKey: boolean): Position;
}

/** The value of `text`, or `undefined` where it is for the library. */
export function readPlainYaml(
  text: string,
  entries: EntryReader | null = null,
): { readonly value: unknown } | undefined {
  return attempt(() => ({ value: new Reader(text, null, entries).read() }));
}

/** As {@link readPlainYaml}, with positions. */
export function locatePlainYaml(text: string): PlainDocument | undefined {
  return attempt(() => {
    const offsets = new Map<unknown, Offsets>();
    const reader = new Reader(text, offsets);
    const value = reader.read();
    return {
      value,
      locate: (path, atKey) =>
        positionOf(text, offsetOf(value, path, atKey, offsets, reader.start)),
    };
  });
}

function attempt<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Unread) return undefined;
    throw error;
  }
}

/** Keys as they follow each other in maps: they are mostly the same, and then not read anew. */
interface KeyOrder {
  readonly key: string;
  next?: KeyOrder;
}

/** One reading of one text. */
class Reader {
  /** Where its value begins. */
  start = 0;
  readonly #text: string;
  readonly #offsets: Map<unknown, Offsets> | null;
  readonly #flowKeys: KeyOrder = { key: "" };
  readonly #anchors = new Map<string, unknown>();
  #at = 0;
  /** Where the line begins in which `#at` is. */
  #line = 0;
  #depth = 0;
  /** Where the value in brackets began that was read last. */
  #valueAt = 0;
  readonly #entries: EntryReader | null;
  /** Whether the value of the key of `#entries` is being read. */
  #inEntries = false;
  /** How often an anchor was given or taken. */
  #anchored = 0;

  constructor(
    text: string,
    offsets: Map<unknown, Offsets> | null,
    entries: EntryReader | null = null,
  ) {
    if (strangeCharacter.test(text) || marker.test(text)) throw new Unread();
    this.#text = text;
    this.#offsets = offsets;
    this.#entries = entries;
  }

  read(): unknown {
    this.#nextLine();
    if (this.#ended()) throw new Unread();
    this.start = this.#at;
    const value = this.#block();
    if (!this.#ended()) throw new Unread();
    return value;
  }

  #ended(): boolean {
    return this.#at >= this.#text.length;
  }

  get #column(): number {
    return this.#at - this.#line;
  }

  #is(character: string): boolean {
    return this.#text[this.#at] === character;
  }

  /** Whether a blank, the end of the line or of the text is at `at`. */
  #isBlankAt(at: number): boolean {
    const code = this.#text.charCodeAt(at);
    return code === 0x20 || code === 0x0a || at >= this.#text.length;
  }

  #skipBlanks(): void {
    while (this.#text.charCodeAt(this.#at) === 0x20) this.#at++;
  }

  /** To the next thing that is no blank and no comment, in this line or below. */
  #nextLine(): void {
    for (;;) {
      this.#skipBlanks();
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x23 && (this.#at === this.#line || this.#isBlankAt(this.#at - 1))) {
        const end = this.#text.indexOf("\n", this.#at);
        this.#at = end < 0 ? this.#text.length : end;
      } else if (code === 0x0a) {
        this.#at++;
        this.#line = this.#at;
      } else return;
    }
  }

  /** To the first thing below this line, which has no more in it than a comment. */
  #endLine(): void {
    const line = this.#line;
    this.#nextLine();
    if (this.#line === line && !this.#ended()) throw new Unread();
  }

  /** A map, a list, or a scalar alone, which begins here and ends before a line that is not deeper. */
  #block(): unknown {
    if (++this.#depth > deepest) throw new Unread();
    const value = this.#is("-") && this.#isBlankAt(this.#at + 1)
      ? this.#blockList(this.#column)
      : this.#blockMapOrValue();
    this.#depth--;
    return value;
  }

  #blockMapOrValue(): unknown {
    const from = this.#at, column = this.#column;
    if (!this.#is("{") && !this.#is("[") && !this.#is("&") && !this.#is("*")) {
      const key = this.#is('"') || this.#is("'") ? this.#quoted() : this.#plainInBlock();
      if (this.#is(":") && this.#isBlankAt(this.#at + 1)) return this.#blockMap(column, from, key);
      this.#at = from;
    }
    return this.#inline(column);
  }

  #blockMap(column: number, from: number, first: string): Values {
    const values: Values = {}, offsets: Offsets = [];
    const entries = this.#depth === 2 && this.#inEntries ? this.#entries : null;
    let key = first, keyAt = from;
    for (;;) {
      checkKey(key, values);
      this.#at++;
      if (this.#depth === 1) this.#inEntries = key === this.#entries?.key;
      const [value, valueAt] = entries === null
        ? this.#valueOfKey(column)
        : this.#valueOfEntry(column, key, entries);
      values[key] = value;
      offsets.push(keyAt, valueAt);
      if (this.#ended() || this.#column < column) break;
      if (this.#column > column) throw new Unread();
      keyAt = this.#at;
      key = this.#is('"') || this.#is("'") ? this.#quoted() : this.#plainInBlock();
      if (!this.#is(":") || !this.#isBlankAt(this.#at + 1)) throw new Unread();
    }
    this.#offsets?.set(values, offsets);
    return values;
  }

  /** The value behind the colon of an entry: what is known of it, if its text is as it was. */
  #valueOfEntry(column: number, key: string, entries: EntryReader): [unknown, number] {
    const behind = this.#at, from = this.#line;
    const known = entries.known(key, from);
    if (known !== undefined) {
      this.#at = this.#line = known.to;
      this.#nextLine();
      if (!this.#isBelow(column)) {
        entries.passed(key, from, known.to);
        return [known.value, behind];
      }
      this.#at = behind;
      this.#line = from;
    }
    const anchored = this.#anchored;
    const read = this.#valueOfKey(column);
    // The last line of a text may end without a line feed.
    const isWhole = !this.#ended() || this.#at === this.#line;
    if (isWhole && anchored === this.#anchored) entries.read(key, from, this.#line);
    return read;
  }

  /** Whether what is here belongs to a key in `column`. */
  #isBelow(column: number): boolean {
    return !this.#ended() && (this.#column > column ||
      (this.#column === column && this.#is("-") && this.#isBlankAt(this.#at + 1)));
  }

  /** The value behind a colon, and where it begins. */
  #valueOfKey(column: number): [unknown, number] {
    const behind = this.#at;
    this.#skipBlanks();
    const anchor = this.#anchor();
    // What an anchor names may stand elsewhere too.
    if (anchor !== undefined && this.#depth === 1) this.#inEntries = false;
    if (!this.#atLineEnd()) {
      const valueAt = this.#at;
      return [this.#named(anchor, this.#inline(column)), valueAt];
    }
    this.#endLine();
    if (!this.#isBelow(column)) {
      if (anchor !== undefined) throw new Unread();
      return [null, behind];
    }
    const valueAt = this.#at;
    return [this.#namedBelow(anchor), valueAt];
  }

  #atLineEnd(): boolean {
    return this.#ended() || this.#is("\n") ||
      (this.#is("#") && this.#isBlankAt(this.#at - 1));
  }

  #blockList(column: number): unknown[] {
    const items: unknown[] = [], offsets: Offsets = [];
    while (
      !this.#ended() && this.#column === column && this.#is("-") && this.#isBlankAt(this.#at + 1)
    ) {
      const line = this.#line;
      this.#at++;
      this.#skipBlanks();
      const anchor = this.#anchor();
      let item: unknown;
      if (this.#atLineEnd()) {
        this.#endLine();
        // The library has its own idea of what follows an item that is empty.
        if (this.#ended() || this.#column <= column) throw new Unread();
      }
      const itemAt = this.#at;
      if (this.#line !== line) item = this.#namedBelow(anchor);
      // A map behind an anchor in the same line would belong to the anchor in part only.
      else item = this.#named(anchor, anchor === undefined ? this.#block() : this.#inline(column));
      items.push(item);
      offsets.push(itemAt, itemAt);
    }
    if (!this.#ended() && this.#column > column) throw new Unread();
    this.#offsets?.set(items, offsets);
    return items;
  }

  /** A value that ends in its line, or with its bracket; below it nothing is deeper than `column`. */
  #inline(column: number): unknown {
    let value: unknown;
    if (this.#is("{") || this.#is("[")) value = this.#flow();
    else if (this.#is('"') || this.#is("'")) value = this.#quoted();
    else if (this.#is("*")) value = this.#alias();
    else value = this.#plainInBlock();
    if (this.#is(":")) throw new Unread();
    this.#skipBlanks();
    if (!this.#atLineEnd()) throw new Unread();
    this.#endLine();
    if (!this.#ended() && this.#column > column) throw new Unread();
    return value;
  }

  #anchor(): string | undefined {
    if (!this.#is("&")) return undefined;
    this.#at++;
    const name = this.#name();
    if (!this.#isBlankAt(this.#at)) throw new Unread();
    this.#skipBlanks();
    // What has a name already gets no other.
    if (this.#is("*")) throw new Unread();
    this.#anchored++;
    return name;
  }

  #alias(): unknown {
    this.#at++;
    const name = this.#name();
    if (!this.#anchors.has(name)) throw new Unread();
    this.#anchored++;
    return this.#anchors.get(name);
  }

  #name(): string {
    const from = this.#at;
    while (/[\w-]/.test(this.#text[this.#at] ?? "")) this.#at++;
    if (this.#at === from) throw new Unread();
    return this.#text.slice(from, this.#at);
  }

  /** What begins in the line below an anchor, if there was one: keys or a list with dashes then. */
  #namedBelow(anchor: string | undefined): unknown {
    // The library would lose what it names, see `source.ts`.
    if (anchor !== undefined && /[{[*]/.test(this.#text[this.#at] ?? "")) throw new Unread();
    const value = this.#block();
    if (anchor !== undefined && typeof value !== "object") throw new Unread();
    return this.#named(anchor, value);
  }

  #named(anchor: string | undefined, value: unknown): unknown {
    if (anchor !== undefined) this.#anchors.set(anchor, value);
    return value;
  }

  #quoted(): string {
    const text = this.#text, quote = text[this.#at], from = ++this.#at;
    for (let at = from;; at++) {
      const code = text.charCodeAt(at);
      // A text over several lines, or one that does not end, and whatever a backslash begins.
      if (code === 0x0a || at >= text.length || (code === 0x5c && quote === '"')) {
        throw new Unread();
      }
      if (text[at] !== quote) continue;
      // Two quotes within single ones are one.
      if (quote === "'" && text[at + 1] === "'") throw new Unread();
      this.#at = at + 1;
      return text.slice(from, at);
    }
  }

  #checkStart(): void {
    const first = this.#text[this.#at] ?? "\n";
    if (!notPlain.has(first)) return;
    if (first !== "-" || !/[\w.]/.test(this.#text[this.#at + 1] ?? "")) throw new Unread();
  }

  /** A plain scalar up to the end of the line, a comment or a colon before a blank. */
  #plainInBlock(): string {
    this.#checkStart();
    const text = this.#text, from = this.#at;
    let at = from, end = from;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === 0x0a) break;
      if (code === 0x20) continue;
      if (code === 0x3a && this.#isBlankAt(at + 1)) break;
      if (code === 0x23 && text.charCodeAt(at - 1) === 0x20) break;
      end = at + 1;
    }
    // Blanks between a key and its colon.
    if (text[at] === ":" && end !== at) throw new Unread();
    this.#at = end;
    return text.slice(from, end);
  }

  #flow(): unknown {
    if (++this.#depth > deepest) throw new Unread();
    const value = this.#is("{") ? this.#flowMap() : this.#flowList();
    this.#depth--;
    return value;
  }

  #flowMap(): Values {
    const values: Values = {}, offsets: Offsets | null = this.#offsets && [];
    let keys = this.#flowKeys;
    this.#at++;
    for (;;) {
      this.#nextLine();
      if (this.#is("}")) break;
      const keyAt = this.#at;
      keys = this.#usualKey(keys) ?? this.#newKey(keys, values);
      if (!this.#is(":") || !this.#isBlankAt(this.#at + 1)) throw new Unread();
      this.#at++;
      this.#nextLine();
      values[keys.key] = this.#flowValue();
      offsets?.push(keyAt, this.#valueAt);
      if (!this.#comma("}")) break;
    }
    this.#at++;
    if (offsets !== null) this.#offsets?.set(values, offsets);
    return values;
  }

  /** The key that came last time behind the same ones, if it is here too. */
  #usualKey({ next }: KeyOrder): KeyOrder | undefined {
    if (next === undefined || !this.#text.startsWith(next.key, this.#at)) return undefined;
    const end = this.#at + next.key.length;
    if (this.#text.charCodeAt(end) !== 0x3a || !this.#isBlankAt(end + 1)) return undefined;
    this.#at = end;
    return next;
  }

  #newKey(before: KeyOrder, values: Values): KeyOrder {
    const isPlain = !this.#is('"') && !this.#is("'");
    const key = isPlain ? this.#plainInFlow() : this.#quoted();
    checkKey(key, values);
    const order = { key };
    // What is in quotes is not found again by its text.
    if (isPlain) before.next = order;
    return order;
  }

  #flowList(): unknown[] {
    const items: unknown[] = [], offsets: Offsets = [];
    this.#at++;
    for (;;) {
      this.#nextLine();
      if (this.#is("]")) break;
      items.push(this.#flowValue());
      offsets.push(this.#valueAt, this.#valueAt);
      if (!this.#comma("]")) break;
    }
    this.#at++;
    this.#offsets?.set(items, offsets);
    return items;
  }

  /** Whether a comma is next, rather than the bracket `end`. */
  #comma(end: string): boolean {
    this.#nextLine();
    if (this.#is(end)) return false;
    if (!this.#is(",")) throw new Unread();
    this.#at++;
    return true;
  }

  #flowValue(): unknown {
    const anchor = this.#anchor(), from = this.#at;
    let value: unknown;
    if (this.#is("{") || this.#is("[")) value = this.#flow();
    else if (this.#is('"') || this.#is("'")) value = this.#quoted();
    else if (this.#is("*") && anchor === undefined) value = this.#alias();
    else value = this.#plainInFlow();
    // A pair without braces.
    if (this.#is(":")) throw new Unread();
    this.#valueAt = from;
    return this.#named(anchor, value);
  }

  /** A plain scalar up to what ends one in brackets. */
  #plainInFlow(): string {
    this.#checkStart();
    const text = this.#text, from = this.#at;
    let at = from, end = from;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === 0x0a || code === 0x2c || code === 0x5b || code === 0x5d) break;
      if (code === 0x7b || code === 0x7d) break;
      if (code === 0x20) continue;
      if (code === 0x3a) {
        const next = text.charCodeAt(at + 1);
        if (this.#isBlankAt(at + 1)) break;
        if (next === 0x2c || next === 0x5d || next === 0x7d) throw new Unread();
      }
      if (code === 0x23 && text.charCodeAt(at - 1) === 0x20) break;
      end = at + 1;
    }
    if (text[at] === ":" && end !== at) throw new Unread();
    if (text[at] === "[" || text[at] === "{") throw new Unread();
    this.#at = end;
    return text.slice(from, end);
  }
}

/** Refuses a key that is there already, or that an object would not keep as it is, in its place. */
function checkKey(key: string, values: Values): void {
  if (Object.hasOwn(values, key) || key === "__proto__" || key === "<<" || /^\d+$/.test(key)) {
    throw new Unread();
  }
}
