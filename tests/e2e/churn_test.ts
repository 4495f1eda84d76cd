/** Five thousand connections that come and go, well or badly, and what is left of them: nothing. */
import { assert, assertEquals } from "@std/assert";
import type { ServerAddress } from "../support/conversation.ts";
import { ObservedBroker } from "../support/observed_broker_process.ts";

const ROUNDS = 5, ROUND_SIZE = 1000, AT_A_TIME = 50;
const encoder = new TextEncoder();

/** One connection; `n` decides what it does and how it ends. */
async function comeAndGo(address: ServerAddress, n: number): Promise<void> {
  const connection = await Deno.connect(address);
  const overdue = setTimeout(() => connection.close(), 10_000);
  const bytes = new Uint8Array(4096);
  const send = async (text: string) => void await connection.write(encoder.encode(text));
  // Matches of subjects that were published to are kept for a while: there are only a hundred.
  const own = `churn.${n}`, shared = `shared.${n % 100}`;
  try {
    const connect = `CONNECT {"verbose":false,"name":"${own}"}\r\n`;
    const subscribe =
      `SUB ${own} 1\r\nSUB ${own}.* 2\r\nSUB ${own}.> group 3\r\nSUB ${shared}.> 4\r\n`;
    switch (n % 5) {
      case 0: { // A whole conversation.
        await send(`${connect}${subscribe}PUB ${shared}.x 5\r\nhello\r\nUNSUB 1\r\nPING\r\n`);
        for (let text = ""; !text.includes("PONG\r\n");) {
          text += new TextDecoder().decode(bytes.subarray(0, await connection.read(bytes) ?? 0));
        }
        break;
      }
      case 1: // In the middle of a frame.
        await send(`${connect}${subscribe}PUB ${own} 1000\r\nhalf`);
        break;
      case 2: // Reset: bytes that it was sent are unread when it closes.
        await send(`${connect}${subscribe}PING\r\n`);
        await connection.read(bytes.subarray(0, 1));
        break;
      case 3: // A violation.
        await send(`${connect}${subscribe}RUBBISH\r\n`);
        while (await connection.read(bytes) !== null);
        break;
      case 4: // Nothing at all.
        break;
    }
    connection.close();
  } finally {
    clearTimeout(overdue);
  }
}

async function round(broker: ObservedBroker, first: number): Promise<void> {
  for (let n = first; n < first + ROUND_SIZE; n += AT_A_TIME) {
    await Promise.all(
      Array.from({ length: AT_A_TIME }, (_, i) => comeAndGo(broker.address, n + i)),
    );
  }
  // The peers are gone; the broker may still be about to notice.
  for (let looks = 0; (await broker.holdings(false)).connections > 0; looks++) {
    assert(looks < 2000, "connections stay open");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("5,000 connections come and go, and nothing stays behind", async () => {
  await using broker = await ObservedBroker.start();
  const fresh = await broker.holdings();
  await round(broker, 0);
  const warm = await broker.holdings();
  for (let r = 1; r < ROUNDS; r++) await round(broker, r * ROUND_SIZE);
  const last = await broker.holdings();
  for (const held of [warm, last]) {
    assertEquals(
      [held.connections, held.subscriptions, held.tasks, held.panics],
      [0, 0, fresh.tasks, 0],
    );
  }
  // The runtime opens a few of its own when it likes.
  assert(last.files < fresh.files + 8, `${last.files} files are open, ${fresh.files} were`);
  const connections = (ROUNDS - 1) * ROUND_SIZE;
  const left = (key: "heapBytes" | "bufferBytes" | "residentBytes") => last[key] - warm[key];
  assert(left("heapBytes") < 200 * connections, `${left("heapBytes")} bytes of heap are left`);
  // What the pool of buffers may keep, and what the system has not been given back.
  assert(left("bufferBytes") < 3_000_000, `${left("bufferBytes")} bytes of buffers are left`);
  assert(left("residentBytes") < 80_000_000, `${left("residentBytes")} resident bytes are left`);
});
