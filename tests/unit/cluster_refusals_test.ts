import { assert, assertEquals } from "@std/assert";
import { assertRefused } from "../support/cluster_bystanders.ts";
import { type Fields, framesIn, RoutePeer, startClustered } from "../support/route_peer.ts";

/** One change to a peer that is fine otherwise, and what becomes of it. */
interface Deviation {
  readonly name: string;
  readonly info?: Fields;
  readonly connect?: Fields;
  /** The -ERR text; null for a silent close; absent where the connection stays. */
  readonly refused?: string | null;
  /** What the peer gets of a message with headers. */
  readonly message?: string;
}

const POOL = { route_pool_size: 3 };
const WITH_HEADERS = "HMSG $G bar 12 15\r\nNATS/1.0\r\n\r\nabc\r\n";
const STRIPPED = "RMSG $G bar 3\r\nabc\r\n";

/** Every row of the list of what nats-server 2.15.1 does with a peer that deviates. */
const DEVIATIONS: readonly Deviation[] = [
  { name: "nothing" },
  { name: "no proto", info: { proto: undefined } },
  { name: "proto 0", info: { proto: 0 } },
  { name: "proto 1", info: { proto: 1 } },
  { name: "proto 3", info: { proto: 3 } },
  { name: "proto 9", info: { proto: 9 } },
  { name: "no headers in INFO", info: { headers: undefined }, message: STRIPPED },
  { name: "headers false in CONNECT, true in INFO", connect: { headers: false } },
  { name: "no server_name", info: { server_name: undefined } },
  { name: "no server_id", info: { server_id: undefined } },
  { name: "the broker's server_name", info: { server_name: "SA" }, refused: null },
  { name: "no cluster in INFO", info: { cluster: undefined } },
  { name: "another cluster in INFO", info: { cluster: "XX" }, refused: null },
  {
    name: "another cluster in CONNECT",
    connect: { cluster: "XX" },
    refused: `Rejecting connection, cluster name "XX" does not match "C1"`,
  },
  {
    name: "no cluster in CONNECT",
    connect: { cluster: undefined },
    refused: `Rejecting connection, cluster name "" does not match "C1"`,
  },
  { name: "no host and port", info: { host: undefined, port: undefined } },
  { name: "no version", info: { version: undefined } },
  { name: "no max_payload", info: { max_payload: undefined } },
  { name: "no lnoc and lnocu", info: { lnoc: undefined, lnocu: undefined } },
  { name: "jetstream", info: { jetstream: true } },
  { name: "another domain", info: { domain: "XX" } },
  {
    name: "lang in CONNECT",
    connect: { lang: "go" },
    refused: "attempted to connect to route port",
  },
  {
    name: "gateway in CONNECT",
    connect: { gateway: "G" },
    refused: `Rejecting connection from gateway "G" on the Route port`,
  },
  {
    name: "index 7 in a pool of 3",
    info: { ...POOL, route_pool_idx: 7 },
    refused: "Invalid route pool index: 7 - pool size is 3",
  },
  {
    name: "index -1 in a pool of 3",
    info: { ...POOL, route_pool_idx: -1 },
    refused: "Invalid route pool index: -1 - pool size is 3",
  },
  {
    name: "an unknown account of its own",
    info: { ...POOL, route_account: "NOPE" },
    refused: `Unable to lookup account "NOPE": account missing`,
  },
  {
    name: "an account that is not dedicated",
    info: { ...POOL, route_account: "$G" },
    refused: `No route for account "$G"`,
  },
  {
    name: "a dedicated account without a pool",
    info: { route_account: "$SYS" },
    refused: `Not possible to have a dedicated route for account "$SYS" between those servers`,
  },
  {
    name: "unknown compression",
    info: { compression: "zstd" },
    refused: `unsupported route compression mode "zstd"`,
  },
  { name: "compression off", info: { compression: "off" } },
  {
    name: "verbose",
    connect: { verbose: true },
    message: WITH_HEADERS,
  },
  { name: "gateway in INFO", info: { gateway: "G", gateway_url: "127.0.0.1:7222" } },
  { name: "another name in CONNECT", connect: { name: "OTHER" } },
  {
    name: "only what is needed in CONNECT",
    connect: {
      ...{ echo: undefined, verbose: undefined, pedantic: undefined, tls_required: undefined },
      ...{ headers: undefined, lnoc: undefined },
    },
  },
  { name: "the broker's own server_id", refused: null },
  {
    name: "a pool of another size in 2.10",
    info: { route_pool_size: 1, version: "2.10.27" },
    refused: "Mismatch route pool size: 3 vs 1",
  },
  {
    name: "a pool that would take all memory",
    info: { route_pool_size: 2 ** 32 - 1 },
    refused: "Route pool size 4294967295 is larger than 256",
  },
];

