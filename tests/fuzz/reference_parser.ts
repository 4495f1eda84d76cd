/**
 * The client's side of the protocol, parsed slowly and plainly: each rule of the grammar is one
 * statement on the whole input. The broker's parser must agree with it on every input, wherever that
 * is split.
 *
 * The rules are those of the protocol documentation and, where it is silent, of nats-server 2.15.1,
 * observed byte by byte.
 *
 * @module
 */
import type { ClientFault } from "../../src/protocol/mod.ts";

/** How a connection is set up before the input. */
export interface ReferenceSettings {
  /** Longest argument part of a control line, in bytes. */
  readonly maxControlLine: number;
  /** Largest total size of a message, in bytes. */
  readonly maxPayload: number;
  /** Whether HPUB is allowed. */
  readonly headers: boolean;
  /** Whether a message is announced before its payload. */
  readonly pedantic: boolean;
  /** Whether the first command must be CONNECT. */
  readonly connectRequired: boolean;
}

/** One thing an input says. Texts are byte strings. */
export type ReferenceEvent =
  | { readonly kind: "connect" | "info" | "error"; readonly text: string }
  | { readonly kind: "ping" | "pong" }
  | {
    readonly kind: "announced";
    readonly subject: string;
    readonly size: number;
  }
  | {
    readonly kind: "publish";
    readonly subject: string;
    readonly reply: string | null;
    /** Bytes of headers, 0 for a message without. */
    readonly headerLength: number;
    /** Header length, if any, and size as written; they are passed on so. */
    readonly sizes: string;
    /** Headers and payload. */
    readonly body: string;
  }
  | {
    readonly kind: "subscribe";
    readonly subject: string;
    readonly queue: string | null;
    readonly sid: string;
  }
  | {
    readonly kind: "unsubscribe";
    readonly sid: string;
    /** 0 when absent, zero or malformed. */
    readonly max: number;
  }
  | { readonly kind: "fault"; readonly fault: ClientFault };

const VERBS = ["CONNECT", "PUB", "HPUB", "SUB", "UNSUB", "PING", "PONG", "INFO", "+OK", "-ERR"];

/** What `input`, a byte string, says. A fault is the last event; an unfinished command is none. */
export function parseReference(input: string, settings: ReferenceSettings): ReferenceEvent[] {
  const events: ReferenceEvent[] = [];
  let connectRequired = settings.connectRequired;
  let at = 0;
  const fault = (fault: ClientFault): ReferenceEvent[] => {
    events.push({ kind: "fault", fault });
    return events;
  };

  while (at < input.length) {
    if (connectRequired && input[at]?.toUpperCase() !== "C") return fault("not connected");

    const ahead = asciiUpper(input.slice(at, at + 7));
    const verb = VERBS.find((verb) => ahead.startsWith(verb));
    if (verb === undefined) {
      // Unless more input can make a verb of it.
      if (VERBS.some((verb) => verb.startsWith(ahead))) return events;
      return fault("unknown operation");
    }
    at += verb.length;

    if (verb === "PING" || verb === "PONG" || verb === "+OK") {
      const lineEnd = input.indexOf("\n", at);
      if (lineEnd < 0) return events;
      at = lineEnd + 1;
      if (verb !== "+OK") events.push({ kind: verb === "PING" ? "ping" : "pong" });
      continue;
    }

    if (at === input.length) return events;
    const blankNeeded = verb !== "CONNECT" && verb !== "INFO";
    if (blankNeeded && input[at] !== " " && input[at] !== "\t") return fault("unknown operation");
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
      events.push({ kind: "info", text: argument });
    } else if (verb === "-ERR") {
      events.push({ kind: "error", text: argument });
    } else if (verb === "SUB") {
      const [subject, queueOrSid, sid, ...rest] = words(argument, /[ \t\r\n]+/);
      if (subject === undefined || queueOrSid === undefined || rest.length > 0) {
        return fault("arguments");
      }
      events.push(
        sid === undefined
          ? { kind: "subscribe", subject, queue: null, sid: queueOrSid }
          : { kind: "subscribe", subject, queue: queueOrSid, sid },
      );
    } else if (verb === "UNSUB") {
      const [sid, max, ...rest] = words(argument, /[ \t\r\n]+/);
      if (sid === undefined || rest.length > 0) return fault("arguments");
      events.push({ kind: "unsubscribe", sid, max: sizeOf(max) ?? 0 });
    } else {
      if (verb === "HPUB" && !settings.headers) return fault("headers");
      const numberCount = verb === "HPUB" ? 2 : 1;
      const fields = words(argument, /[ \t]+/);
      const replyCount = fields.length - 1 - numberCount;
      if (replyCount !== 0 && replyCount !== 1) return fault("arguments");
      const [subject = "", reply] = fields;
      const numbers = fields.slice(-numberCount);
      const size = sizeOf(numbers.at(-1));
      const headerLength = numberCount === 2 ? sizeOf(numbers[0]) : 0;
      if (size === undefined || headerLength === undefined || headerLength > size) {
        return fault("arguments");
      }
      if (size > settings.maxPayload) return fault("payload size");
      if (settings.pedantic) events.push({ kind: "announced", subject, size });
      const [first, second] = input.slice(at + size, at + size + 2);
      if (first !== undefined && first !== "\r") return fault("unknown operation");
      if (second !== undefined && second !== "\n") return fault("unknown operation");
      if (second === undefined) return events;
      events.push({
        kind: "publish",
        subject,
        reply: replyCount === 1 && reply !== undefined ? reply : null,
        headerLength,
        sizes: numbers.slice(headerLength === 0 ? -1 : 0).join(" "),
        body: input.slice(at, at + size),
      });
      at += size + 2;
    }
  }
  return events;
}

/** One to nine decimal digits; anything else is `undefined`. */
function sizeOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined;
}

function words(argument: string, separator: RegExp): string[] {
  return argument.split(separator).filter((word) => word !== "");
}

/** `toUpperCase` would make two letters of the byte 0xdf, and so move what follows. */
function asciiUpper(text: string): string {
  return text.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
}
