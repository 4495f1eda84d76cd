/**
 * What a broker says to its clients, taken apart.
 *
 * @module
 */
import { Violation } from "./violation.ts";

/** Hears what the broker says. */
export interface ServerListener {
  /** MSG or HMSG; `headers` is empty for MSG. */
  message(
    subject: string,
    sid: number,
    reply: string | null,
    headers: string,
    payload: string,
  ): void;
  /** PING. */
  ping(): void;
  /** PONG. */
  pong(): void;
  /** -ERR, with its text. */
  error(text: string): void;
}

const decoder = new TextDecoder();

/** A parser of the broker's side of the client protocol, for ASCII. */
export class ServerReader {
  readonly #listener: ServerListener;
  #rest = "";
  /** How long the rest must be for its first frame to be complete, as far as that is known. */
  #needed = 0;

  /** Tells `listener` everything. */
  constructor(listener: ServerListener) {
    this.#listener = listener;
  }

  /** Takes what came. */
  take(bytes: Uint8Array): void {
    this.#rest += decoder.decode(bytes);
    if (this.#rest.length < this.#needed) return;
    const text = this.#rest;
    this.#needed = 0;
    let at = 0;
    for (;;) {
      const end = text.indexOf("\r\n", at);
      if (end < 0) break;
      const next = this.#line(text, text.slice(at, end), end + 2);
      if (next > text.length) {
        this.#needed = next - at;
        break;
      }
      at = next;
    }
    this.#rest = text.slice(at);
  }

  /** Handles one frame if it is complete; returns where the next one begins, once it is. */
  #line(text: string, line: string, bodyAt: number): number {
    const words = line.split(" "), listener = this.#listener;
    switch (words[0]) {
      case "MSG": {
        const next = bodyAt + Number(words.at(-1)) + 2;
        if (text.length < next) return next;
        const payload = text.slice(bodyAt, next - 2);
        const reply = words.length === 5 ? words[3]! : null;
        listener.message(words[1]!, Number(words[2]), reply, "", payload);
        return next;
      }
      case "HMSG": {
        const next = bodyAt + Number(words.at(-1)) + 2;
        if (text.length < next) return next;
        const payloadAt = bodyAt + Number(words.at(-2));
        const reply = words.length === 6 ? words[3]! : null;
        const headers = text.slice(bodyAt, payloadAt), payload = text.slice(payloadAt, next - 2);
        listener.message(words[1]!, Number(words[2]), reply, headers, payload);
        return next;
      }
      case "PING":
        listener.ping();
        return bodyAt;
      case "PONG":
        listener.pong();
        return bodyAt;
      case "-ERR":
        listener.error(line.slice(5));
        return bodyAt;
      case "INFO":
      case "+OK":
        return bodyAt;
      default:
        throw new Violation("protocol", `a client was sent ${JSON.stringify(line.slice(0, 80))}`);
    }
  }
}
