import { assert, assertEquals, assertMatch } from "@std/assert";
import { framesIn, infosIn, RoutePeer, startClustered } from "../support/route_peer.ts";

Deno.test("whoever is dialled says INFO at once, with a nonce and a blank before the line end", async () => {
  await using world = await startClustered({ pool_size: 3, compression: "accept" });
  using peer = new RoutePeer(world);
  const link = await peer.dial();
  const text = link.take();
  assertMatch(text, /^INFO \{.*\} \r\n$/);
  const [info] = infosIn(text);
  assertMatch(info!.nonce!, /^[\w-]{15}$/);
  const { nonce: _nonce, go, version, denats: _denats, ...rest } = info!;
  assertMatch(version, /^2\.\d+\.\d+$/);
  assertEquals(typeof go, "string");
  assertEquals(rest, {
    server_id: world.broker.id,
    server_name: "SA",
    proto: 2,
    host: "memory",
    port: 6222,
    headers: true,
    max_payload: 1_048_576,
    lnoc: true,
    lnocu: true,
    cluster: "C1",
    connect_urls: [`memory:${world.broker.address.port}`],
    compression: "accept",
    route_pool_size: 3,
  });
  for (const absent of ["ln", "route_pool_idx", "route_account", "jetstream", "gossip_mode"]) {
    assert(!(absent in info!), absent);
  }
});

Deno.test("interest goes out only after the peer's INFO", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  await world.exchange(client, "SUB foo 1\r\n");
  using peer = new RoutePeer(world);
  const link = await peer.dial();
  assertEquals(framesIn(link.take()), "");
  assertEquals(await link.exchange(peer.connectLine()), "");
  assertEquals(await link.exchange(peer.infoLine()), "RS+ $G foo\r\n");
});

/** When INFO comes: with CONNECT, or only after the acceptor's. */
const DIALLERS = [
  { compression: "accept", pool_size: 3, info: "delayed" },
  { compression: "accept", pool_size: -1, info: "delayed" },
  { compression: "s2_fast", pool_size: -1, info: "delayed" },
  { compression: "off", pool_size: 3, info: "delayed" },
  { compression: "off", pool_size: 1, info: "delayed" },
  { compression: "off", pool_size: -1, info: "immediate" },
] as const;

for (const { compression, pool_size, info } of DIALLERS) {
  Deno.test(`who dials says CONNECT at once; INFO is ${info} with ${compression} and pool_size ${pool_size}`, async () => {
    await using world = await startClustered({
      compression,
      pool_size,
      routes: ["nats-route://memory:7001"],
    });
    using peer = new RoutePeer(world).listen();
    await world.advance(1);
    const link = peer.next(), text = link.take();
    const connect =
      `CONNECT {"echo":true,"verbose":false,"pedantic":false,"tls_required":false,"headers":true,` +
      `"name":"${world.broker.id}","cluster":"C1","lnoc":true}\r\n`;
    assertEquals(text.slice(0, connect.length), connect);
    const first = infosIn(text.slice(connect.length));
    assertEquals(first.length, info === "immediate" ? 1 : 0);
    const more = await link.exchange(
      peer.infoLine(pool_size > 0 ? { route_pool_size: pool_size } : {}),
    );
    const infos = [...first, ...infosIn(more)];
    assertEquals(infos.length, 1);
    assertEquals(infos[0]!.route_pool_idx, undefined, "0 is left out");
    assertEquals(infos[0]!.compression, info === "immediate" ? "off" : "not supported");
    assertEquals(infos[0]!.route_pool_size, pool_size > 0 ? pool_size : undefined);
  });
}

Deno.test("a connection for one account says INFO at once without compression, later with", async () => {
  for (const compression of ["off", "accept"] as const) {
    await using world = await startClustered({
      compression,
      pool_size: 1,
      routes: ["nats-route://memory:7001"],
    });
    using peer = new RoutePeer(world, "SF", 7001, { route_pool_size: 1, compression: "off" })
      .listen();
    await world.advance(1);
    const { link } = await peer.welcome();
    // The pool is complete, $SYS is missing: a PING shows that this side was accepted.
    await link.exchange("PONG\r\n");
    await world.advance(1);
    const dedicated = peer.next(), text = dedicated.take();
    assertMatch(text, /^CONNECT /);
    assertEquals(infosIn(text).length, compression === "off" ? 1 : 0);
    const infos = [...infosIn(text), ...infosIn(await dedicated.exchange(peer.infoLine()))];
    assertEquals(infos.map((info) => info.route_account), ["$SYS"]);
  }
});

Deno.test("the pool is dialled one by one, each after the PONG of the last, with its index", async () => {
  await using world = await startClustered({
    pool_size: 3,
    routes: ["nats-route://memory:7001"],
  });
  using peer = new RoutePeer(world, "SF", 7001, { route_pool_size: 3 }).listen();
  await world.advance(1);
  const first = await peer.welcome();
  assertMatch(first.text, /INFO .*\r\nPING\r\n$/);
  assertEquals(infosIn(first.text)[0]!.route_pool_idx, undefined);
  await world.advance(500);
  assertEquals(peer.accepted.length, 0, "nothing before the PONG");
  await first.link.exchange("PONG\r\n");
  await world.advance(1);
  const dialled = [];
  for (; peer.accepted.length > 0; await world.advance(300)) {
    const { link, text } = await peer.welcome();
    dialled.push(infosIn(text)[0]!);
    link.send("PONG\r\n");
  }
  assertEquals(
    dialled.map((info) => info.route_account ?? info.route_pool_idx).sort(),
    ["$SYS", 1, 2].sort(),
  );
  const { routes, missing } = world.broker.routes()[0]!;
  assertEquals([routes.length, missing], [4, 0]);
});

Deno.test("with a complete pool no PING comes before its time", async () => {
  await using world = await startClustered({ routes: ["nats-route://memory:7001"] });
  using peer = new RoutePeer(world).listen();
  await world.advance(1);
  const { text } = await peer.welcome();
  assert(!text.includes("PING"));
});

Deno.test("both read the other's first lines before or after their own, in any pieces", async () => {
  await using world = await startClustered({ pool_size: 3, compression: "accept" });
  const client = await world.connect();
  await world.exchange(client, "SUB foo 1\r\n");
  using peer = new RoutePeer(world);
  const link = await peer.dial();
  for (const byte of peer.connectLine() + peer.infoLine() + "PING\r\n") {
    link.send(byte);
    await world.settle();
  }
  const text = link.take();
  assertEquals(framesIn(text), "RS+ $G foo\r\n");
  assertMatch(text, /PONG\r\n$/);
});
