/**
 * What a route can tell a server.
 *
 * @module
 */
import type { ClientMessage } from "./client_message.ts";

/** What a parser hands its commands to. None of them may throw for bad input of the peer. */
export interface RouteCommands {
  /** CONNECT with its JSON text as sent (a byte string). */
  connect(json: string): void;
  /** INFO with its JSON text (a byte string), without trailing blanks. */
  info(json: string): void;
  /** PING. */
  ping(): void;
  /** PONG. */
  pong(): void;
  /** -ERR with its text (a byte string). */
  error(text: string): void;
  /**
   * RS+ and LS+. All are byte strings. `account` is empty on a dedicated connection. `weight` is 0
   * for plain interest, otherwise 1 to 2^31-1. `origin` is the leaf nodes' cluster in LS+, null in
   * RS+. Subjects are passed on whether or not they are valid.
   */
  interestAdded(
    account: string,
    subject: string,
    queue: string | null,
    weight: number,
    origin: string | null,
  ): void;
  /** RS- and LS-. `origin` is null in RS-, and empty in an LS- that leaves it out. */
  interestRemoved(
    account: string,
    subject: string,
    queue: string | null,
    origin: string | null,
  ): void;
  /**
   * A complete RMSG, HMSG or LMSG. `message` is only valid during the call. `queues` are the names
   * of its list, null where there is none. While the bytes are those of the previous message,
   * `account` and `queues` are the same instances.
   */
  message(account: string, message: ClientMessage, queues: readonly string[] | null): void;
}

/** Why a parser gave up; it must not be used any more after that. */
export type RouteFault =
  /** Not a verb, or a payload that does not end where announced. */
  | "unknown operation"
  /** Arguments longer than `maxControlLine`. */
  | "control line"
  /** Wrong number of arguments, or a malformed number. nats-server closes without a word. */
  | "arguments"
  /** A size above `maxPayload`. */
  | "payload size"
  /** Something else than CONNECT where CONNECT is due. */
  | "not connected";
