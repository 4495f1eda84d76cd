/**
 * Text that others chose, made fit for one line of a log.
 *
 * @module
 */

/** Control and format characters, line and paragraph separators, halves of surrogate pairs. */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const allUnsafe = new RegExp(unsafe, "gu");

/** What may stand after `key=` without quotes. */
const bare = /^[^\s"=\\\p{C}]+$/u;

const shortEscapes: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/**
 * `text` with everything that could end the line, move the cursor or reorder what is shown written
 * as an escape sequence (`\n`, `\u001b`); everything else, the backslash too, stays as it is.
 */
export function escapeText(text: string): string {
  if (!unsafe.test(text)) return text;
  return text.replace(allUnsafe, (character) => shortEscapes.get(character) ?? byUnit(character));
}

/** `text` between double quotes, with escape sequences as in JSON where it needs them. */
export function quoteText(text: string): string {
  return escapeJson(JSON.stringify(text));
}

/** `text` as the value of a `key=value` pair: in quotes only where it would not be clear. */
export function valueText(text: string): string {
  return bare.test(text) ? text : quoteText(text);
}

/** JSON text whose strings hold no character that {@link escapeText} would not let through. */
export function escapeJson(json: string): string {
  return unsafe.test(json) ? json.replace(allUnsafe, byUnit) : json;
}

function byUnit(character: string): string {
  let escaped = "";
  for (let i = 0; i < character.length; i++) {
    escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
  }
  return escaped;
}
