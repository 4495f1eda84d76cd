/**
 * Messages with another subject, another reply or one more header: what crosses from one account into
 * another.
 *
 * @module
 */
import { byteString } from "./byte_string.ts";
import { ClientMessage } from "./client_message.ts";
import { copyBytes, Slab } from "./slab.ts";
import { hashSubject } from "./subject_hash.ts";

const HEADER_START = "NATS/1.0\r\n", LINE_END = "\r\n";

/** What {@link rewriteMessage} changes; what is absent stays. All are byte strings. */
export interface Rewriting {
  /** The subject. */
  readonly subject?: string;
  /** The reply; null for none. */
  readonly reply?: string | null;
  /** A header: those of its name are replaced by it, or removed where `value` is null. */
  readonly header?: { readonly name: string; readonly value: string | null };
}

/** Writes a changed copy of `message` into `into`, which must be released. */
export function rewriteMessage(
  message: ClientMessage,
  into: ClientMessage,
  { subject: newSubject, reply: newReply, header }: Rewriting,
): void {
  const from = message.slab.bytes;
  const subject = newSubject ?? byteString(from, message.subjectStart, message.subjectEnd);
  const reply = newReply !== undefined
    ? newReply
    : message.hasReply
    ? byteString(from, message.replyStart, message.replyEnd)
    : null;
  const payloadStart = message.bodyStart + message.headerLength;
  const payloadLength = message.size - message.headerLength;
  let headers: string | null = null, headerLength = message.headerLength;
  if (header !== undefined) {
    const before = byteString(from, message.bodyStart, payloadStart);
    headers = withHeader(before, header.name, header.value);
    headerLength = headers.length;
  }
  const size = headerLength + payloadLength;
  const sizes = `${headerLength > 0 ? `${headerLength} ` : ""}${size}\r\n`;
  const replyText = reply === null ? "" : `${reply} `;
  const head = `${subject} ${replyText}${sizes}${headers ?? ""}`;
  const bodyLength = headers === null ? message.size : payloadLength;
  const slab = new Slab(head.length + bodyLength + 2), bytes = slab.bytes;
  for (let i = 0; i < head.length; i++) bytes[i] = head.charCodeAt(i);
  copyBytes(
    slab,
    head.length,
    message.slab,
    headers === null ? message.bodyStart : payloadStart,
    bodyLength,
  );
  const end = head.length + bodyLength;
  bytes[end] = 13;
  bytes[end + 1] = 10;
  into.slab = slab;
  into.subjectStart = 0;
  into.subjectEnd = subject.length;
  into.subjectHash = hashSubject(bytes, 0, subject.length);
  into.sameSubject = false;
  into.replyStart = reply === null ? 0 : subject.length + 1;
  into.replyEnd = reply === null ? 0 : into.replyStart + reply.length;
  into.sizeStart = subject.length + 1 + replyText.length +
    (headerLength > 0 ? `${headerLength} `.length : 0);
  into.bodyStart = into.sizeStart + `${size}\r\n`.length;
  into.headerLength = headerLength;
  into.size = size;
  into.end = end + 2;
}

/** A message made here, as if a client had sent it. Byte strings, but for the bodies. */
export function createMessage(
  subject: string,
  reply: string | null,
  headers: Uint8Array | null,
  payload: Uint8Array,
): ClientMessage {
  const headerLength = headers?.length ?? 0, size = headerLength + payload.length;
  const head = `${subject} ${reply === null ? "" : `${reply} `}`;
  const sizes = `${headerLength > 0 ? `${headerLength} ` : ""}${size}\r\n`;
  const slab = new Slab(head.length + sizes.length + size + 2), bytes = slab.bytes;
  const text = head + sizes;
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  if (headers !== null) bytes.set(headers, text.length);
  bytes.set(payload, text.length + headerLength);
  const end = text.length + size;
  bytes[end] = 13;
  bytes[end + 1] = 10;
  const message = new ClientMessage();
  message.slab = slab;
  message.subjectEnd = subject.length;
  message.subjectHash = hashSubject(bytes, 0, subject.length);
  message.replyStart = reply === null ? 0 : subject.length + 1;
  message.replyEnd = reply === null ? 0 : message.replyStart + reply.length;
  message.sizeStart = text.length - `${size}\r\n`.length;
  message.bodyStart = text.length;
  message.headerLength = headerLength;
  message.size = size;
  message.end = end + 2;
  return message;
}

/** The headers, a byte string, without those of a name but with a new last one. "" for none at all. */
function withHeader(headers: string, name: string, value: string | null): string {
  const added = value === null ? "" : `${name}: ${value}${LINE_END}`;
  if (headers === "") return value === null ? "" : `${HEADER_START}${added}${LINE_END}`;
  const lines = headers.split(LINE_END);
  // The last two are the empty line's and what is behind it, or garbage, which is not looked into.
  const kept = lines.flatMap((line, index) => withoutHeader(line, name.toLowerCase(), index === 0));
  const end = kept.length >= 2 && kept.at(-1) === "" && kept.at(-2) === "" ? kept.length - 2 : -1;
  if (end < 0) return value === null ? kept.join(LINE_END) : `${HEADER_START}${added}${LINE_END}`;
  const block = kept.slice(0, end).join(LINE_END) + LINE_END;
  return value === null && block.toUpperCase() === HEADER_START
    ? ""
    : `${block}${added}${LINE_END}`;
}

/**
 * A line of a header block, or nothing where it is the header of a name. Some clients end lines where
 * there is nothing but a line feed, and some make nothing of blanks around a name: what they would take
 * for that header goes as well.
 */
function withoutHeader(line: string, name: string, isFirst: boolean): string[] {
  const parts = line.split("\n");
  const kept = parts.filter((part, index) => isFirst && index === 0 || nameIn(part) !== name);
  if (kept.length === parts.length) return [line];
  // An empty line would end the block.
  return kept.every((part) => part === "") ? [] : [kept.join("\n")];
}

function nameIn(part: string): string | null {
  const colon = part.indexOf(":");
  return colon < 0 ? null : part.slice(0, colon).trim().toLowerCase();
}
