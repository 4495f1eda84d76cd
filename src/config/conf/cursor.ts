/**
 * A place in a text that moves on, and what can be said of the characters there.
 *
 * @module
 */
import type { ConfFile, Origin } from "./origin.ts";

const TAB = 0x09, LINE_FEED = 0x0a, CARRIAGE_RETURN = 0x0d, SPACE = 0x20;

/** What ends a comment, and a value outside brackets. */
export function isLineEnd(char: string): boolean {
  return char === "\n" || char === "\r";
}

/** What parts words within a line. */
export function isBlank(char: string): boolean {
  return char === " " || char === "\t";
}

/** White space as Go sees it. */
export function isSpace(char: string): boolean {
  if (char === " " || (char >= "\t" && char <= "\r")) return true;
  return char > "\x7f" && /[\x85\xa0\p{Z}]/u.test(char);
}

/** Whether `char` may begin a number. */
export function isDigit(char: string): boolean {
  return char >= "0" && char <= "9";
}

/** What parts a key from its value. */
export function isSeparator(char: string): boolean {
  return char === ":" || char === "=";
}

/** A file and an offset in it. Every method moves only forward. */
export class Cursor implements Origin {
  /** The file. */
  readonly file: ConfFile;
  /** The whole text. */
  readonly text: string;
  /** The offset of the next character. */
  at = 0;

  /** A cursor before the first character of `file`. */
  constructor(file: ConfFile) {
    this.file = file;
    this.text = file.text;
  }

  /** The next character; empty at the end. */
  get char(): string {
    return this.text.charAt(this.at);
  }

  /** Whether nothing is left. */
  get ended(): boolean {
    return this.at >= this.text.length;
  }

  /** Whether a comment begins here. */
  get atComment(): boolean {
    const { char } = this;
    return char === "#" || (char === "/" && this.text.charAt(this.at + 1) === "/");
  }

  /** Passes over characters as long as `wanted` says so. */
  skip(wanted: (char: string) => boolean): void {
    while (!this.ended && wanted(this.char)) this.at++;
  }

  /** Passes over the rest of the line, without its end. */
  skipLine(): void {
    const { text } = this;
    let at = this.at;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === LINE_FEED || code === CARRIAGE_RETURN) break;
      at++;
    }
    this.at = at;
  }

  /** Passes over white space. */
  skipSpaces(): void {
    const { text } = this;
    let at = this.at;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === SPACE || (code >= TAB && code <= CARRIAGE_RETURN)) continue;
      if (code < 0x80 || !isSpace(text.charAt(at))) break;
    }
    this.at = at;
  }

  /** Passes over white space and comments. */
  skipSpacesAndComments(): void {
    for (;;) {
      this.skipSpaces();
      if (!this.atComment) return;
      this.skipLine();
    }
  }
}
