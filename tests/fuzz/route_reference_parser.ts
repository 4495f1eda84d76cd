/**
 * The route protocol, parsed slowly and plainly: each rule of the grammar is one statement on the
 * whole input. The broker's parser must agree with it on every input, wherever that is split.
 *
 * The rules are those of nats-server 2.15.1, observed line by line on its route port, except that
 * client verbs and groups without a positive weight are refused.
 *
 * @module
 */
import type { RouteFault } from "../../src/protocol/mod.ts";

/** How a connection is set up before the input. */
export interface RouteSettings {
  /** Longest argument part of a control line, in bytes. */
  readonly maxControlLine: number;
  /** Largest total size of a message, in bytes; negative for no limit. */
  readonly maxPayload: number;
  /** Whether accounts are left out. */
  readonly dedicated: boolean;
  /** Whether LS- names the origin. */
  readonly leafOrigins: boolean;
  /** Whether the first command must be CONNECT. */
  readonly connectRequired: boolean;
}

/** One thing an input says. Texts are byte strings. */
export type RouteEvent =
  | { readonly kind: "connect" | "info" | "error"; readonly text: string }
  | { readonly kind: "ping" | "pong" }
  | {
    readonly kind: "added";
    readonly account: string;
    readonly subject: string;
    readonly queue: string | null;
    readonly weight: number;
    readonly origin: string | null;
  }
  | {
    readonly kind: "removed";
    readonly account: string;
    readonly subject: string;
    readonly queue: string | null;
    readonly origin: string | null;
  }
  | {
    readonly kind: "message";
    readonly account: string;
    readonly subject: string;
    readonly reply: string | null;
    readonly queues: readonly string[] | null;
    /** Bytes of headers, 0 for a message without. */
    readonly headerLength: number;
    /** Header length, if any, and size as written; they are passed on so. */
    readonly sizes: string;
    /** Headers and payload. */
    readonly body: string;
  }
  | { readonly kind: "fault"; readonly fault: RouteFault };

const BARE = ["PING", "PONG", "+OK"];
const FREE = ["CONNECT", "INFO"];
const BLANK = ["-ERR", "A+", "A-", "RS+", "RS-", "LS+", "LS-", "RMSG", "HMSG", "LMSG"];
const VERBS = [...BARE, ...FREE, ...BLANK];

/** What `input`, a byte string, says. A fault is the last event; an unfinished command is none. */
export function parseRouteReference(input: string, settings: RouteSettings): RouteEvent[] {
  const events: RouteEvent[] = [];
  let connectRequired = settings.connectRequired;
  let at = 0;
  const fault = (fault: RouteFault): RouteEvent[] => [...events, { kind: "fault", fault }];

  while (at < input.length) {
    if (connectRequired && !/[Cc]/.test(input[at]!)) return fault("not connected");

    const ahead = input.slice(at, at + 7).replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
    const verb = VERBS.find((verb) => ahead.startsWith(verb));
    if (verb === undefined) {
      // Unless more input can make a verb of it.
      if (VERBS.some((verb) => verb.startsWith(ahead))) return events;
      return fault("unknown operation");
    }
    at += verb.length;

    if (BARE.includes(verb)) {
      const lineEnd = input.indexOf("\n", at);
      if (lineEnd < 0) return events;
      at = lineEnd + 1;
      if (verb !== "+OK") events.push({ kind: verb === "PING" ? "ping" : "pong" });
      continue;
    }

    if (at === input.length) return events;
    if (BLANK.includes(verb) && !/[ \t]/.test(input[at]!)) return fault("unknown operation");
    while (input[at] === " " || input[at] === "\t") at++;
    if (at === input.length) return events;

    // The argument's first byte is never looked at: even a line end there belongs to it.
    const lineEnd = input.indexOf("\n", at + 1);
    const line = lineEnd < 0 ? input.slice(at) : input.slice(at, lineEnd);
    const argument = line.includes("\r", 1) ? line.slice(0, -1) : line;
    if (argument.length > settings.maxControlLine) return fault("control line");
    if (lineEnd < 0) return events;
    at = lineEnd + 1;

    if (verb === "CONNECT") {
      events.push({ kind: "connect", text: argument });
      connectRequired = false;
    } else if (verb === "INFO") {
      events.push({ kind: "info", text: argument.replace(/[ \t\r\n]+$/, "") });
    } else if (verb === "-ERR") {
      events.push({ kind: "error", text: argument });
    } else if (verb.endsWith("S+") || verb.endsWith("S-")) {
      const event = interest(verb, words(argument), settings);
      if (event === null) return fault("arguments");
      events.push(event);
    } else if (verb.endsWith("MSG")) {
      const line = message(verb, words(argument), settings.dedicated);
      if (line === null) return fault("arguments");
      const { size, ...event } = line;
      if (settings.maxPayload >= 0 && size > settings.maxPayload) return fault("payload size");
      const [first, second] = input.slice(at + size, at + size + 2);
      if (first !== undefined && first !== "\r") return fault("unknown operation");
      if (second !== undefined && second !== "\n") return fault("unknown operation");
      if (second === undefined) return events;
      events.push({ ...event, body: input.slice(at, at + size) });
      at += size + 2;
    }
  }
  return events;
}

/** RS+, RS-, LS+ or LS- with these fields; null when they are malformed. */
function interest(verb: string, fields: string[], settings: RouteSettings): RouteEvent | null {
  let origin: string | null = null;
  if (verb === "LS+" || (verb === "LS-" && settings.leafOrigins)) origin = fields.shift() ?? "";
  else if (verb === "LS-") origin = "";
  const account = settings.dedicated ? "" : fields.shift();
  const [subject, queue = null, weightText, ...rest] = fields;
  if (account === undefined || subject === undefined || rest.length > 0) return null;
  if (verb.endsWith("-")) {
    return weightText === undefined ? { kind: "removed", account, subject, queue, origin } : null;
  }
  if (queue === null) return { kind: "added", account, subject, queue, weight: 0, origin };
  if (weightText === undefined || !/^0*[1-9][0-9]*$/.test(weightText)) return null;
  const weight = Math.min(Number(weightText), 2 ** 31 - 1);
  return { kind: "added", account, subject, queue, weight, origin };
}

/** RMSG, HMSG or LMSG with these fields, without its body; null when they are malformed. */
function message(verb: string, fields: string[], dedicated: boolean) {
  if (verb === "LMSG") fields.shift();
  const account = dedicated ? "" : fields.shift();
  const subject = fields.shift();
  const totalText = fields.pop(), size = sizeOf(totalText);
  const headerText = verb === "RMSG" ? "0" : fields.pop(), headerLength = sizeOf(headerText);
  if (account === undefined || subject === undefined) return null;
  if (size === undefined || headerLength === undefined || headerLength > size) return null;
  // A single field in the middle is a reply even where it looks like a sign.
  let reply: string | null = null, queues: string[] | null = null;
  if (fields.length === 1) reply = fields[0]!;
  else if (fields.length > 1) {
    const sign = fields.shift();
    if (sign === "+") reply = fields.shift()!;
    else if (sign !== "|") return null;
    // A name counts once, but two names that are the same are as they are.
    if (fields.length > 0) queues = fields.length === 2 ? fields : [...new Set(fields)];
  }
  const sizes = headerLength === 0 ? totalText! : `${headerText} ${totalText}`;
  return { kind: "message", account, subject, reply, queues, headerLength, sizes, size } as const;
}

/** One to nine decimal digits; anything else is `undefined`. */
function sizeOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined;
}

function words(argument: string): string[] {
  return argument.split(/[ \t\r\n]+/).filter((word) => word !== "");
}
