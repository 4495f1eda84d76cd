/**
 * A message that a client publishes, as offsets into the buffer that it was read into.
 *
 * @module
 */
import { copyBytes, Slab } from "./slab.ts";

const SPACE = 32, CR = 13, LF = 10;

/**
 * One published message. The parser fills one instance again and again: whoever receives it must be
 * done with it on return.
 *
 * The bytes from `subjectStart` to `end` are in canonical form, whatever the client's spacing was:
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
  /** Whether the subject is, byte for byte, that of the parser's previous message. */
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
