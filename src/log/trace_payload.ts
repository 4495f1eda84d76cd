/**
 * Payloads in a protocol trace.
 *
 * @module
 */
import { quoteText } from "./escape.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * At most `max_length` bytes of a payload (0 is all of them) between double quotes: UTF-8 text with
 * escape sequences as in JSON, or, where it is no UTF-8, every byte outside ASCII as `\xhh`. Three
 * dots before the closing quote tell that it was cut (nats-server's form).
 */
export function tracePayload(payload: Uint8Array, max_length: number): string {
  const cut = max_length > 0 && payload.length > max_length;
  const shown = cut ? payload.subarray(0, characterStart(payload, max_length)) : payload;
  const quoted = quoteBytes(shown);
  return cut ? `${quoted.slice(0, -1)}..."` : quoted;
}

function quoteBytes(bytes: Uint8Array): string {
  try {
    return quoteText(decoder.decode(bytes));
  } catch {
    let quoted = "";
    for (const byte of bytes) {
      quoted += byte < 0x80
        ? quoteText(String.fromCharCode(byte)).slice(1, -1)
        : `\\x${byte.toString(16)}`;
    }
    return `"${quoted}"`;
  }
}

/** The start of the UTF-8 character at `index`, so that a cut does not go through one. */
function characterStart(bytes: Uint8Array, index: number): number {
  for (let back = 0; back < 4 && index - back > 0; back++) {
    if ((bytes[index - back]! & 0xc0) !== 0x80) return index - back;
  }
  return index;
}
