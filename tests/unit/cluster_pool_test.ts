import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import type { MemoryBroker } from "../support/memory_broker.ts";
import {
  type Fields,
  framesIn,
  infosIn,
  type RouteLink,
  RoutePeer,
  startClustered,
} from "../support/route_peer.ts";

/** How long a connection whose place is taken waits for the other to go; how old one is settled. */
const HOLD_MS = 2000, SETTLED_MS = 2000;
/** No server id is less, or greater. */
const LEAST = "A".repeat(56), GREATEST = "Z".repeat(56);

/** A broker that has dialled `peer`, with a client that is subscribed to foo. */
async function startDialling(poolSize: number, info: Fields = {}) {
  const world = await startClustered({
    pool_size: poolSize,
    routes: ["nats-route://memory:7001"],
  });
  const client = await world.connect();
  await world.exchange(client, "SUB foo 1\r\n");
  const peer = new RoutePeer(world, "SF", 7001, {
    ...(poolSize > 0 && { route_pool_size: poolSize }),
    ...info,
  }).listen();
  await world.advance(1);
  const { link, text } = await peer.welcome();
  return { world, client, peer, link, text };
}

/** Says CONNECT and INFO over a new connection of `peer`'s. */
async function contend(peer: RoutePeer, info: Fields = {}) {
  const link = await peer.dial();
  link.take();
  return { link, text: await link.join(info) };
}

/** The indices of the connections that there are, and who has dialled them. */
function slots(world: MemoryBroker): string[] {
  return (world.broker.routes()[0]?.routes ?? [])
    .map(({ slot, account, dialled }) => `${account ?? slot}${dialled ? " dialled" : ""}`)
    .sort();
}

/** Passes time with all of `links` answering PINGs. */
async function live(world: MemoryBroker, durationMs: number, ...links: RouteLink[]) {
  for (const endMs = world.clock.monotonic() + durationMs; world.clock.monotonic() < endMs;) {
    await world.advance(100);
    for (const link of links) link.send("PONG\r\n");
  }
  await world.settle();
}

for (const poolSize of [1, -1]) {
  Deno.test(`both have dialled, pool_size ${poolSize}: the second waits until nats-server closes the first`, async () => {
    const { world, peer, link } = await startDialling(poolSize);
    await using _ = world;
    using __ = peer;
    const second = await contend(peer);
    assertEquals(second.text, "", "nothing is said before it is clear");
    assert(!second.link.ended);
    assert(!link.ended);
    await world.advance(200);
    link.close();
    await world.settle();
    assertEquals(framesIn(second.link.take()), "RS+ $G foo\r\n");
    assertEquals(slots(world), ["0"]);
  });

  Deno.test(`both have dialled, pool_size ${poolSize}: what nats-server does not close stays`, async () => {
    const { world, peer, link } = await startDialling(poolSize);
    await using _ = world;
    using __ = peer;
    const second = await contend(peer);
    await world.advance(HOLD_MS - 1);
    assert(!second.link.ended);
    await world.advance(1);
    assertEquals([second.link.take(), second.link.ended], ["", true], "silently");
    assert(!link.ended);
    assertEquals(slots(world), ["0 dialled"]);
  });
}

Deno.test("both are denats and have dialled: what the lesser id has dialled stays, at once", async () => {
  for (const [id, isReplaced] of [[LEAST, true], [GREATEST, false]] as const) {
    const { world, peer, link } = await startDialling(1, { server_id: id, denats: "0.1.0" });
    await using _ = world;
    using __ = peer;
    const second = await contend(peer);
    assertEquals([link.ended, second.link.ended], [isReplaced, !isReplaced]);
    assertEquals(slots(world), [isReplaced ? "0" : "0 dialled"]);
    const stays = isReplaced ? second.text : link.take();
    assertEquals(framesIn(stays), isReplaced ? "RS+ $G foo\r\n" : "");
    // What is left works.
    const left = isReplaced ? second.link : link;
    await left.exchange("RS+ $G bar\r\n");
    assertEquals(world.broker.remoteInterest(id).length, 1);
  }
});

