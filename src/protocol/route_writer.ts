/**
 * What is written to a route: messages and interest.
 *
 * @module
 */
import type { ClientMessage } from "./client_message.ts";
import { copyBytes, Slab } from "./slab.ts";

const SPACE = 32, PLUS = 43, BAR = 124;

/** What every message for one account begins with on one connection, ready to be copied. */
export class RouteHead {
  /** `RMSG <account> `, for messages without headers. */
  readonly plain: Slab;
  /** How many bytes that is. */
  readonly plainLength: number;
  /** `HMSG <account> `, for messages with headers. */
  readonly headers: Slab;
  /** How many bytes that is. */
  readonly headersLength: number;

  /** `account` is a byte string, and is left out on a dedicated connection. */
  constructor(account: string, dedicated: boolean) {
    const name = dedicated ? "" : account + " ";
    this.plain = slabOf("RMSG " + name);
    this.headers = slabOf("HMSG " + name);
    this.plainLength = this.headersLength = 5 + name.length;
  }
}

function slabOf(text: string): Slab {
  const slab = new Slab(text.length);
  writeText(slab.bytes, 0, text);
  return slab;
}

function writeText(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/**
 * Where the message's own bytes begin that end its frame: at its subject, or with `queues` at its
 * sizes. An empty list is none.
 */
export function routeTailStart(message: ClientMessage, queues: readonly string[] | null): number {
  if (queues === null || queues.length === 0) return message.subjectStart;
  return (message.replyEnd > 0 ? message.replyEnd : message.subjectEnd) + 1;
}

/** Bytes of the frame in front of {@link routeTailStart}. */
export function routeHeadLength(
  message: ClientMessage,
  head: RouteHead,
  queues: readonly string[] | null,
): number {
  const length = message.headerLength > 0 ? head.headersLength : head.plainLength;
  if (queues === null || queues.length === 0) return length;
  // Before the names stands a sign, and behind each a space, like behind every other field.
  let list = 2 + queues.length;
  for (let i = 0; i < queues.length; i++) list += queues[i]!.length;
  return length + routeTailStart(message, queues) - message.subjectStart + list;
}

/** Bytes of the whole frame. */
export function routeFrameLength(
  message: ClientMessage,
  head: RouteHead,
  queues: readonly string[] | null,
): number {
  return routeHeadLength(message, head, queues) + message.end - routeTailStart(message, queues);
}

/**
 * Writes `RMSG <account> ` or `HMSG <account> `; with `queues` also `<subject> + <reply> q1 q2 ` or
 * `<subject> | q1 q2 `. What follows are the message's own bytes from {@link routeTailStart} on.
 * Returns the offset behind. May overwrite up to 7 bytes further.
 */
export function writeRouteHead(
  slab: Slab,
  at: number,
  message: ClientMessage,
  head: RouteHead,
  queues: readonly string[] | null,
): number {
  if (message.headerLength > 0) {
    copyBytes(slab, at, head.headers, 0, head.headersLength);
    at += head.headersLength;
  } else {
    copyBytes(slab, at, head.plain, 0, head.plainLength);
    at += head.plainLength;
  }
  if (queues === null || queues.length === 0) return at;
  const bytes = slab.bytes, from = message.slab;
  const subjectLength = message.subjectEnd + 1 - message.subjectStart;
  copyBytes(slab, at, from, message.subjectStart, subjectLength);
  at += subjectLength;
  const replyLength = message.replyEnd - message.replyStart;
  bytes[at] = replyLength > 0 ? PLUS : BAR;
  bytes[at + 1] = SPACE;
  at += 2;
  if (replyLength > 0) {
    copyBytes(slab, at, from, message.replyStart, replyLength + 1);
    at += replyLength + 1;
  }
  for (let i = 0; i < queues.length; i++) {
    at = writeText(bytes, at, queues[i]!);
    bytes[at++] = SPACE;
  }
  return at;
}

/**
 * Writes the frame of a message; with `queues`, for these groups at the peer besides its plain
 * interest. Returns the offset behind. May overwrite up to 7 bytes further.
 */
export function writeRouteFrame(
  slab: Slab,
  at: number,
  message: ClientMessage,
  head: RouteHead,
  queues: readonly string[] | null,
): number {
  at = writeRouteHead(slab, at, message, head, queues);
  const tail = routeTailStart(message, queues), length = message.end - tail;
  copyBytes(slab, at, message.slab, tail, length);
  return at + length;
}

/**
 * An RS+ or RS- line; all texts are byte strings. `account` is empty on a dedicated connection.
 * `weight`, the number of the group's members here, is only looked at in an RS+ with a `queue`.
 */
export function interestFrame(
  verb: "RS+" | "RS-",
  account: string,
  subject: string,
  queue: string | null,
  weight: number,
): string {
  const whose = account === "" ? "" : account + " ";
  const group = queue === null ? "" : verb === "RS+" ? ` ${queue} ${weight}` : ` ${queue}`;
  return `${verb} ${whose}${subject}${group}\r\n`;
}
