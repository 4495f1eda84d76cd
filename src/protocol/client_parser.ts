/**
 * Bytes from a client into commands.
 *
 * Grammar and quirks are nats-server's (its `parser.go`): verbs are case-insensitive and refused at
 * the first wrong byte; arguments are separated by runs of blanks; a bare LF ends a control line.
 *
 * @module
 */
import { byteString } from "./byte_string.ts";
import { ClientMessage } from "./client_message.ts";
import type { ClientCommands, ClientFault } from "./client_commands.ts";
import {
  CONNECT_VERB,
  HPUB_VERB,
  INFO_VERB,
  PING_VERB,
  PONG_VERB,
  PUB_VERB,
  recogniseVerb,
  SUB_VERB,
  UNSUB_VERB,
  upper,
  type Verb,
} from "./client_verbs.ts";
import { CLIENT_COMMANDS, type CommandSet, type ConnectionState } from "./command_table.ts";
import { copyBytes, Slab } from "./slab.ts";
import { hashSubject, SUBJECT_HASH_BASIS, SUBJECT_HASH_PRIME } from "./subject_hash.ts";
import {
  afterNumber,
  hasReturn,
  isBlank,
  isSpace,
  numberBetween,
  readNumber,
  splitTokens,
  tokenEnd,
  tokenStart,
} from "./tokens.ts";

const PUB_ = 0x20425550; // "PUB " as a little-endian word
const HPUB = 0x42555048; // "HPUB"
const CRLF = 0x0a0d;
const TAB = 9, LF = 10, CR = 13, SPACE = 32;
/** Subjects up to this length are remembered for the same-subject check. */
const REMEMBERED_SUBJECT = 256;

/** Where in a frame the input ended. */
export type Mode = "start" | "blanks" | "arguments" | "payload" | "skip";

/**
 * An incremental parser for the client's side of a connection.
 *
 * {@link ClientParser.parse} is given everything that is not parsed yet; it calls the commands for
 * every complete frame and returns how far it got. What is left must be presented again, at any
 * offset of any slab, followed by more input.
 */
export class ClientParser {
  /** Longest argument part of a control line, in bytes. */
  maxControlLine: number;
  /** Largest size of headers and payload together, in bytes; negative for no limit. */
  maxPayload: number;
  /** Whether HPUB is allowed. */
  headers = false;
  /** Whether {@link ClientCommands.announced} is wanted. */
  pedantic = true;
  /** Set when parsing cannot go on. */
  fault: ClientFault | null = null;
  /**
   * How many bytes the frame at the returned offset needs in all, as far as that is known; 0 when
   * it is not. A reader makes room for so many.
   */
  needed = 0;

  readonly #commands: ClientCommands;
  readonly #message = new ClientMessage();
  #canonical: ClientMessage | null = null;
  #last: Slab | null = null;
  #lastLength = -1;
  #lastHash = 0;
  #state: ConnectionState = "handshake";
  /** What may be said in that state. */
  #set: CommandSet = CLIENT_COMMANDS.handshake;
  #listens = false;
  /** Whether messages may take the fast path. */
  #messages = false;
  #stopped = false;
  #mode: Mode = "start";
  #verb: Verb = PING_VERB;
  /** Whether that is more than read to its end. */
  #runs = false;
  /** Bytes of the pending arguments that hold no line end. */
  #scanned = 0;
  /** Whether the message whose payload is pending has irregular spacing. */
  #irregular = false;
  /** Offset that the pending message's fields are relative to. */
  #frameStart = 0;

  /** A parser that hands what it reads to `commands`. */
  constructor(commands: ClientCommands, limits: { maxControlLine: number; maxPayload: number }) {
    this.#commands = commands;
    this.maxControlLine = limits.maxControlLine;
    this.maxPayload = limits.maxPayload;
  }

  /**
   * How far the connection is, which decides what may be said: see {@link COMMAND_TABLE}. To be set by
   * a command as well; it counts from the next byte on. At first it is `"handshake"`, and nothing is
   * looked at.
   */
  get state(): ConnectionState {
    return this.#state;
  }
  set state(state: ConnectionState) {
    this.#state = state;
    this.#set = CLIENT_COMMANDS[state];
    this.#messages = this.#set.messages;
    this.#listens = this.#set.listens;
  }

  /** What the input ended in the middle of; for tests and for close reasons. */
  get mode(): Mode {
    return this.#mode;
  }

  /** Makes {@link ClientParser.parse} return after the frame it is at. To be called by a command. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Parses the bytes from `start` to `end` of `slab`.
   *
   * @returns the offset of the first byte that is not done with, `end` when all are. It stops early
   * at a {@link ClientParser.fault} and after {@link ClientParser.stop}.
   */
  parse(slab: Slab, start: number, end: number): number {
    const next = this.#parse(slab, start, end);
    // A pending message is given its buffer again when more comes. Until then, which may be never,
    // nothing here is to keep it.
    this.#message.release();
    this.#canonical?.release();
    return next;
  }

