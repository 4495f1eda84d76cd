import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { SeededRandom } from "../../src/platform/mod.ts";
import { Keepalive } from "../../src/client/mod.ts";
import { connectFrame, MemoryBroker, type MemoryClient } from "../support/memory_broker.ts";

/** How often the broker looks at deadlines: nothing is later than that. */
const LOOK_MS = 100;

/** Lets time pass until `client` has received something, and takes it with the time it took. */
async function nextReceived(
  world: MemoryBroker,
  client: MemoryClient,
  limitMs: number,
): Promise<{ text: string; afterMs: number }> {
  const startMs = world.clock.monotonic();
  for (;;) {
    const afterMs = world.clock.monotonic() - startMs, text = client.take();
    if (text !== "" || afterMs >= limitMs) return { text, afterMs };
    await world.advance(10);
  }
}

Deno.test("the first PING comes 2 s after CONNECT plus up to a fifth, not always at once", async () => {
  await using world = await MemoryBroker.start();
  const delays = new Set<number>();
  for (let i = 0; i < 12; i++) {
    await world.advance(37);
    const client = await world.connect();
    const { text, afterMs } = await nextReceived(world, client, 3000);
    assertEquals(text, "PING\r\n");
    assertGreaterOrEqual(afterMs, 2000);
    assertLessOrEqual(afterMs, 2400 + LOOK_MS);
    delays.add(Math.floor(afterMs / LOOK_MS));
    client.close();
  }
  assertGreaterOrEqual(delays.size, 3, "spread, so that many clients are not pinged together");
});

Deno.test("a shorter ping_interval shortens the first PING too", async () => {
  await using world = await MemoryBroker.start({ ping_interval: "500ms" });
  const client = await world.connect();
  const { text, afterMs } = await nextReceived(world, client, 3000);
  assertEquals(text, "PING\r\n");
  assertGreaterOrEqual(afterMs, 500);
  assertLessOrEqual(afterMs, 600 + LOOK_MS);
});

Deno.test("without CONNECT the first PING takes the whole interval", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connectSilently();
  const { text, afterMs } = await nextReceived(world, client, 130_000);
  assertEquals(text, "PING\r\n");
  assertGreaterOrEqual(afterMs, 120_000);
  assertLessOrEqual(afterMs, 120_000 + LOOK_MS);
});

Deno.test("two PINGs unanswered, then -ERR 'Stale Connection' and the end", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  const first = await nextReceived(world, client, 3000);
  const second = await nextReceived(world, client, 130_000);
  const third = await nextReceived(world, client, 130_000);
  assertEquals(
    [first.text, second.text, third.text],
    ["PING\r\n", "PING\r\n", "-ERR 'Stale Connection'\r\n"],
  );
  for (const { afterMs } of [second, third]) {
    assertGreaterOrEqual(afterMs, 120_000 - LOOK_MS);
    assertLessOrEqual(afterMs, 120_000 + LOOK_MS);
  }
  assert(client.ended);
  // The peer does not close its side either: it is given up on after a while.
  await world.advance(1000);
  assertEquals(world.ended, [{ id: 1, reason: "Stale Connection" }]);
  assertEquals(world.broker.statistics.staleConnections, 1);
  assertEquals(world.broker.statistics.connections, 0);
});

Deno.test("ping_max tells how many PINGs may be unanswered", async () => {
  await using world = await MemoryBroker.start({ ping_interval: "1s", ping_max: 4 });
  const client = await world.connect();
  await world.advance(7000);
  assertEquals(client.take(), "PING\r\n".repeat(4) + "-ERR 'Stale Connection'\r\n");
});

Deno.test("a peer that does not even take its goodbye is let go of", async () => {
  await using world = await MemoryBroker.start({ ping_interval: "1s" });
  const client = await world.connect();
  client.connection.stall();
  await world.advance(4000 + 4000);
  assertEquals(world.broker.statistics.connections, 0);
  assertEquals(world.broker.statistics.staleConnections, 1);
});

Deno.test("any PONG answers all PINGs, and a client that answers stays for ever", async () => {
  await using world = await MemoryBroker.start({ ping_interval: "1s" });
  const client = await world.connect();
  await world.advance(1300);
  await world.exchange(client, "PONG\r\n");
  for (let round = 0; round < 20; round++) {
    await world.advance(2000);
    const pings = client.take().split("\r\n").length - 1;
    assertGreaterOrEqual(pings, 2, `round ${round}`);
    await world.exchange(client, "PONG\r\n");
  }
  assertEquals(world.ended, []);
});

/** What a client may do instead of being pinged. */
const ACTIVITIES = {
  "messages": "PUB a 0\r\n\r\n",
  "messages with headers": "HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n",
  "subscriptions": "SUB a 1\r\n",
  "unsubscriptions": "UNSUB 1\r\n",
  "PINGs": "PING\r\n",
};

for (const [name, command] of Object.entries(ACTIVITIES)) {
  Deno.test(`${name} save a client from all PINGs but the first`, async () => {
    await using world = await MemoryBroker.start({ ping_interval: "10s" });
    const client = await world.connect();
    let received = "";
    const live = async (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        received += await world.exchange(client, command);
        await world.advance(1000);
        received += client.take();
      }
      const pings = received.split("\r\n").filter((line) => line === "PING").length;
      received = "";
      return pings;
    };
    assertEquals(await live(5), 1, "the first, although it is active");
    assertEquals(await live(60), 0, "answered or not");
    await world.exchange(client, "PONG\r\n");
    assertEquals(await live(60), 0);
    await world.advance(20_500);
    assertEquals(client.take().split("\r\n").includes("PING"), true, "quiet again");
  });
}

