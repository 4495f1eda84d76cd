/**
 * The protocol trace of one route.
 *
 * @module
 */
import { type Log, redactConnect } from "../log/mod.ts";
import {
  byteString,
  type ClientMessage,
  decodeByteString,
  type RouteCommands,
} from "../protocol/mod.ts";

const CONNECT = "CONNECT ";

/** Writes what a peer sends and gets to the log, payloads cut and secrets hidden, and hands it on. */
export class RouteTrace implements RouteCommands {
  readonly #log: Log;
  readonly #id: number;
  readonly #commands: RouteCommands;

  /** A trace for the connection `id`; what comes goes on to `commands`. */
  constructor(log: Log, id: number, commands: RouteCommands) {
    this.#log = log;
    this.#id = id;
    this.#commands = commands;
  }

  /** CONNECT. */
  connect(json: string): void {
    this.#received(CONNECT + redactConnect(decodeByteString(json)));
    this.#commands.connect(json);
  }

  /** INFO. */
  info(json: string): void {
    this.#received(`INFO ${decodeByteString(json)}`);
    this.#commands.info(json);
  }

  /** PING. */
  ping(): void {
    this.#received("PING");
    this.#commands.ping();
  }

  /** PONG. */
  pong(): void {
    this.#received("PONG");
    this.#commands.pong();
  }

  /** -ERR. */
  error(text: string): void {
    this.#received(`-ERR ${decodeByteString(text)}`);
    this.#commands.error(text);
  }

  /** RS+ and LS+. */
  interestAdded(
    account: string,
    subject: string,
    queue: string | null,
    weight: number,
    origin: string | null,
  ): void {
    this.#line(origin === null ? "RS+" : "LS+", origin, account, subject, queue, weight);
    this.#commands.interestAdded(account, subject, queue, weight, origin);
  }

  /** RS- and LS-. */
  interestRemoved(
    account: string,
    subject: string,
    queue: string | null,
    origin: string | null,
  ): void {
    this.#line(origin === null ? "RS-" : "LS-", origin, account, subject, queue, 0);
    this.#commands.interestRemoved(account, subject, queue, origin);
  }

  /** RMSG, HMSG and LMSG. */
  message(account: string, message: ClientMessage, queues: readonly string[] | null): void {
    const { slab: { bytes }, subjectStart, subjectEnd, replyStart, replyEnd } = message;
    const headers = message.headerLength, reply = byteString(bytes, replyStart, replyEnd);
    this.#line(
      headers > 0 ? "HMSG" : "RMSG",
      account,
      byteString(bytes, subjectStart, subjectEnd),
      queues === null ? "" : reply === "" ? "|" : "+",
      reply,
      queues === null ? "" : queues.join(" "),
      headers,
      String(message.size),
    );
    const payload = this.#log.payload(bytes.subarray(message.bodyStart + headers, message.end - 2));
    this.#log.trace(`rid:${this.#id} - <<- MSG_PAYLOAD: [${payload}]`);
    this.#commands.message(account, message, queues);
  }

  /** A frame that is sent, a byte string. */
  sent(frame: string): void {
    const text = decodeByteString(frame).trim();
    const shown = text.startsWith(CONNECT)
      ? CONNECT + redactConnect(text.slice(CONNECT.length))
      : text;
    this.#log.trace(`rid:${this.#id} - ->> [${shown}]`);
  }

  /** What is empty, null or 0 is left out. */
  #line(...parts: readonly (string | number | null)[]): void {
    const shown = parts.filter((part) => part !== null && part !== "" && part !== 0);
    this.#received(decodeByteString(shown.join(" ")));
  }

  #received(text: string): void {
    this.#log.trace(`rid:${this.#id} - <<- [${text}]`);
  }
}
