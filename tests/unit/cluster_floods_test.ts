import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { SeededRandom } from "../../src/platform/mod.ts";
import { assertReleased, assertServed } from "../support/cluster_bystanders.ts";
import { MemoryBroker } from "../support/memory_broker.ts";
import { ResolvingTransport } from "../support/resolving_transport.ts";
import { clustered, infosIn, RoutePeer, startClustered } from "../support/route_peer.ts";
import { checksum, chunk, concat, IDENTIFIER, varint } from "../support/s2_frames.ts";
import { toBytes } from "../support/wire_text.ts";

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

Deno.test("a message for thousands of groups of a peer is no line that the peer refuses", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  using peer = new RoutePeer(world);
  const link = await peer.join();
  const groups = Array.from({ length: 12_000 }, (_, i) => `group-${i}`);
  for (const group of groups) link.send(`RS+ $G work ${group} 1\r\n`);
  await world.advance(10);
  assertEquals(world.broker.remoteInterest(peer.id).length, groups.length);
  const lines = async () => {
    client.send("PUB work reply 2\r\nhi\r\n");
    await world.advance(10);
    return link.take().split("\r\n").filter((line) => line.startsWith("RMSG"));
  };
  const several = await lines();
  for (const line of several) assertLess(line.length, 50_000);
  const named = several.flatMap((line) => line.split(" ").slice(5, -1));
  assertEquals(named.sort(), groups.sort(), "each is named once");
  // With plain interest there can be one frame alone: its list is cut.
  await link.exchange("RS+ $G work\r\n");
  const [one, ...none] = await lines();
  assertEquals(none, []);
  assertLess(one!.length, 50_000);
});

Deno.test("a flood of accounts with routes of their own is one line in the log", async () => {
  await using world = await startClustered({ pool_size: 1 });
  const client = await world.connect();
  await world.exchange(client, "SUB foo 1\r\n");
  using peer = new RoutePeer(world, "SF", 7001, { route_pool_size: 1, port: 0 });
  const link = await peer.join();
  let flood = "";
  for (let i = 0; i < 500; i++) {
    flood += `RS+ $G s.${i}\r\n` + peer.infoLine({
      ...{ server_id: "", route_account: "$G", route_acc_add_reqid: `r${i}` },
    });
  }
  link.send(flood);
  await world.advance(100);
  assertEquals(infosIn(link.take()).length, 500);
  assertLessOrEqual(world.log.filter((line) => line.includes("$G")).length, 1);
  assertEquals(world.broker.statistics.panics, 0);
  assert(!link.ended);
});

Deno.test("a peer that goes away while it is told everything leaves nothing behind", async () => {
  for (const end of ["reset", "close", "stall"] as const) {
    await using world = await startClustered({ ping_interval: "1s", write_deadline: "2s" });
    const client = await world.connect();
    for (let i = 0; i < 30_000; i++) client.send(`SUB some.subject.of.some.length.${i} ${i}\r\n`);
    await world.advance(100);
    using peer = new RoutePeer(world);
    const link = await peer.dial();
    link.stall();
    link.send(peer.connectLine() + peer.infoLine({ port: 0 }));
    await world.advance(10);
    assertEquals(world.broker.routes().length, 1);
    if (end === "reset") link.connection.reset();
    else if (end === "close") {
      link.resume();
      link.close();
    }
    await world.advance(15_000);
    assertEquals(world.broker.routes(), []);
    await assertReleased(world);
    await assertServed(world);
  }
});

Deno.test("a peer with thousands of addresses does not make clients hear all of them", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  using peer = new RoutePeer(world);
  const many = Array.from({ length: 3000 }, (_, i) => `10.0.${i >> 8}.${i & 255}:4222`);
  const link = await peer.join({ connect_urls: ["x".repeat(1000), "10.9.9.9:4222", ...many] });
  assert(!link.ended);
  await world.advance(200);
  const [info] = infosIn(client.take());
  assertLessOrEqual(info!.connect_urls!.length, 65);
  assert(info!.connect_urls!.includes("10.9.9.9:4222"));
  assert(info!.connect_urls!.every((url) => url.length < 300));
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
    client.send(frame.repeat(3));
    published += 3;
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
