/**
 * Fast publishers and slow subscribers. "A stalled peer" keeps its connection open and takes nothing
 * beyond what the connection itself buffers.
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import { connectFrame, MemoryBroker, type MemoryClient } from "../support/memory_broker.ts";

const KIB = 1024, MIB = 1024 * KIB;
/** What an in-memory connection buffers in each direction. */
const BUFFERED = 64 * KIB;
/** More than the broker may take in for a subscriber that takes nothing: it has to stop reading. */
const TAKEN_IN_LIMIT = 2 * MIB;
/** After this long nobody waits for a stalled peer any more. */
const PATIENCE_MS = 2000;

/** `count` messages on `a`, with `bytes` of payload each, as a publisher sends them. */
function messages(count: number, bytes: number): Uint8Array {
  const one = new TextEncoder().encode(`PUB a ${bytes}\r\n${"x".repeat(bytes)}\r\n`);
  const all = new Uint8Array(one.length * count);
  for (let i = 0; i < count; i++) all.set(one, i * one.length);
  return all;
}

/** How many bytes a subscriber with a one-byte sid receives for {@link messages}. */
function deliveredBytes(count: number, bytes: number): number {
  return count * `MSG a 1 ${bytes}\r\n${"x".repeat(bytes)}\r\n`.length;
}

async function withPair(settings: Parameters<typeof MemoryBroker.start>[0] = {}) {
  const world = await MemoryBroker.start(settings);
  const subscriber = await world.connect({ name: "subscriber" });
  await world.exchange(subscriber, "SUB a 1\r\n");
  const publisher = await world.connect({ name: "publisher" });
  subscriber.receivedBytes = 0;
  return { world, subscriber, publisher };
}

Deno.test("a publisher waits for a stalled subscriber, and goes on when it reads again", async () => {
  const { world, subscriber, publisher } = await withPair();
  await using _ = world;
  subscriber.stall();
  const total = 8 * MIB, data = messages(total / KIB, KIB);
  const sent = publisher.send(data);
  await world.settle();
  assertGreater(publisher.unsentBytes, data.length - TAKEN_IN_LIMIT);
  const waiting = publisher.unsentBytes;
  await world.settle();
  assertEquals(publisher.unsentBytes, waiting, "nothing moves without time or the peer");

  subscriber.resume();
  await sent;
  await world.settle();
  assertEquals(subscriber.receivedBytes, deliveredBytes(total / KIB, KIB));
  assertEquals(world.clock.monotonic(), 0, "and it took no time");
});

Deno.test("a publisher waits for every subscriber that is behind, not just for one", async () => {
  const { world, subscriber, publisher } = await withPair();
  await using _ = world;
  const others = [];
  for (let i = 0; i < 5; i++) {
    const other = await world.connect();
    await world.exchange(other, "SUB a 1\r\n");
    others.push(other);
  }
  subscriber.stall();
  others[0]!.stall();
  const sent = publisher.send(messages(8 * KIB, KIB));
  await world.settle();
  const waiting = publisher.unsentBytes;
  assertGreater(waiting, 0);
  subscriber.resume();
  await world.settle();
  assertEquals(publisher.unsentBytes, waiting, "the other one is still behind");
  others[0]!.resume();
  await sent;
});

Deno.test("a publisher waits only so long for a stalled subscriber", async () => {
  const { world, subscriber, publisher } = await withPair();
  await using _ = world;
  subscriber.stall();
  const data = messages(8 * KIB, KIB);
  const sent = publisher.send(data);
  await world.settle();
  assertGreater(publisher.unsentBytes, 0);
  await world.advance(PATIENCE_MS);
  assertEquals(publisher.unsentBytes, 0);
  await sent;
  // Everything still waits for the subscriber, which may come back.
  subscriber.resume();
  await world.settle();
  assertEquals(subscriber.receivedBytes, deliveredBytes(8 * KIB, KIB));
  assertEquals(world.ended, []);

  // It has caught up, so after some time publishers wait for it again.
  await world.advance(15_000);
  await publisher.send(messages(1, KIB));
  await world.settle();
  subscriber.stall();
  const again = publisher.send(data);
  await world.settle();
  assertGreater(publisher.unsentBytes, data.length - TAKEN_IN_LIMIT);
  subscriber.resume();
  await again;
});

Deno.test("a subscriber that takes something now and then delays a publisher for a bounded time", async () => {
  const { world, subscriber, publisher } = await withPair();
  await using _ = world;
  subscriber.stall();
  const data = messages(8 * KIB, KIB);
  const sent = publisher.send(data);
  await world.settle();
  // A look finds some progress each time.
  let waitedMs = 0;
  while (publisher.unsentBytes > 0 && waitedMs < 20_000) {
    await world.advance(200);
    waitedMs += 200;
    subscriber.resume();
    subscriber.stall();
  }
  assertLessOrEqual(waitedMs, PATIENCE_MS);
  await sent;
  subscriber.resume();
});

