import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { SeededRandom } from "../../src/platform/mod.ts";
import { MemoryBroker } from "../support/memory_broker.ts";
import { ResolvingTransport } from "../support/resolving_transport.ts";
import {
  clustered,
  framesIn,
  infosIn,
  type RouteLink,
  RoutePeer,
  startClustered,
} from "../support/route_peer.ts";
import { checksum, chunk, concat, IDENTIFIER, varint } from "../support/s2_frames.ts";
import { toBytes } from "../support/wire_text.ts";

/** Longer than the broker waits for a peer at fault to hang up. */
const LINGER_MS = 1000;

/** Two clients and a good peer see that the broker serves them. */
async function assertServed(world: MemoryBroker): Promise<void> {
  const client = await world.connect();
  using good = new RoutePeer(world, "GOOD", 7999, { gossip_mode: 1 });
  const link = await good.join({ port: 0 });
  await world.exchange(client, "SUB served 1\r\n");
  await link.exchange("RS+ $G served\r\n");
  client.send("PUB served 2\r\nhi\r\n");
  await world.settle();
  assertEquals(client.take(), "MSG served 1 2\r\nhi\r\n");
  assert(link.take().endsWith("RMSG $G served 2\r\nhi\r\n"));
  await link.exchange("RMSG $G served 2\r\nho\r\n");
  assertEquals(client.take(), "MSG served 1 2\r\nho\r\n");
  client.close();
}

/** Everything of every route is released. */
async function assertReleased(world: MemoryBroker): Promise<void> {
  await world.advance(LINGER_MS);
  const tasks = JSON.stringify(world.broker.tasks());
  assert(!tasks.includes("route:"), tasks);
  assertEquals(world.broker.statistics.panics, 0);
}

/** What a peer may say at once, instead of what it should. */
const GARBAGE: readonly (readonly [what: string, said: string])[] = [
  ["zeros", "\0".repeat(10_000)],
  ["HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
  ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  ["a verb that begins like CONNECT", "CONJURE {}\r\n"],
  ["CONNECT without JSON", "CONNECT\r\n"],
  ["CONNECT with an array", "CONNECT []\r\n"],
  ["CONNECT with fields of other kinds", `CONNECT {"name":1,"cluster":true}\r\n`],
  ["CONNECT without an end", `CONNECT {"name":"${"x".repeat(70_000)}`],
  ["a client", `CONNECT {"verbose":false,"lang":"go","version":"1"}\r\nPING\r\n`],
];

for (const [what, said] of GARBAGE) {
  Deno.test(`garbage ends the connection: ${what}`, async () => {
    await using world = await startClustered();
    using peer = new RoutePeer(world);
    const link = await peer.dial();
    link.send(said);
    await world.settle();
    assert(link.ended);
    await assertReleased(world);
    await assertServed(world);
  });
}

Deno.test("someone else's id: the place is taken, and the other goes on", async () => {
  await using world = await startClustered();
  using victim = new RoutePeer(world, "S1", 7001), thief = new RoutePeer(world, "S2", 7002);
  const a = await victim.join({ port: 0 });
  await a.exchange("RS+ $G foo\r\n");
  const b = await thief.dial();
  b.take();
  assertEquals(await b.join({ server_id: victim.id, port: 0 }), "");
  assertEquals([a.ended, b.ended], [false, true]);
  const client = await world.connect();
  client.send("PUB foo 0\r\n\r\n");
  await world.settle();
  assertEquals(framesIn(a.take()), "RMSG $G foo 0\r\n\r\n");
});

Deno.test("the id must not change in the handshake", async () => {
  await using world = await startClustered({ compression: "accept" });
  using peer = new RoutePeer(world);
  const link = await peer.dial();
  link.sendRaw(peer.connectLine() + peer.infoLine({ compression: "s2_fast" }));
  await world.settle();
  link.takeBytes();
  link.compress();
  link.send(peer.infoLine({ compression: "s2_fast", server_id: "N".padEnd(56, "Z") }));
  await world.settle();
  assert(link.ended);
  assertEquals(world.broker.routes(), []);
});

Deno.test("a message that is too large ends the connection before it is there", async () => {
  for (const line of ["RMSG $G foo 99999999\r\n", "HMSG $G foo 12 999999999\r\n"]) {
    await using world = await startClustered();
    using peer = new RoutePeer(world);
    const link = await peer.join({ port: 0 });
    assertEquals(await link.exchange(line), "-ERR 'Maximum Payload Violation'\r\n");
    assert(link.ended);
    await assertReleased(world);
  }
});

Deno.test("512 who say nothing keep nobody else for longer than a handshake may take", async () => {
  await using world = await startClustered({ ping_interval: "1s", ping_max: 1 });
  const client = await world.connect();
  using peer = new RoutePeer(world),
    links: RouteLink[] & Disposable = Object.assign([], {
      [Symbol.dispose]() {},
    });
  for (let i = 0; i < 512; i++) links.push(await peer.dial());
  assert(links.every((link) => !link.ended && infosIn(link.take()).length === 1));
  const more = await peer.dial();
  assertEquals(more.take(), "-ERR 'maximum connections exceeded'\r\n");
  await world.exchange(client, "SUB foo 1\r\n");
  assertEquals(await world.exchange(client, "PUB foo 0\r\n\r\n"), "MSG foo 1 0\r\n\r\n");
  await world.advance(2100);
  assert(links.every((link) => link.ended && link.take() === "-ERR 'Stale Connection'\r\n"));
  await assertReleased(world);
  await assertServed(world);
  assertEquals(world.broker.statistics.staleConnections, 512);
});

Deno.test("weights as large as can be do not stop the draw", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  await world.exchange(client, "SUB work q 1\r\nSUB work q 2\r\n");
  using one = new RoutePeer(world, "S1", 7001), two = new RoutePeer(world, "S2", 7002);
  const [a, b] = [await one.join(), await two.join()];
  for (const link of [a, b]) await link.exchange("RS+ $G work q 99999999999\r\n");
  client.send("PUB work 0\r\n\r\n".repeat(400));
  await world.settle();
  const [atA, atB] = [a, b].map((link) => link.take().split("RMSG $G work | q 0").length - 1);
  assertEquals(atA! + atB!, 400);
  assertGreater(Math.min(atA!, atB!), 120);
  // The same among those on leaf nodes, and where a message goes on to another server.
  for (const link of [a, b]) {
    await link.exchange(
      "RS- $G work q\r\nLS+ LEAF1 $G leaf q 2147483647\r\nLS+ LEAF2 $G leaf q 2147483647\r\n",
    );
  }
  client.send("PUB leaf 0\r\n\r\n".repeat(50));
  await world.settle();
  assertEquals((a.take() + b.take()).split("RMSG").length - 1, 50);
});

