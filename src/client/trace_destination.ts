/**
 * Where a message asks for reports of its way.
 *
 * @module
 */
import type { Permissions } from "../auth/mod.ts";
import {
  byteString,
  type ClientMessage,
  hashSubject,
  isValidPublishSubject,
} from "../protocol/mod.ts";

const NAME = "Nats-Trace-Dest:", FIRST = 78 /* N */;
const LF = 10, CR = 13, SPACE = 32, TAB = 9;

/**
 * The subject that a message's headers want reports sent to although its sender may not publish there,
 * a byte string; null where there is none. denats reports nothing itself, but nats-servers that the
 * message reaches do, and rely on the server that the client is connected to.
 */
export function forbiddenTraceDestination(
  message: ClientMessage,
  permissions: Permissions,
): string | null {
  const { slab: { bytes }, bodyStart, headerLength } = message;
  const end = bodyStart + headerLength;
  // In many header blocks no line begins like it, and then no line is looked at twice.
  for (let at = bodyStart; at < end; at++) {
    if (bytes[at] !== LF || bytes[at + 1] !== FIRST || !isName(bytes, at + 1, end)) continue;
    let start = at + 1 + NAME.length;
    while (start < end && isBlank(bytes[start]!)) start++;
    let stop = start;
    while (stop < end && bytes[stop] !== CR && bytes[stop] !== LF) stop++;
    while (stop > start && isBlank(bytes[stop - 1]!)) stop--;
    // What is no subject, such as `trace disabled`, gets no reports.
    const isSubject = isValidPublishSubject(bytes, start, stop) &&
      !bytes.subarray(start, stop).some(isBlank);
    if (isSubject && !permissions.mayPublish(bytes, start, stop, hashSubject(bytes, start, stop))) {
      return byteString(bytes, start, stop);
    }
  }
  return null;
}

function isName(bytes: Uint8Array, start: number, end: number): boolean {
  if (start + NAME.length > end) return false;
  for (let i = 0; i < NAME.length; i++) {
    if (bytes[start + i] !== NAME.charCodeAt(i)) return false;
  }
  return true;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}