  #parse(slab: Slab, start: number, end: number): number {
    if (!this.#listens || this.fault !== null) return start;
    const bytes = slab.bytes;
    this.#stopped = false;
    this.needed = 0;
    let at = start;
    // A line end behind the input stops every scan below without a bounds check per byte.
    bytes[end] = LF;
    if (this.#mode !== "start") {
      at = this.#resume(slab, at, end);
      if (this.mode !== "start") return at;
    }
    const view = slab.view;
    while (at < end && this.#listens && !this.#stopped) {
      let next = -1;
      if (end - at > 7 && this.#messages) {
        const word = view.getInt32(at, true);
        if (word === PUB_) next = this.#publish(slab, at + 4, end, false);
        else if (word === HPUB && bytes[at + 4] === SPACE) {
          next = this.#publish(slab, at + 5, end, true);
        }
      }
      // Anything else than a complete, regular PUB or HPUB takes the slow and exact way.
      if (next < 0) {
        next = this.#frame(slab, at, end);
        if (this.#mode !== "start") return next;
      }
      at = next;
    }
    return at;
  }

  /**
   * A PUB or HPUB with single spaces, CR LF and its whole payload at hand: by far the most frequent
   * case, in one pass. Returns the offset behind it, or -1 to leave it to the general way.
   */
  #publish(slab: Slab, argument: number, end: number, withHeaders: boolean): number {
    const bytes = slab.bytes, message = this.#message;
    let at = argument, byte = 0;
    const same = this.#isLast(slab, argument, end);
    if (same) {
      at += this.#lastLength;
    } else {
      let hash = SUBJECT_HASH_BASIS;
      while (!isBlank(byte = bytes[at]!)) {
        hash = Math.imul(hash ^ byte, SUBJECT_HASH_PRIME);
        at++;
      }
      if (byte !== SPACE || at === argument) return -1;
      this.#remember(slab, argument, at, hash);
    }
    const subjectEnd = at++;
    // Next: an optional reply, then one number, or two for HPUB. A reply may look like a number,
    // so what a field is shows only at the end of the line.
    let field = at, value = readNumber(bytes, at);
    let replyStart = 0, replyEnd = 0, headerLength = 0;
    at = afterNumber;
    if (withHeaders) {
      if (bytes[at] !== SPACE || at === field) {
        // Not a number: it can only be a reply.
        value = -1;
        while (!isBlank(bytes[at]!)) at++;
        if (bytes[at] !== SPACE || at === field) return -1;
      }
      const second = at + 1, secondValue = readNumber(bytes, second);
      at = afterNumber;
      if (bytes[at] === SPACE) {
        replyStart = field;
        replyEnd = second - 1;
        headerLength = secondValue;
        if (headerLength < 0) return -1;
        field = at + 1;
        value = readNumber(bytes, field);
        at = afterNumber;
      } else {
        headerLength = value;
        field = second;
        value = secondValue;
      }
      // A header length of 0 is delivered as an ordinary message: not the bytes as they came.
      if (headerLength <= 0 || headerLength > value || !this.headers) return -1;
    } else if (bytes[at] !== CR || value < 0) {
      while (!isBlank(bytes[at]!)) at++;
      if (bytes[at] !== SPACE || at === field) return -1;
      replyStart = field;
      replyEnd = at;
      field = at + 1;
      value = readNumber(bytes, field);
      at = afterNumber;
    }
    if (value < 0 || bytes[at] !== CR || bytes[at + 1] !== LF) return -1;
    const body = at + 2, stop = body + value;
    // Faults and payloads that are not here yet: the general way finds out again, exactly.
    if (
      stop + 2 > end || at - argument > this.maxControlLine ||
      (value > this.maxPayload && this.maxPayload >= 0) ||
      slab.view.getInt16(stop, true) !== CRLF
    ) return -1;
    message.slab = slab;
    message.subjectStart = argument;
    message.subjectEnd = subjectEnd;
    message.subjectHash = this.#lastHash;
    message.sameSubject = same;
    message.replyStart = replyStart;
    message.replyEnd = replyEnd;
    message.sizeStart = field;
    message.bodyStart = body;
    message.headerLength = headerLength;
    message.size = value;
    message.end = stop + 2;
    if (this.pedantic) this.#commands.announced(message);
    this.#commands.publish(message);
    return stop + 2;
  }