Deno.test("a group that a list names twice gets the message once", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  await world.exchange(client, "SUB work q 1\r\n");
  using one = new RoutePeer(world, "S1", 7001), two = new RoutePeer(world, "S2", 7002);
  const [a, b] = [await one.join(), await two.join()];
  await b.exchange("RS+ $G work p 1\r\n");
  await a.exchange("RMSG $G work | q p q p p 1\r\nx\r\nRMSG  $G work | q q 1\r\nx\r\n");
  assertEquals(client.take(), "MSG work 1 1\r\nx\r\nMSG work 1 1\r\nx\r\n");
  assertEquals(framesIn(b.take()), "RMSG $G work | p 1\r\nx\r\n");
});

Deno.test("a pool of absurd size is refused", async () => {
  for (const size of [257, 1_000_000_000, Number.MAX_SAFE_INTEGER]) {
    await using world = await startClustered({ pool_size: 3 });
    using peer = new RoutePeer(world);
    const link = await peer.dial();
    link.take();
    assertEquals(await link.join({ route_pool_size: size }), "");
    assert(link.ended);
    assert(world.log.some((line) => line.includes(`${size}`)), "the log says why");
    await assertReleased(world);
    await assertServed(world);
  }
});

Deno.test("a port that is none is not dialled", async () => {
  for (const port of [-5, 0, 65_536, 9_007_199_254_740_991]) {
    const network = new ResolvingTransport();
    await using world = await MemoryBroker.start(
      clustered({ pool_size: 3 }),
      new SeededRandom(1),
      network,
    );
    using peer = new RoutePeer(world, "SF", 7001, { route_pool_size: 3 });
    const link = await peer.join({ port });
    for (let i = 0; i < 20; i++) {
      link.send("PONG\r\n");
      await world.advance(1000);
    }
    link.close();
    await world.advance(20_000);
    assertEquals(network.dialled.filter((address) => !address.endsWith(":6222")), [], `${port}`);
    assertEquals(world.broker.statistics.panics, 0);
  }
});