Deno.test("a peer that connects once more and does not answer has lost the old connection", async () => {
  const { world, peer, link, client } = await startDialling(1);
  await using _ = world;
  using __ = peer;
  await link.exchange("RS+ $G bar\r\n");
  await live(world, SETTLED_MS, link);
  link.take();
  const second = await contend(peer);
  assertEquals([second.text, link.take()], ["", "PING\r\n"], "it is asked");
  await world.advance(HOLD_MS - 1);
  assert(!link.ended);
  await world.advance(1);
  assertEquals([link.ended, second.link.ended], [true, false]);
  assertEquals(framesIn(second.link.take()), "RS+ $G foo\r\n");
  await second.link.exchange("RS+ $G bar\r\n");
  client.send("PUB bar 0\r\n\r\n");
  await world.settle();
  assertEquals(framesIn(second.link.take()), "RMSG $G bar 0\r\n\r\n");
  assertEquals(slots(world), ["0"]);
});

Deno.test("where the peer answers on the old connection, somebody else has taken its name", async () => {
  const { world, peer, link } = await startDialling(1);
  await using _ = world;
  using __ = peer;
  await live(world, SETTLED_MS, link);
  for (let i = 0; i < 5; i++) {
    const second = await contend(peer);
    await world.advance(300);
    assert(!second.link.ended);
    await link.exchange("PONG\r\n");
    assertEquals([link.ended, second.link.ended, second.link.take()], [false, true, ""]);
  }
  // Being asked so does not make it stale.
  await live(world, 5000, link);
  assert(!link.ended);
});

Deno.test("one that waits does not slip into the place of one that is replaced", async () => {
  const { world, peer, link, client } = await startDialling(1);
  await using _ = world;
  using __ = peer;
  await live(world, SETTLED_MS - 500, link);
  const waiting = await contend(peer);
  assertEquals(waiting.text, "");
  await live(world, 600, link);
  const third = await contend(peer);
  await world.advance(HOLD_MS);
  assertEquals([link.ended, waiting.link.ended, third.link.ended], [true, true, false]);
  const texts = [waiting.link.take(), third.link.take()].map(framesIn);
  assertEquals(texts, ["", "RS+ $G foo\r\n"]);
  assertEquals(slots(world), ["0"]);
  await third.link.exchange("RS+ $G bar\r\n");
  client.send("PUB bar 0\r\n\r\n");
  await world.settle();
  assertEquals(framesIn(third.link.take()), "RMSG $G bar 0\r\n\r\n");
});

Deno.test("replacing the only connection does not tell clients that the server was gone", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  using peer = new RoutePeer(world, "SF", 7001, { connect_urls: ["10.0.0.1:4222"] });
  const first = await peer.join();
  await live(world, SETTLED_MS, first);
  client.take();
  const { link } = await contend(peer);
  await world.advance(HOLD_MS);
  await live(world, 1000, link);
  assert(first.ended);
  assertEquals(client.take().replace("PING\r\n", ""), "");
  assert(!world.log.some((line) => line.includes("Route to SF lost")));
});

Deno.test("the pool has the size that the first connection has agreed on", async () => {
  await using world = await startClustered({ pool_size: 3 });
  using peer = new RoutePeer(world, "SF", 7001, { route_pool_size: 3, port: 0 });
  const first = await contend(peer);
  const second = await contend(peer, { route_pool_size: 10, route_pool_idx: 9 });
  assertEquals(second.text, "-ERR 'Invalid route pool index: 9 - pool size is 3'\r\n");
  first.link.close();
  await world.advance(100);
  assertEquals(world.broker.routes(), []);
});

Deno.test("the broker can close while a connection waits for a place", async () => {
  const { world, peer } = await startDialling(1);
  using _ = peer;
  const second = await contend(peer);
  assert(!second.link.ended);
  await world[Symbol.asyncDispose]();
  assert(second.link.ended);
  assertEquals(world.clock.pendingTimers, 0);
});

