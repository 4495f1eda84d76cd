/**
 * What a client can tell a server.
 *
 * @module
 */
import type { ClientMessage } from "./client_message.ts";

/** What a parser hands its commands to. None of them may throw for bad input of the peer. */
export interface ClientCommands {
  /** CONNECT with its JSON text as sent (a byte string). */
  connect(json: string): void;
  /** A PUB or HPUB control line was read; its payload may still be on its way. Pedantic mode only. */
  announced(message: ClientMessage): void;
  /** A complete PUB or HPUB. `message` is only valid during the call. */
  publish(message: ClientMessage): void;
  /** SUB; all three are byte strings. */
  subscribe(subject: string, queue: string | null, sid: string): void;
  /** UNSUB; `max` is 0 when it was absent, zero or not a number. */
  unsubscribe(sid: string, max: number): void;
  /** PING. */
  ping(): void;
  /** PONG. */
  pong(): void;
  /** INFO with its JSON text (a byte string). */
  info(json: string): void;
  /** -ERR with its text (a byte string). */
  error(text: string): void;
}

/** Why a parser gave up; it must not be used any more after that. */
export type ClientFault =
  /** Not a verb, or a payload that does not end where announced. */
  | "unknown operation"
  /** Arguments longer than `maxControlLine`. */
  | "control line"
  /** A size above `maxPayload`. */
  | "payload size"
  /** Wrong number of arguments, or a malformed number. */
  | "arguments"
  /** HPUB without headers having been agreed on. */
  | "headers"
  /** Something else than CONNECT where CONNECT is due. */
  | "not connected";