  /** Whether the previous message's subject stands at `at`, followed by a space. */
  #isLast(slab: Slab, at: number, end: number): boolean {
    const length = this.#lastLength;
    if (length < 0 || at + length >= end || slab.bytes[at + length] !== SPACE) return false;
    const view = slab.view, last = this.#last!.view;
    let i = 0;
    for (; i + 4 <= length; i += 4) {
      if (view.getInt32(at + i, true) !== last.getInt32(i, true)) return false;
    }
    return i === length ||
      ((view.getInt32(at + i, true) ^ last.getInt32(i, true)) << (8 * (4 - (length - i)))) === 0;
  }

  #remember(slab: Slab, start: number, end: number, hash: number): void {
    const length = end - start;
    this.#lastHash = hash;
    if (length > REMEMBERED_SUBJECT) {
      this.#lastLength = -1;
      return;
    }
    // Only publishers need it: an idle subscriber's parser stays small.
    if (this.#last === null || this.#last.capacity < length) {
      this.#last = new Slab(length <= 32 ? 32 : REMEMBERED_SUBJECT);
    }
    this.#lastLength = length;
    copyBytes(this.#last, 0, slab, start, length);
  }

  /** Goes on where the input ended the last time. */
  #resume(slab: Slab, at: number, end: number): number {
    switch (this.#mode) {
      case "skip":
        return this.#skip(slab, at, end);
      case "blanks":
        return this.#blanks(slab, at, end);
      case "arguments":
        return this.#arguments(slab, at, end);
      default:
        return this.#payload(slab, at, end);
    }
  }

  /** Any frame, recognised byte by byte. */
  #frame(slab: Slab, start: number, end: number): number {
    const bytes = slab.bytes;
    const verb = recogniseVerb(this.#set.verbs, bytes, start, end);
    if (verb === null) return this.#fail(this.#set.refusal(upper(bytes[start]!)), start);
    if (verb === "incomplete") return this.#incomplete(start);
    const at = start + verb.text.length;
    this.#verb = verb;
    this.#runs = this.#set.runs(verb);
    if (this.#verb.takes === "nothing") return this.#skip(slab, at, end);
    if (this.#verb.takes === "blank") {
      if (at === end) return this.#incomplete(start);
      if (bytes[at] !== SPACE && bytes[at] !== TAB) return this.#fail("unknown operation", start);
    }
    return this.#blanks(slab, at, end);
  }

  /** Everything up to the line's end means nothing. It is not kept, so it needs no limit. */
  #skip(slab: Slab, at: number, end: number): number {
    const line = slab.bytes.indexOf(LF, at);
    if (line >= end) {
      this.#mode = "skip";
      return end;
    }
    this.#mode = "start";
    if (!this.#runs) return line + 1;
    if (this.#verb === PING_VERB) this.#commands.ping();
    else if (this.#verb === PONG_VERB) this.#commands.pong();
    return line + 1;
  }

  /** Blanks before the arguments. They are not kept, so they need no limit either. */
  #blanks(slab: Slab, at: number, end: number): number {
    const bytes = slab.bytes;
    while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
    if (at === end) {
      this.#mode = "blanks";
      return end;
    }
    this.#scanned = 0;
    return this.#arguments(slab, at, end);
  }

  #arguments(slab: Slab, start: number, end: number): number {
    const bytes = slab.bytes;
    // The first byte belongs to the arguments whatever it is, even a line end.
    const line = bytes.indexOf(LF, start + Math.max(1, this.#scanned));
    if (line < 0 || line >= end) {
      const length = end - start;
      if (
        length - (length > this.maxControlLine && hasReturn(bytes, start, end) ? 1 : 0) >
          this.maxControlLine
      ) return this.#fail("control line", start);
      this.#mode = "arguments";
      this.#scanned = end - start;
      return start;
    }
    this.#mode = "start";
    // One byte is cut when a CR came anywhere behind the first byte; normally it is that CR. Any
    // other is overwritten, so that a number in front of it ends there for all who scan it.
    const stop = hasReturn(bytes, start, line) ? line - 1 : line;
    if (stop < line) bytes[stop] = CR;
    if (stop - start > this.maxControlLine) return this.#fail("control line", start);
    if (!this.#runs) return line + 1;
    switch (this.#verb) {
      case PUB_VERB:
      case HPUB_VERB:
        return this.#announce(slab, start, stop, line + 1, end);
      case SUB_VERB:
        return this.#subscribe(bytes, start, stop) ? line + 1 : this.#fail("arguments", start);
      case UNSUB_VERB:
        return this.#unsubscribe(bytes, start, stop) ? line + 1 : this.#fail("arguments", start);
      case CONNECT_VERB:
        this.#commands.connect(byteString(bytes, start, stop));
        return line + 1;
      case INFO_VERB:
        this.#commands.info(byteString(bytes, start, stop));
        return line + 1;
      default:
        this.#commands.error(byteString(bytes, start, stop));
        return line + 1;
    }
  }

  #subscribe(bytes: Uint8Array, start: number, end: number): boolean {
    const count = splitTokens(bytes, start, end, isBlank);
    if (count !== 2 && count !== 3) return false;
    this.#commands.subscribe(
      byteString(bytes, tokenStart[0]!, tokenEnd[0]!),
      count === 3 ? byteString(bytes, tokenStart[1]!, tokenEnd[1]!) : null,
      byteString(bytes, tokenStart[count - 1]!, tokenEnd[count - 1]!),
    );
    return true;
  }

  #unsubscribe(bytes: Uint8Array, start: number, end: number): boolean {
    const count = splitTokens(bytes, start, end, isBlank);
    if (count !== 1 && count !== 2) return false;
    const sid = byteString(bytes, tokenStart[0]!, tokenEnd[0]!);
    this.#commands.unsubscribe(
      sid,
      count === 2 ? Math.max(0, numberBetween(bytes, tokenStart[1]!, tokenEnd[1]!)) : 0,
    );
    return true;
  }

  /** A PUB or HPUB control line in any spacing; `body` is behind its line end. */
  #announce(slab: Slab, start: number, stop: number, body: number, end: number): number {
    const bytes = slab.bytes, withHeaders = this.#verb === HPUB_VERB, message = this.#message;
    if (withHeaders && !this.headers) return this.#fail("headers", start);
    const numbers = withHeaders ? 2 : 1;
    // Unlike SUB and UNSUB, these take CR and LF for ordinary bytes.
    const count = splitTokens(bytes, start, stop, isSpace);
    if (count !== numbers + 1 && count !== numbers + 2) return this.#fail("arguments", start);
    const last = count - 1;
    const total = numberBetween(bytes, tokenStart[last]!, tokenEnd[last]!);
    const headerLength = withHeaders
      ? numberBetween(bytes, tokenStart[last - 1]!, tokenEnd[last - 1]!)
      : 0;
    if (total < 0 || headerLength < 0 || headerLength > total) {
      return this.#fail("arguments", start);
    }
    if (total > this.maxPayload && this.maxPayload >= 0) return this.#fail("payload size", start);
    const hasReply = count === numbers + 2;
    message.slab = slab;
    message.subjectStart = tokenStart[0]!;
    message.subjectEnd = tokenEnd[0]!;
    message.subjectHash = hashSubject(bytes, message.subjectStart, message.subjectEnd);
    message.sameSubject = false;
    message.replyStart = hasReply ? tokenStart[1]! : 0;
    message.replyEnd = hasReply ? tokenEnd[1]! : 0;
    message.sizeStart = tokenStart[last]!;
    message.bodyStart = body;
    message.headerLength = headerLength;
    message.size = total;
    message.end = body + total + 2;
    this.#irregular = !isRegular(bytes, message, count, body, withHeaders && headerLength === 0);
    this.#frameStart = start;
    if (this.pedantic) this.#commands.announced(message);
    return this.#payload(slab, start, end);
  }

  /** The payload of the message at hand, whose frame begins at `start` now. */
  #payload(slab: Slab, start: number, end: number): number {
    const message = this.#message;
    message.moved(slab, start - this.#frameStart);
    this.#frameStart = start;
    const stop = message.end - 2, bytes = slab.bytes;
    // A wrong end is refused as soon as its first byte is here.
    if (stop < end && bytes[stop] !== CR) return this.#fail("unknown operation", start);
    if (stop + 1 < end && bytes[stop + 1] !== LF) return this.#fail("unknown operation", start);
    if (stop + 2 > end) {
      this.#mode = "payload";
      this.needed = message.end - start;
      return start;
    }
    this.#mode = "start";
    // The memory of the last subject is the one-pass way's alone.
    this.#lastLength = -1;
    if (this.#irregular) {
      this.#canonical ??= new ClientMessage();
      message.canonical(this.#canonical, message.headerLength > 0);
      this.#commands.publish(this.#canonical);
    } else {
      this.#commands.publish(message);
    }
    return stop + 2;
  }

  #incomplete(start: number): number {
    // A verb has at most 7 bytes: there is nothing worth remembering.
    this.#stopped = true;
    return start;
  }

  #fail(fault: ClientFault, at: number): number {
    this.fault = fault;
    this.#stopped = true;
    return at;
  }
}

/** Whether the message's bytes are in the canonical form that {@link ClientMessage} promises. */
function isRegular(
  bytes: Uint8Array,
  message: ClientMessage,
  count: number,
  body: number,
  emptyHeaders: boolean,
): boolean {
  if (emptyHeaders) return false;
  for (let i = 0; i + 1 < count; i++) {
    if (tokenStart[i + 1]! !== tokenEnd[i]! + 1 || bytes[tokenEnd[i]!] !== SPACE) return false;
  }
  return tokenEnd[count - 1] === body - 2 && bytes[body - 2] === CR &&
    message.subjectStart < message.subjectEnd;
}
