/**
 * What a server sent, taken apart into frames, so that two answers can be compared although ids,
 * addresses and the order among several subscriptions of one message differ.
 *
 * @module
 */
import { escape } from "./wire_text.ts";

/** One frame from a server, as a byte string including its line ends and payload. */
export type ServerFrame = string;

/**
 * Takes a server's byte string apart. What follows the last whole frame, or starts none, is the last
 * element as it is.
 */
export function splitFrames(text: string): ServerFrame[] {
  const frames: ServerFrame[] = [];
  let start = 0;
  while (start < text.length) {
    const lineEnd = text.indexOf("\r\n", start);
    if (lineEnd < 0) {
      frames.push(text.slice(start));
      break;
    }
    let end = lineEnd + 2;
    const line = text.slice(start, lineEnd);
    if (line.startsWith("MSG ") || line.startsWith("HMSG ")) {
      end += Number(line.slice(line.lastIndexOf(" ") + 1)) + 2;
    }
    frames.push(text.slice(start, end));
    start = end;
  }
  return frames;
}

/** INFO fields whose presence and value every server of one version and configuration shares. */
const COMPARED_INFO_FIELDS = [
  "proto",
  "headers",
  "max_payload",
  "auth_required",
  "tls_required",
  "tls_verify",
  "tls_available",
  "ldm",
  "connect_info",
  "remote_account",
  "acc_is_sys",
];

function maskInfo(frame: ServerFrame): string {
  const json = JSON.parse(frame.slice("INFO ".length)) as Record<string, unknown>;
  const compared = COMPARED_INFO_FIELDS.filter((field) => field in json)
    .map((field) => [field, json[field]]);
  return `INFO ${JSON.stringify(Object.fromEntries(compared))} \\r\\n`;
}

/**
 * Frames in a form that two servers must share, escaped for reading: INFO reduced to the fields that
 * are compared, the server's own PINGs (a matter of time) left out, and neighbouring deliveries that
 * differ in the subscription id only put in the order of that id. The order of everything else,
 * the order of one publisher's messages included, stays.
 */
export function comparable(frames: readonly ServerFrame[]): string[] {
  const masked: { text: string; message: string | undefined }[] = [];
  for (const frame of frames) {
    if (frame === "PING\r\n") continue;
    if (frame.startsWith("INFO ") && frame.endsWith("\r\n")) {
      masked.push({ text: maskInfo(frame), message: undefined });
      continue;
    }
    const delivery = /^(H?MSG \S+) \S+ ([^]*)$/.exec(frame);
    masked.push({
      text: escape(frame),
      message: delivery ? `${delivery[1]} ${delivery[2]}` : undefined,
    });
  }
  const ordered: string[] = [];
  for (let start = 0; start < masked.length;) {
    const message = masked[start]?.message;
    let end = start + 1;
    while (message !== undefined && masked[end]?.message === message) end++;
    ordered.push(...masked.slice(start, end).map((entry) => entry.text).sort());
    start = end;
  }
  return ordered;
}
