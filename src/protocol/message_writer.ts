/**
 * MSG and HMSG frames.
 *
 * @module
 */
import type { ClientMessage } from "./client_message.ts";
import { copyBytes, type Slab } from "./slab.ts";

const MSG_ = 0x2047534d; // "MSG " as a little-endian word
const HMSG = 0x47534d48; // "HMSG"
const SPACE = 32;

/** A sid, ready to be written: most fit into two words, and are written as those. */
export interface WritableSid {
  /** The sid, a byte string. */
  readonly sid: string;
  /** Its bytes 0 to 3, little-endian. */
  readonly sidLow: number;
  /** Its bytes 4 to 7. */
  readonly sidHigh: number;
}

/** Bytes of the frame up to and without what follows the sid. */
export function frameHeadLength(message: ClientMessage, sidLength: number): number {
  return (message.headerLength > 0 ? 6 : 5) + message.subjectEnd - message.subjectStart + sidLength;
}

/**
 * Writes `MSG <subject> <sid>` or `HMSG <subject> <sid>`; what follows is the message's own bytes
 * from its `subjectEnd` on. Returns the offset behind. May overwrite up to 8 bytes further.
 */
export function writeFrameHead(
  slab: Slab,
  at: number,
  message: ClientMessage,
  to: WritableSid,
): number {
  const view = slab.view, bytes = slab.bytes;
  if (message.headerLength > 0) {
    view.setInt32(at, HMSG, true);
    bytes[at + 4] = SPACE;
    at += 5;
  } else {
    view.setInt32(at, MSG_, true);
    at += 4;
  }
  const length = message.subjectEnd - message.subjectStart;
  copyBytes(slab, at, message.slab, message.subjectStart, length);
  at += length;
  bytes[at++] = SPACE;
  const sid = to.sid, sidLength = sid.length;
  if (sidLength <= 8) {
    view.setInt32(at, to.sidLow, true);
    view.setInt32(at + 4, to.sidHigh, true);
  } else {
    for (let i = 0; i < sidLength; i++) bytes[at + i] = sid.charCodeAt(i);
  }
  return at + sidLength;
}

/**
 * The message that answers a request nobody received, as nats-server 2.15 sends it.
 * All arguments and the result are byte strings.
 */
export function noRespondersFrame(subject: string, reply: string, sid: string): string {
  const headers = `NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n`;
  return `HMSG ${reply} ${sid} ${headers.length} ${headers.length}\r\n${headers}\r\n`;
}
