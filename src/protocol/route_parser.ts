/**
 * Bytes from a route into commands.
 *
 * Framing and quirks are those of the client protocol: see {@link ClientParser}, whose design this
 * follows step by step. What differs are the verbs, that messages name an account and a list of
 * queues, and that those which are not in canonical form are brought into it in place.
 *
 * @module
 */
import { byteString } from "./byte_string.ts";
import { ClientMessage } from "./client_message.ts";
import type { Mode } from "./client_parser.ts";
import {
  CONNECT_VERB,
  ERR_VERB,
  INFO_VERB,
  PING_VERB,
  PONG_VERB,
  recogniseVerb,
  upper,
  type Verb,
} from "./client_verbs.ts";
import { type CommandSet, type ConnectionState, ROUTE_COMMANDS } from "./command_table.ts";
import { LastSubject } from "./last_subject.ts";
import { RouteArguments } from "./route_arguments.ts";
import type { RouteCommands, RouteFault } from "./route_commands.ts";
import {
  HMSG_VERB,
  LMSG_VERB,
  LS_ADD_VERB,
  LS_REMOVE_VERB,
  RMSG_VERB,
  RS_ADD_VERB,
  RS_REMOVE_VERB,
} from "./route_verbs.ts";
import type { Slab } from "./slab.ts";
import { SUBJECT_HASH_BASIS, SUBJECT_HASH_PRIME } from "./subject_hash.ts";
import { afterNumber, hasReturn, isBlank, numberBetween, readNumber } from "./tokens.ts";

const RMSG = 0x47534d52; // as a little-endian word
const HMSG = 0x47534d48;
const LMSG = 0x47534d4c;
const CRLF = 0x0a0d;
const TAB = 9, LF = 10, CR = 13, SPACE = 32, PLUS = 43, BAR = 124;

/** An incremental parser for what a route sends, with the contract of {@link ClientParser}. */
export class RouteParser {
  /** Longest argument part of a control line, in bytes. */
  maxControlLine: number;
  /** Largest size of headers and payload together, in bytes; negative for no limit. */
  maxPayload: number;
  /** Set when parsing cannot go on. */
  fault: RouteFault | null = null;
  /**
   * How many bytes the frame at the returned offset needs in all, as far as that is known; 0 when
   * it is not. A reader makes room for so many.
   */
  needed = 0;

  /** Who gets what is read. */
  commands: RouteCommands;
  readonly #message = new ClientMessage();
  readonly #line = new RouteArguments();
  /** The account of the message at hand. */
  #account = "";
  #canonical: ClientMessage | null = null;
  readonly #last = new LastSubject();
  #state: ConnectionState = "handshake";
  /** What may be said in that state. */
  #set: CommandSet = ROUTE_COMMANDS.handshake;
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
  /** Offset that the pending message's fields are relative to. */
  #frameStart = 0;

  /** A parser that hands what it reads to `commands`. */
  constructor(commands: RouteCommands, limits: { maxControlLine: number; maxPayload: number }) {
    this.commands = commands;
    this.maxControlLine = limits.maxControlLine;
    this.maxPayload = limits.maxPayload;
  }

  /** Whether the connection is dedicated to one account, whose name the peer then leaves out. */
  get dedicated(): boolean {
    return this.#line.dedicated;
  }
  set dedicated(dedicated: boolean) {
    this.#line.dedicated = dedicated;
    this.#account = "";
    this.#last.forget();
  }

  /** Whether LS- names the leaf nodes' cluster. */
  get leafOrigins(): boolean {
    return this.#line.leafOrigins;
  }
  set leafOrigins(leafOrigins: boolean) {
    this.#line.leafOrigins = leafOrigins;
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
    this.#set = ROUTE_COMMANDS[state];
    this.#messages = this.#set.messages;
    this.#listens = this.#set.listens;
  }

  /** What the input ended in the middle of; for tests and for close reasons. */
  get mode(): Mode {
    return this.#mode;
  }

  /** Makes {@link RouteParser.parse} return after the frame it is at. To be called by a command. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Parses the bytes from `start` to `end` of `slab`, and may change those it is done with.
   *
   * @returns the offset of the first byte that is not done with, `end` when all are. It stops early
   * at a {@link RouteParser.fault} and after {@link RouteParser.stop}.
   */
  parse(slab: Slab, start: number, end: number): number {
    const next = this.#parse(slab, start, end);
    // A pending message is given its buffer again when more comes.
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
      if (end - at > 7 && bytes[at + 4] === SPACE && this.#messages) {
        const word = view.getInt32(at, true);
        if (word === RMSG) next = this.#routed(slab, at + 5, at + 5, end, false);
        else if (word === HMSG) next = this.#routed(slab, at + 5, at + 5, end, true);
        else if (word === LMSG) {
          let origin = at + 5;
          while (bytes[origin]! > SPACE) origin++;
          next = origin === at + 5 || bytes[origin] !== SPACE
            ? -1
            : this.#routed(slab, at + 5, origin + 1, end, true);
        }
      }
      // Anything else than a complete, regular message takes the slow and exact way.
      if (next < 0) {
        next = this.#frame(slab, at, end);
        if (this.#mode !== "start") return next;
      }
      at = next;
    }
    return at;
  }