/** Lets a stalled `subscriber` take what the connection has buffered, every 50 ms. */
async function pulse(
  world: MemoryBroker,
  subscriber: MemoryClient,
  publisher: MemoryClient,
): Promise<number> {
  const startMs = world.clock.monotonic();
  while (publisher.unsentBytes > 0 && world.clock.monotonic() - startMs < 60_000) {
    await world.advance(50);
    subscriber.resume();
    subscriber.stall();
  }
  return world.clock.monotonic() - startMs;
}

Deno.test("a subscriber that is alone and slow but steady sets the pace, and is not closed", async () => {
  const { world, subscriber, publisher } = await withPair({ max_pending: "2MiB" });
  await using _ = world;
  subscriber.stall();
  void publisher.send(messages(8 * KIB, KIB));
  const waitedMs = await pulse(world, subscriber, publisher);
  assertGreater(waitedMs, 4000);
  subscriber.resume();
  await world.settle();
  const ping = "PING\r\n".length;
  assertEquals(subscriber.receivedBytes, deliveredBytes(8 * KIB, KIB) + ping);
  assertEquals(world.ended, []);
});

Deno.test("a slow but steady subscriber among fast ones delays them for a bounded time in all", async () => {
  const { world, subscriber, publisher } = await withPair();
  await using _ = world;
  const others = [await world.connect(), await world.connect()];
  for (const other of others) {
    await world.exchange(other, "SUB a 1\r\n");
    other.receivedBytes = 0;
  }
  subscriber.stall();
  void publisher.send(messages(8 * KIB, KIB));
  const waitedMs = await pulse(world, subscriber, publisher);
  assertLessOrEqual(waitedMs, PATIENCE_MS);
  for (const other of others) assertEquals(other.receivedBytes, deliveredBytes(8 * KIB, KIB));
  subscriber.resume();
});

Deno.test("a publisher stops waiting at once when the subscriber's connection breaks", async () => {
  const { world, subscriber, publisher } = await withPair();
  await using _ = world;
  subscriber.stall();
  const sent = publisher.send(messages(8 * KIB, KIB));
  await world.settle();
  assertGreater(publisher.unsentBytes, 0);
  subscriber.connection.reset();
  await sent;
  await world.settle();
  assertEquals(publisher.unsentBytes, 0);
  assertEquals(world.clock.monotonic(), 0);
  assertEquals(world.broker.statistics.subscriptions, 0);
});

Deno.test("a publisher that hangs up while it waits is gone in bounded time", async () => {
  const { world, subscriber, publisher } = await withPair();
  await using _ = world;
  subscriber.stall();
  void publisher.send(messages(8 * KIB, KIB));
  await world.settle();
  publisher.connection.reset();
  await world.advance(PATIENCE_MS);
  assertEquals(world.ended.map(({ reason }) => reason), ["Read Error"]);
  assertEquals(world.broker.statistics.connections, 1);
});

Deno.test("the subscribers that keep up lose nothing because of one that does not", async () => {
  const { world, subscriber, publisher } = await withPair({ max_pending: "4MiB" });
  await using _ = world;
  const others = [];
  for (let i = 0; i < 3; i++) {
    const other = await world.connect();
    await world.exchange(other, "SUB a 1\r\n");
    other.receivedBytes = 0;
    others.push(other);
  }
  subscriber.stall();
  const data = messages(16 * KIB, KIB);
  const sent = publisher.send(data);
  let waitedMs = 0;
  for (; publisher.unsentBytes > 0 && waitedMs < 20_000; waitedMs += 100) await world.advance(100);
  await sent;
  await world.settle();
  for (const other of others) assertEquals(other.receivedBytes, deliveredBytes(16 * KIB, KIB));
  assertEquals(world.ended, [{ id: 1, reason: "Slow Consumer (Pending Bytes)" }]);
  assertLessOrEqual(waitedMs, 10_000);
});

Deno.test("max_pending: a slow consumer is closed with its reason, and nothing more is written", async () => {
  const { world, subscriber, publisher } = await withPair({ max_pending: "1MiB" });
  await using _ = world;
  subscriber.stall();
  const sent = publisher.send(messages(4 * KIB, KIB));
  for (let i = 0; i < 300 && publisher.unsentBytes > 0; i++) await world.advance(100);
  await sent;
  assertEquals(world.ended, [{ id: 1, reason: "Slow Consumer (Pending Bytes)" }]);
  assertEquals(world.broker.statistics.slowConsumers, 1);
  assertEquals(world.broker.statistics.connections, 1);
  assertEquals(world.broker.statistics.subscriptions, 0);
  assert(world.log.some((line) => line.includes("Slow Consumer (Pending Bytes)")));
  subscriber.resume();
  await world.settle();
  assert(subscriber.ended);
  assertLessOrEqual(subscriber.receivedBytes, BUFFERED, "only what was under way");
  assert(!subscriber.take().includes("-ERR"));
});

Deno.test("a message as large as max_pending allows is no reason to close anybody", async () => {
  const { world, subscriber, publisher } = await withPair({
    max_pending: 300_000,
    max_payload: 290_000,
  });
  await using _ = world;
  for (let i = 0; i < 5; i++) {
    await publisher.send(messages(1, 290_000));
    await world.settle();
  }
  assertEquals(subscriber.receivedBytes, 5 * deliveredBytes(1, 290_000));
  assertEquals(world.ended, []);
});

