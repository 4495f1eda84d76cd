/**
 * The texts of -ERR, exactly as nats-server writes them.
 *
 * @module
 */

/** Texts without parameters. */
export const ERROR_TEXT = {
  unknownOperation: "Unknown Protocol Operation",
  controlLine: "maximum control line exceeded",
  payload: "Maximum Payload Violation",
  authorization: "Authorization Violation",
  authenticationTimeout: "Authentication Timeout",
  connections: "maximum connections exceeded",
  subscriptions: "maximum subscriptions exceeded",
  invalidSubject: "Invalid Subject",
  invalidPublishSubject: "Invalid Publish Subject",
  clientProtocol: "invalid client protocol",
  noRespondersHeaders: "no responders requires headers support",
  stale: "Stale Connection",
  accountConnections: "maximum account active connections exceeded",
  userExpired: "User Authentication Expired",
  userRevoked: "User Authentication Revoked",
  accountExpired: "Account Authentication Expired",
} as const;

/** `Permissions Violation for Publish to "x"`. */
export function publishViolation(subject: string): string {
  return `Permissions Violation for Publish to ${quote(subject)}`;
}

/** `Permissions Violation for Publish with Reply of "x"`. */
export function replyViolation(reply: string): string {
  return `Permissions Violation for Publish with Reply of ${quote(reply)}`;
}

/** `Permissions Violation for Subscription to "x"`, with the queue when there is one. */
export function subscriptionViolation(subject: string, queue: string | null): string {
  const text = `Permissions Violation for Subscription to ${quote(subject)}`;
  return queue === null ? text : `${text} using queue ${quote(queue)}`;
}

/** `Permissions Violation for Subscription to "x" (sid "1")`: one that there was is none any more. */
export function subscriptionEnded(subject: string, queue: string | null, sid: string): string {
  return `${subscriptionViolation(subject, queue)} (sid ${quote(sid)})`;
}

/** `Permissions Violation for Subscription to "x", too many tokens`. */
export function tooManyTokens(subject: string): string {
  return `${subscriptionViolation(subject, null)}, too many tokens`;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  '"': '\\"',
  "\\": "\\\\",
};

/**
 * A byte string as Go's `strconv.Quote` (`%q`) shows it: valid printable UTF-8 as it is, other code
 * points as `\u....`, bytes that are not UTF-8 as `\x..`. The result is a byte string again.
 */
export function quote(text: string): string {
  let out = '"';
  for (let i = 0; i < text.length;) {
    const code = text.charCodeAt(i);
    if (code < 0x80) {
      const short = SHORT_ESCAPES[text[i]!];
      if (short !== undefined) out += short;
      else if (code < 0x20 || code === 0x7f) out += `\\x${hex(code, 2)}`;
      else out += text[i];
      i++;
      continue;
    }
    const length = sequenceLength(text, i);
    if (length === 0) {
      out += `\\x${hex(code, 2)}`;
      i++;
      continue;
    }
    const point = codePoint(text, i, length);
    if (isPrintable(String.fromCodePoint(point))) out += text.slice(i, i + length);
    else if (point > 0xffff) out += `\\U${hex(point, 8)}`;
    else out += `\\u${hex(point, 4)}`;
    i += length;
  }
  return out + '"';
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

/**
 * Length of the UTF-8 sequence at `at`, or 0 when there is no valid one (RFC 3629, section 4). By
 * arithmetic: a decoder that throws takes a hundred times as long, and the bytes are a client's.
 */
function sequenceLength(text: string, at: number): number {
  const lead = text.charCodeAt(at);
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (at + length > text.length) return 0;
  // No overlong forms, no surrogates, nothing above U+10FFFF.
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  const second = text.charCodeAt(at + 1);
  if (second < low || second > high) return 0;
  for (let i = at + 2; i < at + length; i++) {
    if ((text.charCodeAt(i) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

/** The code point of a valid sequence of `length` bytes, 2 to 4. */
function codePoint(text: string, at: number, length: number): number {
  let point = text.charCodeAt(at) & (0x7f >> length);
  for (let i = at + 1; i < at + length; i++) point = point << 6 | text.charCodeAt(i) & 0x3f;
  return point;
}

/** Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols, and the ASCII space. */
function isPrintable(character: string): boolean {
  return /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character);
}
