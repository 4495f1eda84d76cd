/**
 * Distinguished names, the names of subjects in certificates, as RFC 2253 and RFC 4514 write them:
 * `CN=carol,OU=Sales+L=Bonn,O=Acme`.
 *
 * @module
 */

/** A name, taken apart. */
export interface DistinguishedName {
  /** Its parts in their order, each in a form in which equal parts are equal texts. */
  readonly parts: readonly string[];
  /** The same for names that consist of the same parts in any order. */
  readonly unordered: string;
}

/**
 * Takes a name apart; null when it is none. Types of attributes are the same in upper and lower case,
 * their values are not. As in nats-server, values that are written in hexadecimal (`#0401`) are not
 * understood.
 */
export function parseDistinguishedName(text: string): DistinguishedName | null {
  if (!text.includes("=")) return null;
  const parts: string[] = [];
  let attributes: string[] = [], type: string | null = null;
  const scanner = new Scanner(text);
  for (;;) {
    const { value, stop } = scanner.next();
    if (value === null) return null;
    if (stop === "=") {
      // A second one is a part of the value to nobody.
      if (type !== null || value === "" || scanner.peek === "#") return null;
      type = value.toUpperCase();
      continue;
    }
    if (type === null) return null;
    attributes.push(JSON.stringify([type, value]));
    type = null;
    if (stop === "+") continue;
    parts.push(attributes.sort().join());
    attributes = [];
    if (stop === "") break;
  }
  return { parts, unordered: JSON.stringify(parts.toSorted()) };
}

/** Reads pieces of a name up to the characters that separate them. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next character; empty at the end. */
  get peek(): string {
    return this.#text[this.#at] ?? "";
  }

  /**
   * The next piece, without blanks around it, and what it ends with: `=`, `,`, `+` or nothing at the
   * end. Null for a piece that cannot be.
   */
  next(): { readonly value: string | null; readonly stop: string } {
    const text = this.#text;
    const bytes: number[] = [];
    /** How much of it must not be taken for blanks at its end. */
    let kept = 0;
    for (; this.#at < text.length; this.#at++) {
      const char = text[this.#at]!;
      if (char === "=" || char === "," || char === "+") {
        this.#at++;
        return { value: decode(bytes.slice(0, kept)), stop: char };
      }
      if (char === " ") {
        if (bytes.length > 0) bytes.push(0x20);
        continue;
      }
      if (char === "\\") {
        const escaped = text[++this.#at] ?? "";
        if (' "#+,;<=>\\'.includes(escaped) && escaped !== "") bytes.push(escaped.charCodeAt(0));
        else {
          const hex = text.slice(this.#at, ++this.#at + 1);
          if (!/^[0-9a-f]{2}$/i.test(hex)) return { value: null, stop: "" };
          bytes.push(parseInt(hex, 16));
        }
      } else {
        const point = text.codePointAt(this.#at)!;
        if (point > 0xffff) this.#at++;
        bytes.push(...encoder.encode(String.fromCodePoint(point)));
      }
      kept = bytes.length;
    }
    return { value: decode(bytes.slice(0, kept)), stop: "" };
  }
}

const encoder = new TextEncoder(), decoder = new TextDecoder("utf-8", { fatal: true });

function decode(bytes: readonly number[]): string | null {
  try {
    return decoder.decode(Uint8Array.from(bytes));
  } catch {
    // Escaped bytes that are no UTF-8.
    return null;
  }
}