Deno.test("write_deadline: a peer that takes nothing for so long is closed with that reason", async () => {
  const { world, subscriber, publisher } = await withPair({ write_deadline: "3s" });
  await using _ = world;
  subscriber.stall();
  void publisher.send(messages(200, KIB));
  await world.advance(2900);
  assertEquals(world.ended, []);
  await world.advance(400);
  assertEquals(world.ended, [{ id: 1, reason: "Slow Consumer (Write Deadline)" }]);
  assertEquals(world.broker.statistics.slowConsumers, 1);
});

Deno.test("write_deadline: what the connection's buffer holds is written, so the peer is not slow", async () => {
  const { world, subscriber, publisher } = await withPair({ write_deadline: "3s" });
  await using _ = world;
  subscriber.stall();
  void publisher.send(messages(50, KIB));
  await world.advance(30_000);
  assertEquals(world.ended, []);
  subscriber.resume();
  await world.settle();
  assertGreaterOrEqual(subscriber.receivedBytes, deliveredBytes(50, KIB));
});

Deno.test("write_deadline: a peer that catches up again and again is never closed", async () => {
  const { world, subscriber, publisher } = await withPair({ write_deadline: "3s" });
  await using _ = world;
  for (let round = 0; round < 10; round++) {
    subscriber.stall();
    void publisher.send(messages(200, KIB));
    await world.advance(2500);
    subscriber.resume();
    await world.settle();
  }
  assertEquals(world.ended, []);
  assertGreaterOrEqual(subscriber.receivedBytes, deliveredBytes(2000, KIB));
});

Deno.test("above three quarters of max_pending, even publishers that gave up waiting are slowed", async () => {
  const { world, subscriber, publisher } = await withPair({ max_pending: "8MiB" });
  await using _ = world;
  subscriber.stall();
  // Nobody waits for this subscriber any more ...
  const sent = publisher.send(messages(6 * KIB + 512, KIB));
  await world.advance(PATIENCE_MS);
  await sent;
  await world.settle();
  assertEquals(world.ended, []);
  // ... but it is close to being closed, so every read costs a little time now.
  const startMs = world.clock.monotonic();
  const more = publisher.send(messages(512, KIB));
  await world.settle();
  assertGreater(publisher.unsentBytes, 0);
  while (publisher.unsentBytes > 0) await world.advance(1);
  await more;
  assertGreaterOrEqual(world.clock.monotonic() - startMs, 10);
  assertLess(world.clock.monotonic() - startMs, 1000);
  assertEquals(world.ended, []);
});

Deno.test("no_fast_producer_stall: what a lagging subscriber has no room for is dropped for it alone", async () => {
  const { world, subscriber, publisher } = await withPair({
    max_pending: "1MiB",
    no_fast_producer_stall: true,
  });
  await using _ = world;
  const other = await world.connect();
  await world.exchange(other, "SUB a 1\r\n");
  other.receivedBytes = 0;
  subscriber.stall();
  const sent = publisher.send(messages(4 * KIB, KIB));
  for (let i = 0; i < 30 && publisher.unsentBytes > 0; i++) await world.advance(100);
  await sent;
  await world.settle();
  assertEquals(other.receivedBytes, deliveredBytes(4 * KIB, KIB));
  assertEquals(world.ended, [], "dropped before it would be too much");
  subscriber.resume();
  await world.settle();
  assertLessOrEqual(subscriber.receivedBytes, MIB);
  assertGreaterOrEqual(subscriber.receivedBytes, MIB / 2);
  assertEquals(subscriber.receivedBytes % deliveredBytes(1, KIB), 0, "whole messages only");
  await publisher.send(messages(1, KIB));
  await world.settle();
  assertEquals(subscriber.receivedBytes % deliveredBytes(1, KIB), 0, "and it goes on");
});

Deno.test("a client that floods its own subscription and reads nothing does not block itself for ever", async () => {
  await using world = await MemoryBroker.start({ max_pending: "1MiB" });
  const client = await world.connectSilently();
  await world.exchange(client, connectFrame() + "SUB a 1\r\n");
  client.stall();
  void client.send(messages(8 * KIB, KIB));
  await world.advance(20_000);
  assertEquals(world.ended, [{ id: 1, reason: "Slow Consumer (Pending Bytes)" }]);
  assertEquals(world.broker.statistics.connections, 0);
});

Deno.test("PINGs that are never read are bounded by max_pending", async () => {
  await using world = await MemoryBroker.start({ max_pending: 200_000, max_payload: 1000 });
  const client = await world.connect();
  client.stall();
  void client.send("PING\r\n".repeat(200_000));
  for (let i = 0; i < 200 && world.ended.length === 0; i++) await world.advance(100);
  assertEquals(world.ended[0]?.id, 1);
  assert(world.ended[0]?.reason.startsWith("Slow Consumer"));
});