Deno.test("PONGs alone do not make a client active", async () => {
  await using world = await MemoryBroker.start({ ping_interval: "10s" });
  const client = await world.connect();
  let pings = 0;
  for (let second = 0; second < 60; second++) {
    if ((await world.exchange(client, "PONG\r\n")).includes("PING")) pings++;
    await world.advance(1000);
    if (client.take().includes("PING")) pings++;
  }
  assertGreaterOrEqual(pings, 5);
});

Deno.test("an hour after the last PING even an active client is pinged", async () => {
  await using world = await MemoryBroker.start({ ping_interval: "1m" });
  const client = await world.connect();
  await world.advance(3000);
  assertEquals(await world.exchange(client, "PONG\r\n"), "PING\r\n");
  let received = "";
  for (let minute = 0; minute < 58; minute++) {
    await world.exchange(client, "SUB a 1\r\n");
    await world.advance(60_000);
    received += client.take();
  }
  assertEquals(received, "");
  for (let minute = 0; minute < 4; minute++) {
    await world.exchange(client, "SUB a 1\r\n");
    await world.advance(60_000);
    received += client.take();
  }
  assertEquals(received.startsWith("PING\r\n"), true);
});

Deno.test("where credentials are required, CONNECT must come in time", async () => {
  await using world = await MemoryBroker.start({ authorization: { token: "secret" } });
  const client = await world.connectSilently();
  await world.advance(1900);
  assertEquals(client.take(), "");
  assert(!client.ended);
  await world.advance(100 + LOOK_MS);
  assertEquals(client.take(), "-ERR 'Authentication Timeout'\r\n");
  assert(client.ended);
  client.close();
  await world.settle();
  assertEquals(world.ended, [{ id: 1, reason: "Authentication Timeout" }]);
});

Deno.test("half a CONNECT does not stop the authentication timeout, a whole one does", async () => {
  await using world = await MemoryBroker.start({
    authorization: { token: "secret", timeout: "500ms" },
  });
  const slow = await world.connectSilently(), good = await world.connectSilently();
  await world.exchange(slow, `CONNECT {"auth_token":"sec`);
  await world.exchange(good, connectFrame({ auth_token: "secret" }));
  await world.advance(600);
  assertEquals(slow.take(), "-ERR 'Authentication Timeout'\r\n");
  assertEquals(good.take(), "");
  assertEquals(await world.exchange(good, "SUB a 1\r\nPUB a 0\r\n\r\n"), "MSG a 1 0\r\n\r\n");
});

Deno.test("where none are required, nobody is timed out for saying nothing", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connectSilently();
  await world.advance(60_000);
  assertEquals(client.take(), "");
  assert(!client.ended);
});

Deno.test("the round trip: roughly from accept to CONNECT, exactly from PING to PONG", () => {
  const keepalive = new Keepalive();
  keepalive.connected(1000, 1040);
  assertEquals(keepalive.rttMs, 40);
  keepalive.ponged(1050);
  assertEquals(keepalive.rttMs, 40, "a PONG that nothing was asked for measures nothing");
  keepalive.pinged(3000);
  keepalive.ponged(3007);
  assertEquals(keepalive.rttMs, 7);
});

Deno.test("a decision to PING, to wait or to give up", () => {
  const keepalive = new Keepalive();
  keepalive.connected(0, 0);
  keepalive.activeAtMs = 5000;
  assertEquals(keepalive.decide(5001, 10_000, 2), "ping", "never tried");
  keepalive.pinged(5001);
  keepalive.ponged(5002);
  assertEquals(keepalive.decide(14_999, 10_000, 2), "skip");
  assertEquals(keepalive.decide(15_000, 10_000, 2), "ping");
  keepalive.pinged(15_000);
  assertEquals(keepalive.decide(25_000, 10_000, 2), "ping");
  keepalive.pinged(25_000);
  assertEquals(keepalive.decide(35_000, 10_000, 2), "stale");
  keepalive.ponged(35_001);
  assertEquals(keepalive.decide(45_000, 10_000, 2), "ping");
});

Deno.test("the delay of the first PING is between its bounds and uses all of them", () => {
  const random = new SeededRandom(5), keepalive = new Keepalive();
  for (const [intervalMs, leastMs] of [[120_000, 2000], [2000, 2000], [1000, 1000]] as const) {
    const delays = Array.from({ length: 500 }, () => keepalive.firstDelayMs(intervalMs, random));
    assertGreaterOrEqual(Math.min(...delays), leastMs);
    assertLessOrEqual(Math.max(...delays), leastMs * 1.2);
    assertLessOrEqual(Math.min(...delays), leastMs * 1.01);
    assertGreaterOrEqual(Math.max(...delays), leastMs * 1.19);
  }
});

Deno.test("a client that is busy is pinged once although it never answers, and goes stale when it is quiet", async () => {
  await using world = await MemoryBroker.start({ ping_interval: "1s", ping_max: 2 });
  const client = await world.connect();
  let received = "";
  for (let ms = 0; ms < 10_000; ms += 300) {
    client.send("PUB x 0\r\n\r\n");
    await world.advance(300);
    received += client.take();
  }
  assertEquals(received, "PING\r\n");
  await world.advance(3000);
  assertEquals(client.take(), "PING\r\n-ERR 'Stale Connection'\r\n");
});
