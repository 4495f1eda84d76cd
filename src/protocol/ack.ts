/**
 * Messages of JetStream consumers that come over a route.
 *
 * @module
 */
import { ClientMessage } from "./client_message.ts";
import { copyBytes, Slab } from "./slab.ts";
import { hashSubject } from "./subject_hash.ts";

/** "$JS." and "ACK." as little-endian words. */
const JS_ = 0x2e534a24, ACK_ = 0x2e4b4341;
const PREFIX_LENGTH = 8, DOT = 46, AT = 64, SPACE = 32;
/** `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>`. */
const MIN_DOTS = 8;

/**
 * Where the reply is `$JS.ACK.` with at least eight dots, `@` and a subject, the server that has the
 * stream means the message to be delivered with that subject and with the part before `@` as its reply
 * (nats-server, `processMsgResults`). Writes it so into `into`, which must be released.
 *
 * @returns false, with nothing written, when it is any other message.
 */
export function unpackAck(message: ClientMessage, into: ClientMessage): boolean {
  const start = message.replyStart, end = message.replyEnd, slab = message.slab;
  if (end - start <= PREFIX_LENGTH) return false;
  const { view, bytes } = slab;
  if (view.getInt32(start, true) !== JS_ || view.getInt32(start + 4, true) !== ACK_) return false;
  let dots = 0, at = start;
  // Names of streams and consumers may contain an @ as well.
  for (; at < end; at++) {
    const byte = bytes[at];
    if (byte === DOT) dots++;
    else if (byte === AT && dots >= MIN_DOTS) break;
  }
  if (at >= end - 1) return false;
  const subjectLength = end - at - 1, replyLength = at - start;
  const sizesStart = end + 1, restLength = message.end - sizesStart;
  const made = new Slab(subjectLength + 1 + replyLength + 1 + restLength);
  copyBytes(made, 0, slab, at + 1, subjectLength);
  made.bytes[subjectLength] = SPACE;
  const replyStart = subjectLength + 1, replyEnd = replyStart + replyLength;
  copyBytes(made, replyStart, slab, start, replyLength);
  made.bytes[replyEnd] = SPACE;
  made.bytes.set(bytes.subarray(sizesStart, message.end), replyEnd + 1);
  const shift = replyEnd + 1 - sizesStart;
  into.slab = made;
  into.subjectStart = 0;
  into.subjectEnd = subjectLength;
  into.subjectHash = hashSubject(made.bytes, 0, subjectLength);
  into.sameSubject = false;
  into.replyStart = replyStart;
  into.replyEnd = replyEnd;
  into.sizeStart = message.sizeStart + shift;
  into.bodyStart = message.bodyStart + shift;
  into.headerLength = message.headerLength;
  into.size = message.size;
  into.end = message.end + shift;
  return true;
}