Deno.test("names with line ends make no lines in the log", async () => {
  await using world = await startClustered();
  using peer = new RoutePeer(world, "SF", 7001);
  const link = await peer.join({ server_name: "x\r\n[ERR] fake\x1b[31m", version: "1\n2" });
  await link.exchange(peer.infoLine({ ldm: true, server_name: "y\n[ERR] fake" }));
  link.send("-ERR 'a\x1b[2Jb'\r\n");
  await world.settle();
  for (const line of world.log) assert(!/[\n\r\x1b]/.test(line), JSON.stringify(line));
});

Deno.test("a flood of INFO does not become a flood of interest", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  for (let i = 0; i < 500; i++) client.send(`SUB s.${i} ${i}\r\n`);
  await world.settle();
  using peer = new RoutePeer(world);
  const link = await peer.join();
  let text = "", tasks = 0;
  for (let i = 0; i < 40; i++) {
    let flood = "";
    for (let k = 0; k < 50; k++) flood += peer.infoLine({ export: { deny: [`x${i}.${k}`] } });
    link.send(flood);
    await world.settle();
    tasks = Math.max(tasks, JSON.stringify(world.broker.tasks()).split("interest $G").length);
    text += link.take();
  }
  await world.advance(500);
  text += link.take();
  assertLessOrEqual(tasks, 3, "one at a time");
  const told = text.split("RS+ ").length - 1;
  assertGreater(told, 499, "it is told again");
  assertLess(told, 500 * 200, `but not once for each INFO: ${told}`);
  assert(!link.ended);
  await assertServed(world);
});

Deno.test("a flood of connect_urls reaches clients ten times a second at most", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  using peer = new RoutePeer(world);
  const link = await peer.join();
  for (let i = 0; i < 1000; i++) {
    link.send(peer.infoLine({ connect_urls: [`10.0.0.1:${i}`] }));
    await world.advance(1);
  }
  await world.advance(200);
  const infos = infosIn(client.take());
  assertLessOrEqual(infos.length, 13);
  assertEquals(infos.at(-1)!.connect_urls!.at(-1), "10.0.0.1:999");
});

Deno.test("thousands of made-up servers: dialling stays bounded, and real ones are found", async () => {
  for (const isSilent of [true, false]) {
    const network = new ResolvingTransport();
    await using world = await MemoryBroker.start(clustered(), new SeededRandom(1), network);
    using liar = new RoutePeer(world, "S1", 7001), honest = new RoutePeer(world, "S3", 7003);
    const link = await liar.join({ port: 0 }), honestLink = await honest.join({ port: 0 });
    network.dialled.length = 0;
    let flood = "";
    for (let i = 0; i < 5000; i++) {
      const host = `10.1.${i >> 8}.${i & 255}`;
      if (isSilent) network.silent.add(host);
      flood += liar.infoLine({
        server_id: `N${i}`.padEnd(56, "Q"),
        ip: `nats-route://${host}:6222/`,
        host,
        port: 6222,
      });
    }
    const startMs = world.clock.monotonic();
    link.send(flood);
    await world.advance(1000);
    const inASecond = network.dialled.length;
    assertLessOrEqual(network.mostWaiting, 64, "so many at a time");
    assertLessOrEqual(inASecond, 1024, "so many in all");
    // A real one that somebody else tells of is dialled soon.
    using real = new RoutePeer(world, "S2", 7002).listen();
    honestLink.send(real.infoLine({ ip: "nats-route://memory:7002/" }));
    while (real.accepted.length === 0) {
      await world.advance(100);
      assertLess(world.clock.monotonic() - startMs, 6000);
    }
    for (let i = 0; i < 60; i++) {
      await world.advance(1000);
      for (const each of [link, honestLink]) each.send("PONG\r\n");
    }
    const before = network.dialled.length;
    await world.advance(1000);
    assertLessOrEqual(network.dialled.length - before, 2, "and then there is peace");
    assert(!link.ended);
    assertEquals(world.broker.statistics.panics, 0);
  }
});

