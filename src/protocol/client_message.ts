/**
 * A message that a client publishes or a route delivers, as offsets into the buffer that it was read
 * into.
 *
 * @module
 */
import { copyBytes, Slab } from "./slab.ts";

const SPACE = 32, CR = 13, LF = 10;

/**
 * One published message. The parser fills one instance again and again: whoever receives it must be
 * done with it on return.
 *
 * The bytes from `subjectStart` to `end` are in canonical form, whatever the sender's spacing was:
 * `<subject> [<reply> ][<header length> ]<total size>\r\n<headers><payload>\r\n`. Everything from
 * `subjectEnd` on can so be copied as one piece into the MSG or HMSG that is delivered.
 */
export class ClientMessage {
  /** The buffer all offsets refer to. */
  slab: Slab = EMPTY;
  /** First byte of the subject. */
  subjectStart = 0;
  /** Behind the last byte of the subject. */
  subjectEnd = 0;
  /** {@link hashSubject} of the subject's bytes. */
  subjectHash = 0;
  /**
   * Whether the subject is, byte for byte, that of the parser's previous message; of a message from a
   * route, the account as well.
   */
  sameSubject = false;
  /** First byte of the reply subject; 0 when there is none. */
  replyStart = 0;
  /** Behind the last byte of the reply subject; 0 when there is none. */
  replyEnd = 0;
  /** First byte of the size field. */
  sizeStart = 0;
  /** First byte of the headers, or of the payload where there are none. */
  bodyStart = 0;
  /** Bytes of headers at `bodyStart`, the empty line included; 0 for a message without headers. */
  headerLength = 0;
  /** Bytes of headers and payload together. */
  size = 0;
  /** Behind the CR LF that ends the message. */
  end = 0;

  /** Lets go of the buffer, which may be large. The offsets stay. */
  release(): void {
    this.slab = EMPTY;
  }

  /** Whether the message carries a reply subject. */
  get hasReply(): boolean {
    return this.replyEnd > this.replyStart;
  }

  /** Shifts the offsets: the message's bytes now lie `by` further on, possibly in another slab. */
  moved(slab: Slab, by: number): void {
    this.slab = slab;
    if (by === 0) return;
    this.subjectStart += by;
    this.subjectEnd += by;
    if (this.replyEnd > 0) {
      this.replyStart += by;
      this.replyEnd += by;
    }
    this.sizeStart += by;
    this.bodyStart += by;
    this.end += by;
  }

  /**
   * Brings the message into canonical form where it lies: subject, reply and sizes are moved towards
   * the payload, over whatever else stands between them. The payload stays where it is.
   *
   * @returns false when there is no room for a CR at the line's end; then nothing was changed.
   */
  straighten(): boolean {
    const bytes = this.slab.bytes;
    const lineEnd = this.bodyStart - 2;
    let totalEnd = this.sizeStart;
    while (isDigit(bytes[totalEnd]!)) totalEnd++;
    if (totalEnd > lineEnd) return false;
    // From the last field to the first: each moves to the right, into room that is free already.
    let headerEnd = this.sizeStart;
    let at = this.sizeStart = moveTo(bytes, lineEnd, this.sizeStart, totalEnd);
    bytes[lineEnd] = CR;
    if (this.headerLength > 0) {
      while (!isDigit(bytes[headerEnd - 1]!)) headerEnd--;
      let headerStart = headerEnd;
      while (isDigit(bytes[headerStart - 1]!)) headerStart--;
      at = moveTo(bytes, at - 1, headerStart, headerEnd);
      bytes[this.sizeStart - 1] = SPACE;
    }
    if (this.replyEnd > 0) {
      const replyEnd = at - 1;
      at = moveTo(bytes, replyEnd, this.replyStart, this.replyEnd);
      bytes[replyEnd] = SPACE;
      this.replyStart = at;
      this.replyEnd = replyEnd;
    }
    const subjectEnd = at - 1;
    this.subjectStart = moveTo(bytes, subjectEnd, this.subjectStart, this.subjectEnd);
    bytes[subjectEnd] = SPACE;
    this.subjectEnd = subjectEnd;
    return true;
  }

  /** Writes the canonical form of this message, with `headerLength` dropped or kept, into a slab. */
  canonical(into: ClientMessage, keepHeaders: boolean): void {
    const from = this.slab.bytes;
    const skip = keepHeaders ? 0 : this.headerLength;
    const size = this.size - skip;
    const kept = keepHeaders ? this.headerLength : 0;
    const sizeText = skip === 0
      ? text(from, this.sizeStart, this.bodyStart)
      : ascii(String(size) + "\r\n");
    const headerText = kept > 0 ? numberBefore(from, this.sizeStart) : NOTHING;
    const subjectLength = this.subjectEnd - this.subjectStart;
    const replyLength = this.replyEnd - this.replyStart;
    const slab = new Slab(
      subjectLength + replyLength + headerText.length + sizeText.length + size + 8,
    );
    const to = slab.bytes;
    to.set(from.subarray(this.subjectStart, this.subjectEnd), 0);
    let at = subjectLength;
    to[at++] = SPACE;
    into.replyStart = into.replyEnd = 0;
    if (replyLength > 0) {
      into.replyStart = at;
      to.set(from.subarray(this.replyStart, this.replyEnd), at);
      at += replyLength;
      into.replyEnd = at;
      to[at++] = SPACE;
    }
    to.set(headerText, at);
    at += headerText.length;
    into.sizeStart = at;
    to.set(sizeText, at);
    at += sizeText.length;
    into.bodyStart = at;
    copyBytes(slab, at, this.slab, this.bodyStart + skip, size);
    at += size;
    to[at++] = CR;
    to[at++] = LF;
    into.slab = slab;
    into.subjectStart = 0;
    into.subjectEnd = subjectLength;
    into.subjectHash = this.subjectHash;
    into.sameSubject = this.sameSubject;
    into.headerLength = kept;
    into.size = size;
    into.end = at;
  }
}

/** Up to so many bytes a loop beats `copyWithin`, which is a call out of the compiled code. */
const LOOP_MOVE_LIMIT = 64;

/** Moves the bytes from `start` to `end` to the right so that they end at `to`; returns their start. */
function moveTo(bytes: Uint8Array, to: number, start: number, end: number): number {
  const length = end - start;
  if (to === end) return start;
  if (length > LOOP_MOVE_LIMIT) bytes.copyWithin(to - length, start, end);
  else while (end > start) bytes[--to] = bytes[--end]!;
  return length > LOOP_MOVE_LIMIT ? to - length : to;
}

const EMPTY = new Slab(0);
const NOTHING = new Uint8Array(0);

/** The header length in front of the size field as the client wrote it, and one space. */
function numberBefore(bytes: Uint8Array, sizeStart: number): Uint8Array {
  let end = sizeStart;
  while (!isDigit(bytes[end - 1]!)) end--;
  let start = end;
  while (isDigit(bytes[start - 1]!)) start--;
  const out = new Uint8Array(end - start + 1);
  out.set(bytes.subarray(start, end));
  out[end - start] = SPACE;
  return out;
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

function ascii(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** The size field as the client wrote it (`01` is passed on as `01`), with a clean line end. */
function text(bytes: Uint8Array, start: number, end: number): Uint8Array {
  let stop = start;
  while (stop < end && bytes[stop]! >= 48 && bytes[stop]! <= 57) stop++;
  const out = new Uint8Array(stop - start + 2);
  out.set(bytes.subarray(start, stop));
  out[stop - start] = CR;
  out[stop - start + 1] = LF;
  return out;
}
