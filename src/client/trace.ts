/**
 * The protocol trace of one client.
 *
 * @module
 */
import { type Log, redactConnect } from "../log/mod.ts";
import { byteString, type ClientMessage, decodeByteString } from "../protocol/mod.ts";

/** Writes what a client sends and gets to the log, payloads cut and secrets hidden. */
export class ClientTrace {
  readonly #log: Log;
  readonly #id: number;

  /** A trace for the connection `id`. */
  constructor(log: Log, id: number) {
    this.#log = log;
    this.#id = id;
  }

  /** CONNECT. */
  connect(json: string): void {
    this.received(`CONNECT ${redactConnect(decodeByteString(json))}`);
  }

  /** PUB or HPUB. */
  publish(message: ClientMessage): void {
    const bytes = message.slab.bytes, headers = message.headerLength;
    const subject = byteString(bytes, message.subjectStart, message.subjectEnd);
    const reply = byteString(bytes, message.replyStart, message.replyEnd);
    const line = [
      headers > 0 ? "HPUB" : "PUB",
      subject,
      reply,
      headers > 0 ? headers : "",
      message.size,
    ];
    this.received(decodeByteString(line.filter((part) => part !== "").join(" ")));
    const start = message.bodyStart + headers;
    const payload = this.#log.payload(bytes.subarray(start, message.end - 2));
    this.#log.trace(`cid:${this.#id} - <<- MSG_PAYLOAD: [${payload}]`);
  }

  /** SUB. */
  subscribe(subject: string, queue: string | null, sid: string): void {
    this.received(
      decodeByteString(["SUB", subject, ...(queue === null ? [] : [queue]), sid].join(" ")),
    );
  }

  /** UNSUB. */
  unsubscribe(sid: string, max: number): void {
    this.received(decodeByteString(max > 0 ? `UNSUB ${sid} ${max}` : `UNSUB ${sid}`));
  }

  /** Anything received, as text. */
  received(text: string): void {
    this.#log.trace(`cid:${this.#id} - <<- [${text}]`);
  }

  /** A frame of the server's own, a byte string. */
  sent(frame: string): void {
    this.#log.trace(`cid:${this.#id} - ->> [${decodeByteString(frame).trim()}]`);
  }

  /** A delivery; subject and sid are byte strings. */
  delivered(subject: string, sid: string, size: number): void {
    this.#log.trace(`cid:${this.#id} - ->> [MSG ${decodeByteString(`${subject} ${sid}`)} ${size}]`);
  }
}
