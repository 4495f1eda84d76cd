import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { RemoteSubscriber } from "../../src/account/mod.ts";
import { SystemClock } from "../../src/platform/mod.ts";
import { RouteHead } from "../../src/protocol/mod.ts";
import { MemoryAccount } from "../support/memory_account.ts";
import type { MemoryBroker } from "../support/memory_broker.ts";
import { infosIn, type RouteLink, RoutePeer, startClustered } from "../support/route_peer.ts";
import { WatchedOutbox } from "../support/watched_outbox.ts";
import { ScriptedConnection } from "../support/scripted_connection.ts";

/** How often the broker looks at deadlines: nothing is later than that. */
const LOOK_MS = 100;
const STALE = "-ERR 'Stale Connection'\r\n";

/** Lets time pass until `link` has received `text`, and returns how long that took. */
async function timeUntil(world: MemoryBroker, link: RouteLink, text: string, limitMs = 200_000) {
  const startMs = world.clock.monotonic();
  for (let received = "";;) {
    received += link.take();
    const afterMs = world.clock.monotonic() - startMs;
    if (received.includes(text)) return afterMs;
    if (afterMs > limitMs) throw new Error(`no ${text} but ${received}`);
    await world.advance(10);
  }
}

Deno.test("the first PING comes after 1 s plus up to a fifth, not always at once", async () => {
  await using world = await startClustered();
  const delays = new Set<number>();
  for (let i = 0; i < 12; i++) {
    await world.advance(37);
    using peer = new RoutePeer(world);
    const link = await peer.join({ port: 0 });
    const afterMs = await timeUntil(world, link, "PING\r\n");
    assertGreaterOrEqual(afterMs, 1000);
    assertLess(afterMs, 1200 + LOOK_MS + 10);
    delays.add(Math.floor(afterMs / 50));
  }
  assertGreaterOrEqual(delays.size, 3);
});

Deno.test("a shorter interval shortens the first PING too", async () => {
  await using world = await startClustered({ ping_interval: "500ms" });
  using peer = new RoutePeer(world);
  const afterMs = await timeUntil(world, await peer.join(), "PING\r\n");
  assertGreaterOrEqual(afterMs, 500);
  assertLess(afterMs, 600 + LOOK_MS + 10);
});

Deno.test("PINGs come at the interval, whatever else the peer sends", async () => {
  await using world = await startClustered({ ping_interval: "2s" });
  using peer = new RoutePeer(world);
  const link = await peer.join();
  await timeUntil(world, link, "PING\r\n");
  for (let i = 0; i < 5; i++) {
    link.send("PONG\r\nRMSG $G foo 2\r\nhi\r\n");
    const afterMs = await timeUntil(world, link, "PING\r\n");
    assertGreaterOrEqual(afterMs, 2000 - 10);
    assertLess(afterMs, 2000 + LOOK_MS + 10);
  }
});

Deno.test("stale at exactly the look after ping_max unanswered PINGs, in spite of other traffic", async () => {
  await using world = await startClustered({ ping_interval: "1s", ping_max: 2 });
  using peer = new RoutePeer(world);
  const link = await peer.join();
  await timeUntil(world, link, "PING\r\n");
  const startMs = world.clock.monotonic();
  let text = "";
  while (!link.ended) {
    link.send("RMSG $G foo 2\r\nhi\r\nPING\r\n");
    await world.advance(10);
    text += link.take();
  }
  const afterMs = world.clock.monotonic() - startMs;
  assertEquals(text.replaceAll("PONG\r\n", ""), "PING\r\n" + STALE);
  assertGreaterOrEqual(afterMs, 2000 - 10);
  assertLess(afterMs, 2000 + LOOK_MS + 20);
  await world.advance(1000);
  assertEquals(world.broker.statistics.staleConnections, 1);
  assert(world.log.some((line) => line.includes("Stale Connection")));
  assert(world.log.some((line) => line.includes("Router connection closed: Stale Connection")));
});

Deno.test("one answer makes up for all PINGs before", async () => {
  await using world = await startClustered({ ping_interval: "1s", ping_max: 2 });
  using peer = new RoutePeer(world);
  const link = await peer.join();
  for (let i = 0; i < 4; i++) {
    await timeUntil(world, link, "PING\r\n");
    await timeUntil(world, link, "PING\r\n");
    link.send("PONG\r\n");
  }
  assert(!link.ended);
});

/** How far a handshake can get without coming to its end, with the broker dialled or dialling. */
const UNFINISHED: readonly {
  readonly name: string;
  readonly compression?: "s2_fast";
  readonly said?: (peer: RoutePeer) => string;
  readonly isDialled?: boolean;
}[] = [
  { name: "nothing said" },
  { name: "only a part of a line", said: () => "CONN" },
  { name: "CONNECT only", said: (peer) => peer.connectLine() },
  {
    name: "CONNECT and PINGs",
    said: (peer) => peer.connectLine() + "PING\r\nPONG\r\n+OK\r\n",
  },
  {
    name: "compressed INFO missing",
    compression: "s2_fast",
    said: (peer) => peer.connectLine() + peer.infoLine({ compression: "s2_fast" }),
  },
  { name: "dialled, nothing said", isDialled: true },
  {
    name: "dialled, compressed INFO missing",
    isDialled: true,
    compression: "s2_fast",
    said: (peer) => peer.infoLine({ compression: "s2_fast" }),
  },
];

