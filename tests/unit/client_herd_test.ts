/** Very many publishers and one subscriber that keeps up. */
import { assertEquals } from "@std/assert";
import { MemoryBroker, type MemoryClient } from "../support/memory_broker.ts";

const PUBLISHERS = 200, MESSAGES = 512;

Deno.test("200 publishers at once do not overrun a subscriber that reads all the time", async () => {
  // Each of them sends half a megabyte: together 13 times what may wait.
  await using world = await MemoryBroker.start({ max_pending: "8MiB" });
  const subscriber = await world.connect();
  await world.exchange(subscriber, "SUB a 1\r\n");
  const publishers: MemoryClient[] = [];
  for (let i = 0; i < PUBLISHERS; i++) publishers.push(await world.connect());
  const data = new TextEncoder().encode(`PUB a 1024\r\n${"x".repeat(1024)}\r\n`.repeat(MESSAGES));
  const before = subscriber.receivedBytes;
  for (const publisher of publishers) publisher.send(data);
  const unsent = () => publishers.some(({ unsentBytes }) => unsentBytes > 0);
  for (let i = 0; i < 1000 && unsent() && world.ended.length === 0; i++) {
    await world.advance(1);
    subscriber.takeBytes();
  }
  assertEquals(world.ended, []);
  const delivered = `MSG a 1 1024\r\n${"x".repeat(1024)}\r\n`.length;
  assertEquals(subscriber.receivedBytes - before, PUBLISHERS * MESSAGES * delivered);
});
