/** One of a hundred subscribers never reads, and the publisher is as fast as it can be. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { linesOf, nextLine } from "../support/lines.ts";
import { NumberedMessages, subscribe } from "../support/numbered_messages.ts";
import { ObservedBroker } from "../support/observed_broker_process.ts";

const SUBSCRIBERS = 100;
const SIZE = 4096, MEBIBYTE = 1024 ** 2;
/**
 * Longer than the 10 s that it is by default, so that the bytes that wait are what closes the deaf one
 * on a slow machine, too: with the default no more of them would wait. All else is as by default.
 */
const WRITE_DEADLINE = "60s";
/** What max_pending is by default. */
const MAX_PENDING = 64 * MEBIBYTE;
/** By when the deaf one must be gone: that much, and what the system's buffers hold. */
const PUBLISHED_LIMIT = MAX_PENDING + 64 * MEBIBYTE;
/** What the broker's process may have in memory at any time. */
const RESIDENT_LIMIT = 400_000_000;

/** Starts the subscribers that read. The first line says that they have subscribed. */
function readers(broker: ObservedBroker): Deno.ChildProcess {
  const program = new URL("../support/counting_subscribers.ts", import.meta.url).pathname;
  const { hostname, port } = broker.address;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", decodeURIComponent(program)]
      .concat([hostname, port, SUBSCRIBERS - 1, "fan", SIZE].map(String)),
    stdout: "piped",
  }).spawn();
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

Deno.test("one of 100 subscribers never reads: it is closed within 400 MB, and the 99 lose nothing", async () => {
  await using broker = await ObservedBroker.start({ write_deadline: WRITE_DEADLINE });
  await using child = readers(broker);
  const lines = linesOf(child.stdout);
  assertEquals(await nextLine(lines), "subscribed");
  using _deaf = await subscribe(broker.address, "fan");
  using publisher = await Deno.connect({ ...broker.address, transport: "tcp" });
  await publisher.write(new TextEncoder().encode('CONNECT {"verbose":false}\r\n'));

  const messages = new NumberedMessages("fan", SIZE);
  let residentMost = 0, closed = false, finished = false;
  const looking = (async () => {
    while (!finished) {
      const { slowConsumers, residentBytes } = await broker.holdings(false);
      residentMost = Math.max(residentMost, residentBytes);
      closed = slowConsumers > 0;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  try {
    while (!closed && messages.count * SIZE < PUBLISHED_LIMIT) {
      await writeAll(publisher, messages.publish(MEBIBYTE / SIZE, false));
    }
    await writeAll(publisher, messages.publish(1, true));
    assertEquals(JSON.parse(await nextLine(lines)), Array(SUBSCRIBERS - 1).fill(messages.count));
    assertEquals(await lines.next(), { done: true, value: undefined });
  } finally {
    finished = true;
    await looking;
  }
  const { slowConsumers, panics } = await broker.holdings(false);
  assertEquals({ slowConsumers, panics }, { slowConsumers: 1, panics: 0 });
  assertGreater(messages.count * SIZE, MAX_PENDING, "it was closed before so much waited for it");
  assert(residentMost < RESIDENT_LIMIT, `${residentMost} bytes were resident`);
});