for (const { name, compression, said, isDialled = false } of UNFINISHED) {
  Deno.test(`an unfinished handshake is stale after (ping_max + 1) x interval: ${name}`, async () => {
    await using world = await startClustered({
      ping_interval: "2s",
      ping_max: 3,
      compression: compression ?? "off",
      ...(isDialled && { routes: ["nats-route://memory:7001"] }),
    });
    using peer = new RoutePeer(world);
    if (isDialled) {
      peer.listen();
      await world.advance(1);
    }
    const startMs = world.clock.monotonic() - (isDialled ? 1 : 0);
    const link = isDialled ? peer.next() : await peer.dial();
    if (said !== undefined) link.sendRaw(said(peer));
    await world.settle();
    link.takeBytes();
    await world.advance(8000 - (world.clock.monotonic() - startMs) - 1);
    assert(!link.ended, "not a moment before");
    assertEquals(link.takeBytes().length, 0, "no PING either");
    await world.advance(1 + LOOK_MS);
    assert(link.ended);
    if (compression !== undefined) link.compress();
    assert(link.take().endsWith(STALE));
    assertEquals(world.broker.statistics.staleConnections, 1);
    assert(world.log.some((line) => line.includes("Stale Connection")));
    peer.stopListening();
    await world.advance(1000);
    assert(!JSON.stringify(world.broker.tasks()).includes("route:"));
  });
}

Deno.test("interest of a stale route matches nothing from that moment on", async () => {
  await using world = await startClustered({ ping_interval: "1s", ping_max: 1 });
  const client = await world.connect();
  await world.exchange(client, "SUB inbox 9\r\n");
  using peer = new RoutePeer(world);
  const link = await peer.join({ connect_urls: ["10.9.9.9:4222"] });
  await link.exchange("RS+ $G foo\r\nRS+ $G work q 5\r\n");
  assert(infosIn(await news(world, client))[0]!.connect_urls!.includes("10.9.9.9:4222"));
  client.send("PUB foo inbox 0\r\n\r\nPUB work inbox 0\r\n\r\n");
  await world.settle();
  assertEquals(client.take(), "", "somebody else may answer");
  while (!link.ended) await world.advance(10);
  link.take();
  client.send("PUB foo inbox 0\r\n\r\nPUB work inbox 0\r\n\r\n");
  await world.settle();
  const nobody = (subject: string) => `NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n`;
  const text = client.take();
  for (const subject of ["foo", "work"]) assert(text.includes(nobody(subject)), text);
  assertEquals(link.take(), "");
  const infos = infosIn(text + await news(world, client));
  assertEquals(infos.at(-1)!.connect_urls, [`memory:${world.broker.address.port}`]);
  assertEquals(infos.length, 1, "told once");
});

/** Lets so much time pass that clients are told what has changed, and takes it. */
async function news(world: MemoryBroker, client: { take(): string }): Promise<string> {
  await world.advance(150);
  return client.take();
}

const ENTRIES = 100_000, SLICE_LIMIT_MS = 50, TRIES = 6;

Deno.test("a hundred thousand entries of a lost route are let go in slices", async () => {
  // A busy machine may keep a slice from ending: it is enough that it is possible.
  const gaps: number[] = [];
  for (let i = 0; i < TRIES && !(gaps.at(-1)! < SLICE_LIMIT_MS); i++) {
    const clock = new SystemClock(), { account } = new MemoryAccount(clock);
    const { outbox } = new WatchedOutbox(new ScriptedConnection(Infinity), {});
    const head = new RouteHead("TEST", false);
    const [gone, other] = ["A", "B"].map((id) => new RemoteSubscriber(outbox, head, id, "TEST"));
    for (let n = 0; n < ENTRIES; n++) {
      account.addRemote(gone!, `a.${n % 317}.${n}`, n % 3 === 0 ? "q" : null, 1, null);
    }
    account.addRemote(other!, "a.1.1", null, 1, null);
    let isOver = false, longestMs = 0;
    const removal = account.removeAllRemote(gone!).then(() => isOver = true);
    for (let fromMs = clock.monotonic(); !isOver; fromMs = clock.monotonic()) {
      await clock.yield();
      longestMs = Math.max(longestMs, clock.monotonic() - fromMs);
    }
    await removal;
    assertEquals(account.remote.count, 1);
    gaps.push(longestMs);
  }
  assertLess(Math.min(...gaps), SLICE_LIMIT_MS, gaps.join());
});
