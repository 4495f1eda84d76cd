import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { MemoryBroker, type MemoryClient } from "../support/memory_broker.ts";

/** How many messages `client` received since the last time. */
function deliveries(client: MemoryClient): number {
  return client.take().split("MSG ").length - 1;
}

const publish = (count: number) => "PUB a.b 0\r\n\r\n".repeat(count);

Deno.test("members of a queue group are chosen at random, all alike and independently", async () => {
  await using world = await MemoryBroker.start();
  const members = [];
  for (let i = 0; i < 5; i++) members.push(await world.connect());
  for (const member of members) await world.exchange(member, "SUB a.b q 1\r\n");
  const publisher = await world.connect();
  const counts = members.map(() => 0);
  let repeated = 0, last = -1;
  const messages = 2000;
  for (let i = 0; i < messages; i++) {
    await world.exchange(publisher, publish(1));
    const received = members.map(deliveries);
    assertEquals(received.reduce((sum, one) => sum + one), 1, "exactly one gets it");
    const chosen = received.indexOf(1);
    counts[chosen]!++;
    if (chosen === last) repeated++;
    last = chosen;
  }
  const expected = messages / members.length;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  assertLess(chiSquare, 18.5, "p = 0.001 with 4 degrees of freedom");
  assertGreater(chiSquare, 0.02, "not in turn either");
  assertGreater(repeated, messages / 5 * 0.8);
  assertLess(repeated, messages / 5 * 1.2);
});

Deno.test("a group is its name: its members' subjects may differ, and each message goes to one", async () => {
  await using world = await MemoryBroker.start();
  const literal = await world.connect(), star = await world.connect(), all = await world.connect();
  await world.exchange(literal, "SUB a.b q 1\r\n");
  await world.exchange(star, "SUB a.* q 1\r\n");
  await world.exchange(all, "SUB > q 1\r\n");
  const publisher = await world.connect();
  await world.exchange(publisher, publish(900));
  const counts = [literal, star, all].map(deliveries);
  assertEquals(counts.reduce((sum, one) => sum + one), 900);
  for (const count of counts) assertGreater(count, 230);
});

Deno.test("every group gets its copy, and plain subscriptions theirs", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  await world.exchange(
    client,
    "SUB a.b p 1\r\nSUB a.b p 2\r\nSUB a.b q 3\r\nSUB a.b 4\r\nSUB > 5\r\n",
  );
  const received = await world.exchange(client, publish(50));
  const count = (sid: number) => received.split(`MSG a.b ${sid} 0\r\n\r\n`).length - 1;
  assertEquals(count(1) + count(2), 50);
  assertGreater(count(1), 10);
  assertGreater(count(2), 10);
  assertEquals([count(3), count(4), count(5)], [50, 50, 50]);
});

Deno.test("a member that does not hear itself is passed over", async () => {
  await using world = await MemoryBroker.start();
  const deaf = await world.connect({ echo: false }), other = await world.connect();
  await world.exchange(deaf, "SUB a.b q 1\r\n");
  await world.exchange(other, "SUB a.b q 1\r\n");
  await world.exchange(deaf, publish(40));
  assertEquals([deaf, other].map(deliveries), [0, 40]);
  await world.exchange(other, "UNSUB 1\r\n");
  await world.exchange(deaf, "SUB r 9\r\n");
  assertEquals(
    await world.exchange(deaf, "PUB a.b r 0\r\n\r\n"),
    "HMSG r 9 35 35\r\nNATS/1.0 503\r\nNats-Subject: a.b\r\n\r\n\r\n",
    "nobody is left",
  );
});

Deno.test("a member that is being closed is passed over at once", async () => {
  await using world = await MemoryBroker.start();
  const closing = await world.connect(), other = await world.connect();
  await world.exchange(closing, "SUB a.b q 1\r\n");
  await world.exchange(other, "SUB a.b q 1\r\n");
  const publisher = await world.connect();
  // It does not hang up in answer to the error, so the broker still has its subscription.
  await world.exchange(closing, "BOGUS\r\n");
  assertEquals(world.broker.statistics.subscriptions, 2);
  await world.exchange(publisher, publish(40));
  assertEquals([closing, other].map(deliveries), [0, 40]);
});

Deno.test("a member with an UNSUB limit gets that many, the group the rest", async () => {
  await using world = await MemoryBroker.start();
  const limited = await world.connect(), other = await world.connect();
  await world.exchange(limited, "SUB a.b q 1\r\nUNSUB 1 3\r\n");
  await world.exchange(other, "SUB a.b q 1\r\n");
  const publisher = await world.connect();
  await world.exchange(publisher, publish(60));
  assertEquals([limited, other].map(deliveries), [3, 57]);
});

Deno.test("a member that leaves between two messages of one subject is not chosen again", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  await world.exchange(client, "SUB a.b q 1\r\nSUB a.b q 2\r\n");
  const received = await world.exchange(client, publish(10) + "UNSUB 1\r\n" + publish(30));
  assertEquals(received.split("MSG ").length - 1, 40);
  assertEquals(received.split("MSG ").slice(11).every((frame) => frame.startsWith("a.b 2 ")), true);
});