Deno.test("the same made-up address over and over is not dialled over and over", async () => {
  const network = new ResolvingTransport();
  await using world = await MemoryBroker.start(clustered(), new SeededRandom(1), network);
  using liar = new RoutePeer(world, "S1", 7001);
  const link = await liar.join({ port: 0 });
  network.dialled.length = 0;
  for (let i = 0; i < 1000; i++) {
    link.send(liar.infoLine({
      server_id: `N${i}`.padEnd(56, "Q"),
      ip: `nats-route://10.1.1.${i % 3}:6222/`,
      port: 6222,
    }));
    await world.advance(2);
  }
  assertLessOrEqual(network.dialled.length, 60);
});

Deno.test("a peer that never reads is closed, and publishers get on", async () => {
  await using world = await startClustered({ write_deadline: "10s" });
  const client = await world.connect(), other = await world.connect();
  await world.exchange(other, "SUB foo 1\r\n");
  using peer = new RoutePeer(world);
  const link = await peer.join({ port: 0 });
  await link.exchange("RS+ $G foo\r\n");
  link.stall();
  const payload = "x".repeat(100_000), frame = `PUB foo ${payload.length}\r\n${payload}\r\n`;
  let mostPending = 0, published = 0;
  for (let i = 0; i < 400; i++) {
    client.send(frame.repeat(10));
    published += 10;
    await world.advance(100);
    mostPending = Math.max(mostPending, world.broker.routes()[0]?.routes[0]?.pendingBytes ?? 0);
    other.take();
    if (world.broker.routes().length === 0) break;
  }
  assertEquals(world.broker.routes().length, 0);
  assertEquals(world.broker.statistics.slowConsumers, 1);
  assertLess(mostPending, 70_000_000);
  await world.advance(10_000);
  assertEquals(client.unsentBytes, 0);
  const received = other.receivedBytes;
  assertGreater(received, published * payload.length, "the others got all of it");
  await assertServed(world);
});

Deno.test("a peer that only asks and never reads is closed as well", async () => {
  for (const verbose of [false, true]) {
    await using world = await startClustered({ write_deadline: "2s" });
    using peer = new RoutePeer(world);
    const link = await peer.join({ port: 0 }, { verbose });
    link.stall();
    const asked = (verbose ? "RS+ $G foo\r\n" : "PING\r\n").repeat(10_000);
    let mostPending = 0;
    for (let i = 0; i < 300 && world.broker.routes().length > 0; i++) {
      if (link.unsentBytes < 1_000_000) link.send(asked);
      await world.advance(50);
      mostPending = Math.max(mostPending, world.broker.routes()[0]?.routes[0]?.pendingBytes ?? 0);
    }
    assertEquals(world.broker.routes().length, 0);
    assertLess(mostPending, 70_000_000);
    link.resume();
    link.close();
    await world.advance(10_000);
    await assertReleased(world);
  }
});

/** A chunk of some bytes that decodes to 4 MiB of `unit`, which has a power of 2 of bytes. */
function bomb(unit: string): Uint8Array {
  const size = 4 << 20, decoded = toBytes(unit.repeat(size / unit.length));
  const literal = concat([(unit.length - 1) << 2], toBytes(unit));
  const copies: Uint8Array[] = [];
  // A copy with an offset of two bytes, then the repeats of it: up to 16 MiB each.
  copies.push(Uint8Array.of((3 << 2) | 2, unit.length, 0));
  const left = size - unit.length - 4, extra = left - 65_540;
  copies.push(Uint8Array.of((7 << 2) | 1, 0, extra & 255, (extra >> 8) & 255, extra >> 16));
  return chunk(0, concat(checksum(decoded), varint(size), literal, ...copies));
}

Deno.test("an S2 bomb costs time, not memory, and is over when the line is too long", async () => {
  for (
    const [unit, closed] of [["xxxxxxxx", "Unknown Protocol Operation"], ["PING    ", ""]] as const
  ) {
    await using world = await startClustered({ compression: "accept" });
    using peer = new RoutePeer(world);
    const link = await peer.dial();
    const info = peer.infoLine({ compression: "s2_fast", port: 0 });
    link.sendRaw(peer.connectLine() + info);
    await world.settle();
    link.takeBytes();
    link.compress();
    link.send(info);
    await world.settle();
    link.take();
    const chunkBytes = bomb(unit);
    assertLess(chunkBytes.length, 64);
    for (let i = 0; i < 8; i++) {
      link.sendRaw(concat(IDENTIFIER, chunkBytes));
      await world.advance(10);
    }
    if (closed !== "") assert(link.take().includes(closed));
    assertEquals(link.ended, closed !== "");
    await assertServed(world);
  }
});
