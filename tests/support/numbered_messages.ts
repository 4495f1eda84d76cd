/**
 * Messages of one size that are numbered, made and recognised cheaply.
 *
 * @module
 */
import type { ServerAddress } from "./conversation.ts";

/** How many digits the number at the beginning of a payload has. */
export const NUMBER_DIGITS = 10;

/** The end of a payload: of the last message, and of all others. */
const LAST = 0x4c, MORE = 0x2d;

/** Messages on one subject. */
export class NumberedMessages {
  /** What precedes the payload where the subscription's id is 1. */
  readonly delivered: Uint8Array;
  /** Bytes of a delivery. */
  readonly deliveredLength: number;
  readonly #published: Uint8Array;
  #next = 0;

  /** `size`: bytes of a payload, more than {@link NUMBER_DIGITS}. */
  constructor(subject: string, readonly size: number) {
    const encoder = new TextEncoder();
    this.delivered = encoder.encode(`MSG ${subject} 1 ${size}\r\n`);
    this.deliveredLength = this.delivered.length + size + 2;
    this.#published = encoder.encode(`PUB ${subject} ${size}\r\n`);
  }

  /** How many were made so far. */
  get count(): number {
    return this.#next;
  }

  /** PUBs of the next `count` messages; `last`: no more will follow. */
  publish(count: number, last: boolean): Uint8Array {
    const head = this.#published, length = head.length + this.size + 2;
    const bytes = new Uint8Array(count * length).fill(MORE);
    for (let i = 0; i < count; i++) {
      const at = i * length, number = String(this.#next++).padStart(NUMBER_DIGITS, "0");
      bytes.set(head, at);
      for (let d = 0; d < NUMBER_DIGITS; d++) bytes[at + head.length + d] = number.charCodeAt(d);
      if (last && i === count - 1) bytes[at + length - 3] = LAST;
      bytes[at + length - 2] = 0x0d;
      bytes[at + length - 1] = 0x0a;
    }
    return bytes;
  }

  /** Whether a payload that ends with `byte` is the last one. */
  isLast(byte: number): boolean {
    return byte === LAST;
  }
}

/** A connection whose subscription has been made: from now on only deliveries and PINGs come. */
export async function subscribe(server: ServerAddress, subject: string): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ ...server, transport: "tcp" });
  const commands = `CONNECT {"verbose":false}\r\nSUB ${subject} 1\r\nPING\r\n`;
  await connection.write(new TextEncoder().encode(commands));
  const bytes = new Uint8Array(4096);
  for (let text = ""; !text.endsWith("PONG\r\n");) {
    const read = await connection.read(bytes);
    if (read === null) throw new Error(`closed after: ${text}`);
    text += new TextDecoder().decode(bytes.subarray(0, read));
  }
  return connection;
}
