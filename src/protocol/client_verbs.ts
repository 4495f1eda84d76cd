/**
 * The verbs that a client may send.
 *
 * @module
 */

/** A verb of a peer's side of the protocol. */
export interface Verb {
  /** In upper case; any case is taken. */
  readonly text: string;
  /**
   * What follows the verb: a blank and arguments, arguments that need no blank before them, or
   * anything up to the line's end, which is ignored.
   */
  readonly takes: "blank" | "arguments" | "nothing";
}

/** A verb with what it takes. */
export const verb = (text: string, takes: Verb["takes"]): Verb => ({ text, takes });
/** CONNECT. */
export const CONNECT_VERB = verb("CONNECT", "arguments");
/** PUB. */
export const PUB_VERB = verb("PUB", "blank");
/** HPUB. */
export const HPUB_VERB = verb("HPUB", "blank");
/** SUB. */
export const SUB_VERB = verb("SUB", "blank");
/** UNSUB. */
export const UNSUB_VERB = verb("UNSUB", "blank");
/** PING. */
export const PING_VERB = verb("PING", "nothing");
/** PONG. */
export const PONG_VERB = verb("PONG", "nothing");
/** INFO. */
export const INFO_VERB = verb("INFO", "arguments");
/** +OK. */
export const OK_VERB = verb("+OK", "nothing");
/** -ERR. */
export const ERR_VERB = verb("-ERR", "blank");

/** The verbs that clients know, sorted by their bytes. No verb is a prefix of another. */
export const CLIENT_VERBS: readonly Verb[] = [
  OK_VERB,
  ERR_VERB,
  CONNECT_VERB,
  HPUB_VERB,
  INFO_VERB,
  PING_VERB,
  PONG_VERB,
  PUB_VERB,
  SUB_VERB,
  UNSUB_VERB,
];

/**
 * The one of `verbs`, which are sorted by their bytes, that begins at `start`. Every byte narrows the
 * verbs down, so that the first impossible one is refused at once, as nats-server does.
 *
 * @returns null when there is none, and `"incomplete"` when the bytes end too early to tell.
 */
export function recogniseVerb(
  verbs: readonly Verb[],
  bytes: Uint8Array,
  start: number,
  end: number,
): Verb | null | "incomplete" {
  let low = 0, high = verbs.length;
  for (let at = start; at < end; at++) {
    const byte = upper(bytes[at]!), index = at - start;
    while (low < high && verbs[low]!.text.charCodeAt(index) !== byte) low++;
    let stop = low;
    while (stop < high && verbs[stop]!.text.charCodeAt(index) === byte) stop++;
    high = stop;
    if (low === high) return null;
    const found = verbs[low]!;
    if (found.text.length === index + 1) return found;
  }
  return "incomplete";
}

/** An ASCII letter in upper case; any other byte as it is. */
export function upper(byte: number): number {
  return byte >= 97 && byte <= 122 ? byte - 32 : byte;
}
