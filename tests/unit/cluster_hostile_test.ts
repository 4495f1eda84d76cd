import { assert, assertEquals, assertGreater } from "@std/assert";
import { SeededRandom } from "../../src/platform/mod.ts";
import { assertReleased, assertServed } from "../support/cluster_bystanders.ts";
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
import { toBytes } from "../support/wire_text.ts";

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
  // Later it is asked first.
  await world.advance(3000);
  a.pong();
  const c = await thief.dial();
  c.take();
  assertEquals(await c.join({ server_id: victim.id, port: 0 }), "");
  a.pong();
  await world.settle();
  assertEquals([a.ended, c.ended], [false, true]);
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

Deno.test("of 512 who say nothing the oldest makes room for somebody new", async () => {
  await using world = await startClustered();
  using peer = new RoutePeer(world);
  const first = await peer.dial();
  for (let i = 1; i < 512; i++) await peer.dial();
  await world.advance(1900);
  assertEquals((await peer.dial()).take(), "-ERR 'maximum connections exceeded'\r\n");
  await world.advance(100);
  await assertServed(world);
  assert(first.ended);
  assert(first.take().endsWith("-ERR 'maximum connections exceeded'\r\n"));
  // One alone had to go, and none goes for one that is refused itself.
  assertEquals(world.log.filter((line) => line.includes("maximum connections")).length, 1);
});

Deno.test("those that this server has dialled in vain leave room for those who come", async () => {
  const network = new ResolvingTransport();
  using deaf = new RoutePeer({ transport: network, settle: () => Promise.resolve() }, "DEAF", 7001)
    .listen("0.0.0.0");
  const routes = Array.from(
    { length: 600 },
    (_, i) => `nats-route://10.0.${i >> 8}.${i & 255}:7001`,
  );
  await using world = await MemoryBroker.start(
    clustered({ routes }),
    new SeededRandom(1),
    network,
  );
  await world.advance(100);
  assertEquals(deaf.accepted.length, 600);
  await assertServed(world);
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
    assertEquals(
      await link.join({ route_pool_size: size }),
      `-ERR 'Route pool size ${size} is larger than 256'\r\n`,
    );
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

Deno.test("frames that are damaged anywhere harm nobody else", async () => {
  await using world = await startClustered({ pool_size: 2 });
  const client = await world.connect(), random = new SeededRandom(11);
  await world.exchange(client, "SUB > 1\r\nSUB work q 2\r\nSUB a.* 3\r\n");
  const peer = new RoutePeer(world, "SF", 7001, { route_pool_size: 2, port: 0 });
  const request = { server_id: "", route_account: "$G", route_acc_add_reqid: "r" };
  const frames = [
    ...["RS+ $G foo\r\n", "RS+ $G work q 3\r\n", "RS- $G foo\r\n", "LS+ L $G a.> q 1\r\n"],
    ...["LS- L $G a.> q\r\n", "RMSG $G a.b 2\r\nhi\r\n", "RMSG $G work + r q p 2\r\nhi\r\n"],
    ...["RMSG $G work | q 2\r\nhi\r\n", "LMSG L $G a.b r 0 2\r\nhi\r\n", "PING\r\n", "PONG\r\n"],
    "HMSG $G work + $JS.ACK.a.b.c.d.e.f.g@x q 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
    ...["A+ $G\r\n", "+OK\r\n", "-ERR 'x'\r\n", peer.infoLine({ ldm: true })],
    ...[peer.infoLine({ export: { deny: ["a"] } }), peer.infoLine(request)],
    peer.infoLine({ server_id: "N".padEnd(56, "Q"), ip: "nats-route://memory:7009/" }),
  ];
  for (let round = 0; round < 150; round++) {
    using each = new RoutePeer(world, `S${round}`, 7001, { route_pool_size: 2, port: 0 });
    const link = await each.dial();
    let text = round % 5 === 0 ? "" : each.connectLine() + each.infoLine();
    for (let i = 0; i < 30; i++) text += frames[random.below(frames.length)];
    const bytes = toBytes(text), damaged = random.below(12);
    const from = round % 5 === 0 ? 0 : each.connectLine().length + each.infoLine().length;
    for (let i = 0; i < damaged; i++) {
      const at = from + random.below(bytes.length - from);
      bytes[at] = random.below(3) === 0 ? [0, 10, 13, 32, 42, 62, 255][random.below(7)]! : bytes[
        from + random.below(bytes.length - from)
      ]!;
    }
    for (let at = 0; at < bytes.length;) {
      const length = 1 + random.below(400);
      link.send(bytes.subarray(at, at += length));
      await world.settle();
    }
    client.take();
    if (round % 3 === 0) link.close();
    await world.advance(20);
  }
  assertEquals(world.broker.statistics.panics, 0);
  assert(!client.ended);
  await assertServed(world);
});

Deno.test("names with line ends make no lines in the log", async () => {
  await using world = await startClustered();
  using peer = new RoutePeer(world, "SF", 7001);
  const link = await peer.join({ server_name: "x\r\n[ERR] fake\x1b[31m", version: "1\n2" });
  await link.exchange(peer.infoLine({ ldm: true, server_name: "y\n[ERR] fake" }));
  link.send("-ERR 'a\x1b[2Jb'\r\n");
  await world.settle();
  for (const line of world.log) assert([...line].every((c) => c >= " "), JSON.stringify(line));
});
