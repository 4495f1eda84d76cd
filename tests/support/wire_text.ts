/**
 * Bytes as text and back, in the notation of the batteries: printable ASCII as it is, `\r`, `\n`,
 * `\t`, `\\`, other bytes as `\xNN`, and in the reading direction also a run of one character as
 * `c{xN}`.
 *
 * Inside the tests a *byte string* is a string whose every code unit is one byte (0-255).
 *
 * @module
 */

/** The bytes of a byte string. Code units above 255 are a mistake of the test. */
export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 255) throw new RangeError(`not a byte string: ${JSON.stringify(text)}`);
    bytes[index] = unit;
  }
  return bytes;
}

/** The byte string of some bytes. */
export function fromBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The byte string that holds `text` in UTF-8. */
export function utf8(text: string): string {
  return fromBytes(new TextEncoder().encode(text));
}

const NAMED = new Map([["\r", "\\r"], ["\n", "\\n"], ["\t", "\\t"], ["\\", "\\\\"]]);

/** A byte string in the batteries' notation; a run of 16 or more of one character is abbreviated. */
export function escape(text: string): string {
  return escapeBytes(text).replaceAll(
    /([^\\])\1{15,}/g,
    (run, unit: string) => `${unit}{x${run.length}}`,
  );
}

function escapeBytes(text: string): string {
  return text.replaceAll(
    /[^ -~]|\\|\{(?=x\d)/g,
    (unit) => NAMED.get(unit) ?? "\\x" + unit.charCodeAt(0).toString(16).padStart(2, "0"),
  );
}

/**
 * The byte string that a piece of battery notation stands for.
 *
 * @throws {SyntaxError} at a backslash that starts no known escape.
 */
export function unescape(notation: string): string {
  const expanded = notation.replaceAll(
    /([^\\])\{x(\d+)\}/g,
    (_, unit: string, count: string) => unit.repeat(Number(count)),
  );
  return expanded.replaceAll(/\\(x[0-9a-fA-F]{2}|.?)/g, (whole, code: string) => {
    switch (code[0]) {
      case "r":
        return "\r";
      case "n":
        return "\n";
      case "t":
        return "\t";
      case "\\":
        return "\\";
      case "x":
        if (code.length === 3) return String.fromCharCode(parseInt(code.slice(1), 16));
        break;
    }
    throw new SyntaxError(`unknown escape ${whole} in ${notation}`);
  });
}
