/**
 * A place in a text that moves on, and what can be said of the characters there.
 *
 * @module
 */

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

/** A text and an offset in it. Every method moves only forward. */
export class Cursor {
  /** The whole text. */
  readonly text: string;
  /** The offset of the next character. */
  at = 0;

  /** A cursor before the first character of `text`. */
  constructor(text: string) {
    this.text = text;
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
    this.skip((char) => !isLineEnd(char));
  }

  /** Passes over white space and comments. */
  skipSpacesAndComments(): void {
    for (;;) {
      this.skip(isSpace);
      if (!this.atComment) return;
      this.skipLine();
    }
  }
}