Deno.test("a connection that waits for a place may hang up meanwhile", async () => {
  const { world, peer, link } = await startDialling(1);
  await using _ = world;
  using __ = peer;
  const second = await contend(peer);
  second.link.close();
  await world.settle();
  link.close();
  await world.advance(1500);
  // Neither is left: the configured route is dialled again.
  await peer.welcome();
  assertEquals(slots(world), ["0 dialled"]);
});

Deno.test("two connections that the same side has dialled at once: the first stays", async () => {
  for (const poolSize of [1, -1]) {
    await using world = await startClustered({ pool_size: poolSize });
    using peer = new RoutePeer(world, "SF", 7001, poolSize > 0 ? { route_pool_size: 1 } : {});
    const first = await contend(peer), second = await contend(peer);
    assertEquals([first.link.ended, second.link.ended], [false, true]);
    assertEquals(framesIn(second.text), "");
  }
});

Deno.test("one dedicated connection for each account", async () => {
  await using world = await startClustered({ pool_size: 1 });
  using peer = new RoutePeer(world, "SF", 7001, { route_pool_size: 1 });
  await contend(peer);
  const first = await contend(peer, { route_account: "$SYS" });
  const second = await contend(peer, { route_account: "$SYS" });
  assertEquals([first.link.ended, second.link.ended], [false, true]);
  assertEquals(slots(world), ["$SYS", "0"]);
});

Deno.test("a pool is filled from both sides", async () => {
  const { world, peer, link } = await startDialling(3);
  await using _ = world;
  using __ = peer;
  const second = await contend(peer, { route_pool_idx: 1 });
  assert(!second.link.ended);
  await link.exchange("PONG\r\n");
  await world.advance(300);
  const infos = [];
  while (peer.accepted.length > 0) {
    const third = await peer.welcome();
    infos.push(infosIn(third.text)[0]!);
    third.link.send("PONG\r\n");
    await world.advance(300);
  }
  assertEquals(infos.map((info) => `${info.route_account ?? info.route_pool_idx}`).sort(), [
    "$SYS",
    "2",
  ]);
  assertEquals(slots(world), ["$SYS dialled", "0 dialled", "1", "2 dialled"]);
});

Deno.test("a lost connection of a pool is dialled again alone, and the rest stays as it is", async () => {
  const { world, peer, link, client } = await startDialling(3);
  await using _ = world;
  using __ = peer;
  const links = [link];
  await link.exchange("PONG\r\n");
  for (let i = 0; i < 8; i++) {
    await live(world, 200, ...links);
    while (peer.accepted.length > 0) links.push((await peer.welcome()).link);
  }
  assertEquals(slots(world).length, 4);
  // What the peer announces may be on any.
  await link.exchange("RS+ $G bar\r\n");
  const lost = links.find((each) => each !== link && !each.ended)!;
  lost.close();
  await live(world, 100, ...links);
  client.send("PUB bar 0\r\n\r\n");
  await world.settle();
  assertEquals(framesIn(link.take()), "RMSG $G bar 0\r\n\r\n", "the rest works");
  const startMs = world.clock.monotonic();
  while (peer.accepted.length === 0) {
    await live(world, 100, ...links);
    assertLess(world.clock.monotonic() - startMs, 1500);
  }
  const again = await peer.welcome();
  again.link.send("PONG\r\n");
  await live(world, 3000, ...links, again.link);
  assertEquals(peer.accepted.length, 0, "one alone");
  assertEquals(slots(world).length, 4);
  assertEquals(world.broker.remoteInterest(peer.id).map(({ subject }) => subject), ["bar"]);
});