  /**
   * A message with single spaces, CR LF and its whole payload at hand: by far the most frequent
   * case, in one pass. `key` is where the account begins, or the subject where none is named.
   * Returns the offset behind it, or -1 to leave it to the general way.
   */
  #routed(slab: Slab, argument: number, key: number, end: number, withHeaders: boolean): number {
    const bytes = slab.bytes, message = this.#message, last = this.#last;
    const same = last.isAt(slab, key, end);
    let at = key;
    if (same) {
      message.subjectStart = key + last.prefixLength;
      at += last.length;
    } else {
      at = this.#subject(slab, key);
      if (at < 0) return -1;
    }
    message.subjectEnd = at++;
    message.sameSubject = same;
    // Next: an optional reply, then one number, or two with headers. A reply may look like a
    // number, so what a field is shows only at the end of the line.
    let field = at, value = readNumber(bytes, at);
    let replyStart = 0, replyEnd = 0, headerLength = 0;
    at = afterNumber;
    if (withHeaders) {
      if (bytes[at] !== SPACE || at === field) {
        // Not a number: a reply, or the sign in front of a list.
        if (bytes[field + 1] === SPACE && (bytes[field] === BAR || bytes[field] === PLUS)) {
          return this.#listed(slab, argument, field, end, true);
        }
        value = -1;
        while (bytes[at]! > SPACE) at++;
        if (bytes[at] !== SPACE || at === field) return -1;
      }
      const second = at + 1, secondValue = readNumber(bytes, second);
      at = afterNumber;
      if (bytes[at] === SPACE) {
        replyStart = field;
        replyEnd = second - 1;
        headerLength = secondValue;
        field = at + 1;
        value = readNumber(bytes, field);
        at = afterNumber;
      } else {
        headerLength = value;
        field = second;
        value = secondValue;
      }
    } else if (bytes[at] !== CR || value < 0) {
      if (bytes[field + 1] === SPACE && (bytes[field] === BAR || bytes[field] === PLUS)) {
        return this.#listed(slab, argument, field, end, false);
      }
      while (bytes[at]! > SPACE) at++;
      if (bytes[at] !== SPACE || at === field) return -1;
      replyStart = field;
      replyEnd = at;
      field = at + 1;
      value = readNumber(bytes, field);
      at = afterNumber;
    }
    message.replyStart = replyStart;
    message.replyEnd = replyEnd;
    message.sizeStart = field;
    message.headerLength = headerLength;
    message.size = value;
    return this.#complete(slab, argument, at, end, withHeaders && headerLength === 0, null);
  }

  /** Account and subject, when they are not those of the previous message. Returns their end, or -1. */
  #subject(slab: Slab, key: number): number {
    const bytes = slab.bytes, last = this.#last;
    let at = key, byte = 0;
    // With many subjects it is still mostly the same account.
    if (last.prefixIsAt(slab, key)) {
      at += last.prefixLength;
    } else if (!this.#line.dedicated) {
      while (bytes[at]! > SPACE) at++;
      if (bytes[at] !== SPACE || at === key) return -1;
      this.#account = this.#line.accounts.of(bytes, key, at);
      at++;
    }
    const subject = this.#message.subjectStart = at;
    let hash = SUBJECT_HASH_BASIS;
    while ((byte = bytes[at]!) > SPACE) {
      hash = Math.imul(hash ^ byte, SUBJECT_HASH_PRIME);
      at++;
    }
    if (byte !== SPACE || at === subject) return -1;
    last.keep(slab, key, at, subject - key, hash);
    return at;
  }

  /** The rest of {@link #routed} for a message with a list of queues, whose sign is at `sign`. */
  #listed(slab: Slab, argument: number, sign: number, end: number, withHeaders: boolean): number {
    const bytes = slab.bytes, message = this.#message;
    let at = sign + 2;
    message.replyStart = message.replyEnd = 0;
    if (bytes[sign] === PLUS) {
      message.replyStart = at;
      while (bytes[at]! > SPACE) at++;
      if (bytes[at] !== SPACE || at === sign + 2) return -1;
      message.replyEnd = at++;
    }
    const list = at;
    let last = at, before = at;
    for (;;) {
      while (bytes[at]! > SPACE) at++;
      if (at === last) return -1;
      if (bytes[at] !== SPACE) break;
      before = last;
      last = ++at;
    }
    const sizes = withHeaders ? before : last;
    // Without a name in it, it is no list; with one number too few, it is an error.
    if (sizes <= list) return -1;
    message.sizeStart = last;
    message.size = numberBetween(bytes, last, at);
    message.headerLength = withHeaders ? numberBetween(bytes, before, last - 1) : 0;
    const queues = this.#line.lists.of(bytes, list, sizes - 1);
    return this.#complete(slab, argument, at, end, true, queues);
  }

  /** The end of {@link #routed}: the control line ends at `at`. */
  #complete(
    slab: Slab,
    argument: number,
    at: number,
    end: number,
    crooked: boolean,
    queues: readonly string[] | null,
  ): number {
    const bytes = slab.bytes, message = this.#message, size = message.size;
    if (size < 0 || bytes[at] !== CR || bytes[at + 1] !== LF) return -1;
    const body = at + 2, stop = body + size, headerLength = message.headerLength;
    // Faults and payloads that are not here yet: the general way finds out again, exactly.
    if (
      stop + 2 > end || at - argument > this.maxControlLine ||
      headerLength < 0 || headerLength > size ||
      (size > this.maxPayload && this.maxPayload >= 0) ||
      slab.view.getInt16(stop, true) !== CRLF
    ) return -1;
    message.slab = slab;
    message.subjectHash = this.#last.hash;
    message.bodyStart = body;
    message.end = stop + 2;
    if (crooked) message.straighten();
    this.commands.message(this.#account, message, queues);
    return stop + 2;
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
    if (verb.takes === "nothing") return this.#skip(slab, at, end);
    if (verb.takes === "blank") {
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
    if (this.#verb === PING_VERB) this.commands.ping();
    else if (this.#verb === PONG_VERB) this.commands.pong();
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
      this.#scanned = length;
      return start;
    }
    this.#mode = "start";
    // One byte is cut when a CR came anywhere behind the first byte; normally it is that CR. Any
    // other is overwritten, so that a number in front of it ends there for all who scan it.
    const stop = hasReturn(bytes, start, line) ? line - 1 : line;
    if (stop < line) bytes[stop] = CR;
    if (stop - start > this.maxControlLine) return this.#fail("control line", start);
    if (!this.#runs) return line + 1;
    let valid = true;
    switch (this.#verb) {
      case RMSG_VERB:
      case HMSG_VERB:
      case LMSG_VERB:
        return this.#announce(slab, start, stop, line + 1, end);
      case RS_ADD_VERB:
      case LS_ADD_VERB:
        valid = this.#line.added(this.commands, bytes, start, stop, this.#verb === LS_ADD_VERB);
        break;
      case RS_REMOVE_VERB:
      case LS_REMOVE_VERB:
        valid = this.#line.removed(
          this.commands,
          bytes,
          start,
          stop,
          this.#verb === LS_REMOVE_VERB,
        );
        break;
      case CONNECT_VERB:
        this.commands.connect(byteString(bytes, start, stop));
        break;
      case INFO_VERB:
        this.commands.info(byteString(bytes, start, trimmedEnd(bytes, start, stop)));
        break;
      case ERR_VERB:
        this.commands.error(byteString(bytes, start, stop));
        break;
    }
    return valid ? line + 1 : this.#fail("arguments", start);
  }

  /** The control line of a message was read; `body` is behind its line end. */
  #announce(slab: Slab, start: number, stop: number, body: number, end: number): number {
    const message = this.#message;
    message.slab = slab;
    message.bodyStart = body;
    if (!this.#line.message(message, start, stop, this.#verb)) {
      return this.#fail("arguments", start);
    }
    if (message.size > this.maxPayload && this.maxPayload >= 0) {
      return this.#fail("payload size", start);
    }
    this.#account = this.#line.account;
    this.#frameStart = start;
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
    this.#last.forget();
    let sent = message;
    if (!message.straighten()) {
      sent = this.#canonical ??= new ClientMessage();
      message.canonical(sent, message.headerLength > 0);
    }
    this.commands.message(this.#account, sent, this.#line.queues);
    return stop + 2;
  }

  #incomplete(start: number): number {
    // A verb has at most 7 bytes: there is nothing worth remembering.
    this.#stopped = true;
    return start;
  }

  #fail(fault: RouteFault, at: number): number {
    this.fault = fault;
    this.#stopped = true;
    return at;
  }
}

/** `end`, or where the blanks in front of it begin. */
function trimmedEnd(bytes: Uint8Array, start: number, end: number): number {
  while (end > start && isBlank(bytes[end - 1]!)) end--;
  return end;
}
