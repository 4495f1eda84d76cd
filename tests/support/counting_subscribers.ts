/**
 * A program with many subscribers of one subject, which read as fast as they can and make sure that
 * the messages are numbered from 0 on without a gap. Prints a line when all have subscribed, and
 * another one, how many messages each has got, when all have the message that is the last.
 *
 * `deno run -A counting_subscribers.ts <hostname> <port> <subscribers> <subject> <size>`
 *
 * @module
 */
import { NUMBER_DIGITS, NumberedMessages, subscribe } from "./numbered_messages.ts";

const [hostname = "", port, subscribers, subject = "", size] = Deno.args;
const messages = new NumberedMessages(subject, Number(size));
const PING_LENGTH = "PING\r\n".length, P = 0x50;

/** Receives up to the last message, and returns how many there were. */
async function receive(connection: Deno.TcpConn): Promise<number> {
  const { delivered: head, deliveredLength: length } = messages;
  const chunk = new Uint8Array(262_144);
  let kept = 0, count = 0;
  for (;;) {
    const read = await connection.read(chunk.subarray(kept));
    if (read === null) throw new Error(`closed after ${count} messages`);
    const end = kept + read;
    let at = 0;
    while (at + PING_LENGTH <= end) {
      if (chunk[at] === P) {
        at += PING_LENGTH;
        continue;
      }
      if (at + length > end) break;
      for (let i = 0; i < head.length; i++) {
        if (chunk[at + i] !== head[i]) throw new Error(`no delivery after ${count} messages`);
      }
      let number = 0;
      for (let i = 0; i < NUMBER_DIGITS; i++) {
        number = number * 10 + chunk[at + head.length + i]! - 48;
      }
      if (number !== count) throw new Error(`message ${number} came after ${count - 1}`);
      count++;
      at += length;
      if (messages.isLast(chunk[at - 3]!)) return count;
    }
    chunk.copyWithin(0, at, end);
    kept = end - at;
  }
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

const server = { hostname, port: Number(port) };
const connections = await Promise.all(
  Array.from({ length: Number(subscribers) }, () => subscribe(server, subject)),
);
print("subscribed");
print(JSON.stringify(await Promise.all(connections.map(receive))));
for (const connection of connections) connection.close();