Deno.test("pools of different sizes: the larger one counts", async () => {
  for (const [here, there, size] of [[3, 5, 5], [3, 1, 3], [1, 2, 2]] as const) {
    const { world, peer, link } = await startDialling(here, { route_pool_size: there });
    await using _ = world;
    using __ = peer;
    const links = [link];
    for (let i = 0; i < 10; i++) {
      await live(world, 300, ...links);
      while (peer.accepted.length > 0) links.push((await peer.welcome()).link);
    }
    assertEquals(slots(world).length, size + 1, `${here} and ${there}`);
    assertEquals(world.broker.routes()[0]!.poolSize, size);
  }
});

Deno.test("2.10 and a pool of another size: refused by whoever has dialled, too", async () => {
  const { world, peer, text, link } = await startDialling(3, {
    route_pool_size: 1,
    version: "2.10.27",
  });
  await using _ = world;
  using __ = peer;
  assertEquals(framesIn(text), "-ERR 'Mismatch route pool size: 3 vs 1'\r\n");
  assert(link.ended);
  // It may be configured otherwise one day.
  await world.advance(2000);
  assertGreater(peer.accepted.length, 0);
});

Deno.test("2.10 and a pool of the same size is taken", async () => {
  const { world, peer, text } = await startDialling(3, { version: "2.10.27" });
  await using _ = world;
  using __ = peer;
  assertEquals(infosIn(text).length, 1);
});

Deno.test("a peer without a pool has one connection, for all accounts", async () => {
  const { world, peer, text, link } = await startDialling(3, { route_pool_size: undefined });
  await using _ = world;
  using __ = peer;
  assert(text.endsWith("RS+ $G foo\r\n"), text);
  await live(world, 5000, link);
  assertEquals(peer.accepted.length, 0);
  const second = await contend(peer);
  await live(world, 100, link);
  assertEquals([link.ended, second.link.ended], [false, true], "never two");
  assertEquals(slots(world).length, 1);
});

Deno.test("what a peer leaves to this side for long is dialled by it", async () => {
  await using world = await startClustered({ pool_size: 2 });
  using peer = new RoutePeer(world, "SF", 7001, { route_pool_size: 2 }).listen();
  const { link } = await contend(peer);
  await live(world, 2900, link);
  assertEquals(peer.accepted.length, 0, "it is the turn of whoever has dialled");
  await live(world, 2500, link);
  assertGreater(peer.accepted.length, 0);
});

Deno.test("a peer that closes what it has just accepted is not dialled again and again", async () => {
  const { world, peer, link } = await startDialling(3);
  await using _ = world;
  using __ = peer;
  await link.exchange("PONG\r\n");
  const dialsIn = async (durationMs: number) => {
    const before = world.broker.statistics.routeDials;
    for (let ms = 0; ms < durationMs; ms += 10) {
      await world.advance(10);
      link.pong();
      // As one does that has another connection for the place.
      while (peer.accepted.length > 0) (await peer.welcome()).link.close();
      await world.settle();
    }
    return world.broker.statistics.routeDials - before;
  };
  // One of the pool and that of $SYS at a time.
  assertLess(await dialsIn(1000), 20);
  const later = await dialsIn(10_000);
  assertLess(later, 25);
  assertGreater(later, 10, "for ever");
});

Deno.test("the pool is dialled where the first of it was, whatever the peer tells others", async () => {
  const { world, peer, link } = await startDialling(3, { ip: "nats-route://elsewhere:9/" });
  await using _ = world;
  using __ = peer;
  await link.exchange("PONG\r\n");
  await world.advance(300);
  assertGreater(peer.accepted.length, 0);
});

Deno.test("a peer without a pool that finds out that it has two keeps the first", async () => {
  const { world, peer, link } = await startDialling(-1);
  await using _ = world;
  using __ = peer;
  await live(world, SETTLED_MS, link);
  // Its INFO is under way before it has read the broker's, which shows that the two know each other.
  const second = await contend(peer);
  second.link.close();
  await live(world, HOLD_MS, link);
  assertEquals([link.ended, slots(world)], [false, ["0 dialled"]]);
});