for (const { name, info = {}, connect = {}, refused, message = WITH_HEADERS } of DEVIATIONS) {
  const isRefused = refused !== undefined;
  Deno.test(`a peer that deviates by ${name} is ${isRefused ? "refused" : "taken"}`, async () => {
    await using world = await startClustered({ pool_size: 3, compression: "accept" });
    const client = await world.connect();
    await world.exchange(client, "SUB foo 1\r\n");
    using peer = new RoutePeer(world);
    const link = await peer.dial();
    link.take();
    const own = name.includes("own server_id") ? { server_id: world.broker.id } : {};
    link.send(peer.connectLine(connect) + peer.infoLine({ ...info, ...own }));
    if (isRefused) {
      await assertRefused(world, link, refused === null ? "" : `-ERR '${refused}'\r\n`);
      return;
    }
    await world.settle();
    assertEquals(framesIn(link.take()), "RS+ $G foo\r\n");
    await link.exchange("RS+ $G bar\r\n");
    client.send("HPUB bar 12 15\r\nNATS/1.0\r\n\r\nabc\r\n");
    await world.settle();
    assertEquals(link.take(), message);
    await link.exchange("RMSG $G foo 2\r\nhi\r\n");
    assertEquals(client.take(), "MSG foo 1 2\r\nhi\r\n");
    assert(!link.ended);
  });
}

Deno.test("two servers may have one name, as long as it is not this one's", async () => {
  await using world = await startClustered();
  using one = new RoutePeer(world, "S1", 7001), two = new RoutePeer(world, "S2", 7002);
  await one.join({ server_name: "SAME" });
  const link = await two.join({ server_name: "SAME" });
  assert(!link.ended);
  assertEquals(world.broker.routes().map(({ name }) => name), ["SAME", "SAME"]);
});

Deno.test("+OK only for who asks for it", async () => {
  await using world = await startClustered();
  using peer = new RoutePeer(world);
  const link = await peer.join({}, { verbose: true });
  assertEquals(await link.exchange("RS+ $G bar\r\n"), "+OK\r\n");
  assertEquals(await link.exchange("RMSG $G foo 2\r\nhi\r\n"), "+OK\r\n");
  using quiet = new RoutePeer(world, "SQ", 7002);
  assertEquals(await (await quiet.join()).exchange("RS+ $G bar\r\n"), "");
});

Deno.test("without INFO messages pass, but the peer is told of no interest, and is not known", async () => {
  await using world = await startClustered({ compression: "accept" });
  const client = await world.connect();
  await world.exchange(client, "SUB foo 1\r\n");
  using peer = new RoutePeer(world);
  const link = await peer.dial();
  link.take();
  assertEquals(await link.exchange(peer.connectLine() + "RS+ $G bar\r\n"), "");
  await link.exchange("RMSG $G foo 2\r\nhi\r\n");
  assertEquals(client.take(), "MSG foo 1 2\r\nhi\r\n");
  client.send("HPUB bar 12 15\r\nNATS/1.0\r\n\r\nabc\r\n");
  await world.settle();
  assertEquals(link.take(), "HMSG $G bar 12 15\r\nNATS/1.0\r\n\r\nabc\r\n");
  assertEquals(world.broker.routes(), []);
  // INFO may still come, and has the last word on headers.
  assertEquals(await link.exchange(peer.infoLine({ headers: false })), "RS+ $G foo\r\n");
  assertEquals(world.broker.remoteInterest(peer.id).length, 1);
  client.send("HPUB bar 12 15\r\nNATS/1.0\r\n\r\nabc\r\n");
  await world.settle();
  assertEquals(link.take(), "RMSG $G bar 3\r\nabc\r\n");
  await link.exchange("RS- $G bar\r\n");
  client.send("PUB bar 0\r\n\r\n");
  await world.settle();
  assertEquals(link.take(), "");
});

Deno.test("interest of a peer that never says INFO ends with its connection", async () => {
  await using world = await startClustered({ ping_interval: "1s", ping_max: 1 });
  const client = await world.connect();
  using peer = new RoutePeer(world);
  const link = await peer.dial();
  await link.exchange(peer.connectLine() + "RS+ $G bar\r\n");
  await world.advance(2100);
  assert(link.take().endsWith("-ERR 'Stale Connection'\r\n"));
  await world.exchange(client, "SUB inbox 1\r\n");
  assert((await world.exchange(client, "PUB bar inbox 0\r\n\r\n")).includes("503"));
});

Deno.test("interest before INFO is refused where it is not clear whose it is", async () => {
  // Names of accounts mean nothing on a dedicated connection, which this turns out to be.
  {
    await using world = await startClustered({ pool_size: 1 });
    using peer = new RoutePeer(world);
    const link = await peer.dial();
    link.take();
    link.send(
      peer.connectLine() + "RS+ $G bar\r\n" +
        peer.infoLine({ route_pool_size: 1, route_account: "$SYS" }),
    );
    await assertRefused(world, link, "");
  }
  // Whoever is dialled says INFO first.
  {
    await using world = await startClustered({ routes: ["nats-route://memory:7001"] });
    using peer = new RoutePeer(world).listen();
    await world.advance(1);
    const link = peer.next();
    link.take();
    link.send("RS+ $G bar\r\n");
    await assertRefused(world, link, "-ERR 'Unknown Protocol Operation'\r\n");
  }
});

Deno.test("anything else than CONNECT at first is an authorization violation", async () => {
  for (
    const first of [
      "PING\r\n",
      "RS+ $G foo\r\n",
      "RMSG $G foo 2\r\nhi\r\n",
      "GET / HTTP/1.1\r\n",
      'INFO {"server_id":"X"}\r\n',
    ]
  ) {
    await using world = await startClustered();
    using peer = new RoutePeer(world);
    const link = await peer.dial();
    link.take();
    link.send(first);
    await assertRefused(world, link, "-ERR 'Authorization Violation'\r\n");
  }
});

/** What a registered peer may say that ends its connection. */
const FAULTS: readonly (readonly [what: string, said: string, error: string])[] = [
  ["an unknown verb", "FOO\r\n", "-ERR 'Unknown Protocol Operation'\r\n"],
  ["-ERR", "-ERR 'whatever'\r\n", ""],
  ["RS+ without a subject", "RS+ $G\r\n", ""],
  ["a queue without weight", "RS+ $G foo q\r\n", ""],
  ["a weight of 0", "RS+ $G foo q 0\r\n", ""],
  ["too many fields in RS+", "RS+ $G foo q 1 2\r\n", ""],
  ["a weight in RS-", "RS- $G foo q 1\r\n", ""],
  ["RMSG without a size", "RMSG $G foo\r\n", ""],
  ["a negative size", "RMSG $G foo -1\r\n", ""],
  ["a size of ten digits", "RMSG $G foo 0000000001\r\n", ""],
  ["a list without its sign", "RMSG $G foo r q 1\r\nx\r\n", ""],
  ["headers longer than the message", "HMSG $G foo 3 2\r\nxx\r\n", ""],
  [
    "a payload without its end",
    "RMSG $G foo 1\r\nxyz\r\n",
    "-ERR 'Unknown Protocol Operation'\r\n",
  ],
  [
    "a control line that is too long",
    `RS+ $G ${"x".repeat(70_000)}\r\n`,
    "-ERR 'maximum control line exceeded'\r\n",
  ],
  [
    "a control line without end",
    `RS+ $G ${"x".repeat(70_000)}`,
    "-ERR 'maximum control line exceeded'\r\n",
  ],
  ["JSON that is none", "INFO {]\r\n", ""],
  ["CONNECT with JSON that is none", "CONNECT x\r\n", ""],
];

for (const [what, said, error] of FAULTS) {
  Deno.test(`${what} ends the connection`, async () => {
    await using world = await startClustered();
    using peer = new RoutePeer(world);
    const link = await peer.join();
    link.send(said);
    await assertRefused(world, link, error);
  });
}

Deno.test("what means nothing on a route is passed over", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  using peer = new RoutePeer(world);
  const link = await peer.join();
  const text = await link.exchange(
    "+OK\r\nA+ $G\r\nA- $G\r\nRS- $G never.announced\r\nRS- $G a q\r\nLS- LEAF $G b\r\n" +
      "RS+ NOPE foo\r\nRMSG NOPE foo 2\r\nhi\r\nRS- NOPE foo\r\nRS+ $G bad..subject\r\n" +
      "rs+ \t $G \t foo \r\nping\n",
  );
  assertEquals(text, "PONG\r\n");
  client.send("PUB foo 2\r\nhi\r\n");
  await world.settle();
  assertEquals(link.take(), "RMSG $G foo 2\r\nhi\r\n");
});

Deno.test("who is dialled must not say a pool index", async () => {
  await using world = await startClustered({
    pool_size: 3,
    routes: ["nats-route://memory:7001"],
  });
  using peer = new RoutePeer(world).listen();
  await world.advance(1);
  const link = peer.next();
  link.take();
  link.send(peer.infoLine({ route_pool_size: 3, route_pool_idx: 2 }));
  await assertRefused(
    world,
    link,
    "-ERR 'Route pool index should not be set but is set to 2'\r\n",
  );
});

Deno.test("a dedicated connection refused for lack of a pool is not dialled again", async () => {
  await using world = await startClustered({
    pool_size: 1,
    routes: ["nats-route://memory:7001"],
  });
  using peer = new RoutePeer(world).listen();
  await world.advance(1);
  // No pool: $SYS travels on the one connection.
  const { link } = await peer.welcome();
  link.send("PONG\r\n");
  await world.advance(10_000);
  assertEquals(peer.accepted.length, 0);
  assertEquals(world.broker.routes()[0]!.missing, 0);
});

Deno.test("a dedicated connection refused with -ERR is not dialled again", async () => {
  await using world = await startClustered({
    pool_size: 1,
    routes: ["nats-route://memory:7001"],
  });
  using peer = new RoutePeer(world, "SF", 7001, { route_pool_size: 1 }).listen();
  await world.advance(1);
  const { link } = await peer.welcome();
  link.send("PONG\r\n");
  await world.advance(1);
  const dedicated = peer.next();
  dedicated.send(peer.infoLine() + `-ERR 'No route for account "$SYS"'\r\n`);
  await world.settle();
  dedicated.close();
  for (let i = 0; i < 10; i++) {
    await world.advance(1000);
    link.pong();
  }
  assertEquals(peer.accepted.length, 0);
  assertEquals(world.broker.routes()[0]!.routes.length, 1);
});

Deno.test("why a peer is refused is logged once", async () => {
  await using world = await startClustered();
  for (
    const [said, why] of [
      [(peer: RoutePeer) => peer.connectLine({ cluster: "XX" }), "Rejecting connection"],
      [() => "GET / HTTP/1.1\r\n", "Parser error"],
    ] as const
  ) {
    const before = world.log.length;
    using peer = new RoutePeer(world);
    const link = await peer.dial();
    link.send(said(peer));
    await world.advance(1500);
    assert(link.ended);
    const errors = world.log.slice(before).filter((line) => line.includes("[ERR]"));
    assertEquals(errors.length, 1, errors.join("\n"));
    assert(errors[0]!.includes(why) && !errors[0]!.includes("suppressed"));
  }
});
