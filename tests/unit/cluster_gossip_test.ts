import { assert, assertEquals, assertMatch } from "@std/assert";
import { gossipModes } from "../../src/cluster/gossip.ts";
import type { MemoryBroker, MemoryClient } from "../support/memory_broker.ts";
import {
  type Fields,
  framesIn,
  infosIn,
  type RouteLink,
  RoutePeer,
  startClustered,
} from "../support/route_peer.ts";

/** Longer than a server counts as one that others may not know. */
const LONG_MS = 10_001;
/** Longer than it takes to tell clients. */
const NEWS_MS = 150;

Deno.test("the gossip_mode of a new server, by why it is there and who is told", () => {
  const modes = (["accepted", "configured", "gossip override", "gossip"] as const)
    .map((origin) => [gossipModes(origin, true), gossipModes(origin, false)]);
  assertEquals(modes, [[2, 1], [2, 2], [0, 0], [null, null]]);
});

/** INFO of a newcomer as `link`'s peer passes it on. */
function news(newcomer: RoutePeer, fields: Fields = {}): string {
  return newcomer.infoLine({
    ip: `nats-route://memory:${newcomer.port}/`,
    ...fields,
  }).replace(" \r\n", "\r\n");
}

Deno.test("a new server that has dialled is made known to the others as it described itself", async () => {
  await using world = await startClustered({ routes: ["nats-route://memory:7001"] });
  using configured = new RoutePeer(world, "S1", 7001).listen();
  using implicit = new RoutePeer(world, "S2", 7002);
  await world.advance(1);
  const { link: a } = await configured.welcome();
  await world.advance(300);
  const b = await implicit.join();
  a.take();
  b.take();
  using newcomer = new RoutePeer(world, "S3", 7003, {
    nonce: "123456789012345",
    connect_urls: ["10.0.0.3:4222"],
    jetstream: true,
  });
  const c = await newcomer.join();
  assertEquals(framesIn(c.take()), "", "it is told nothing of the others");
  for (const [link, mode] of [[a, 2], [b, 1]] as const) {
    const text = link.take();
    assertMatch(text, /^INFO \{.*\}\r\n$/, "one line, without the blank");
    const [info] = infosIn(text);
    const { nonce: _nonce, jetstream: _jetstream, ...said } = newcomer.info();
    const { jetstream: _, ...told } = info! as Fields;
    assertEquals(told, { ...said, ip: "nats-route://memory:7003/", gossip_mode: mode });
  }
});

Deno.test("a configured server is made known with mode 2, and its URL is kept", async () => {
  await using world = await startClustered({ routes: ["nats-route://memory:7001"] });
  using other = new RoutePeer(world, "S2", 7002);
  const b = await other.join();
  using configured = new RoutePeer(world, "S1", 7001, { ip: "nats-route://adv:9/" }).listen();
  await world.advance(1500);
  b.take();
  await configured.welcome();
  const [info] = infosIn(b.take());
  assertEquals([info!.server_name, info!.gossip_mode, info!.ip], ["S1", 2, "nats-route://adv:9/"]);
});

Deno.test("only the first connection of a server is news, and not what is to stay unknown", async () => {
  await using world = await startClustered({ pool_size: 2 });
  using other = new RoutePeer(world, "S1", 7001, { route_pool_size: 2 });
  const a = await other.join();
  using newcomer = new RoutePeer(world, "S2", 7002, { route_pool_size: 2 });
  await newcomer.join();
  assertEquals(infosIn(a.take()).length, 1);
  await newcomer.join({ route_pool_idx: 1 });
  assertEquals(infosIn(a.take()).length, 0);
  await world.advance(LONG_MS);
  a.pong();
  using hidden = new RoutePeer(world, "S3", 7003, { gossip_mode: 1 });
  await hidden.join();
  assertEquals(infosIn(a.take()).length, 0);
});

Deno.test("a dedicated connection is news only to those with one for the same account", async () => {
  await using world = await startClustered({ pool_size: 1 });
  using pooled = new RoutePeer(world, "S1", 7001, { route_pool_size: 1 });
  using single = new RoutePeer(world, "S2", 7002);
  const a = await pooled.join(), sys = await pooled.join({ route_account: "$SYS" });
  const b = await single.join();
  using newcomer = new RoutePeer(world, "S3", 7003, { route_pool_size: 1 });
  await newcomer.join();
  for (const link of [a, sys, b]) link.take();
  await newcomer.join({ route_account: "$SYS" });
  const told = [a, sys, b].map((link) => infosIn(link.take()).map((info) => info.route_account));
  assertEquals(told, [[], ["$SYS"], []]);
});

Deno.test("a server that is heard of is dialled, with the gossip_mode of the news", async () => {
  for (const mode of [0, 1, 2]) {
    await using world = await startClustered();
    using teller = new RoutePeer(world, "S1", 7001);
    const a = await teller.join();
    await world.advance(LONG_MS);
    a.pong();
    using newcomer = new RoutePeer(world, "S2", 7002).listen();
    a.send(news(newcomer, mode === 0 ? {} : { gossip_mode: mode }));
    await world.advance(1);
    const { text } = await newcomer.welcome();
    assertEquals(infosIn(text)[0]!.gossip_mode, mode === 0 ? undefined : mode);
    // What comes of it is news only where the mode is 2, and then with 0.
    const told = infosIn(a.take());
    assertEquals(told.map((info) => info.gossip_mode), mode === 2 ? [undefined] : []);
  }
});

Deno.test("credentials are shown to a server that is heard of only where it asks for them", async () => {
  for (const required of [true, false]) {
    await using world = await startClustered({
      authorization: { user: "route", password: "secret" },
    });
    using teller = new RoutePeer(world, "S1", 7001);
    const a = await teller.join({}, { user: "route", pass: "secret" });
    using newcomer = new RoutePeer(world, "S2", 7002).listen();
    a.send(news(newcomer, required ? { auth_required: true } : {}));
    await world.advance(1);
    const connect = JSON.parse(/CONNECT (.*)\r/.exec(newcomer.next().take())![1]!);
    assertEquals(
      [connect.user, connect.pass],
      required ? ["route", "secret"] : [undefined, undefined],
    );
  }
});

Deno.test("news of this server, of known ones and of configured ones are ignored", async () => {
  await using world = await startClustered({
    routes: ["nats-route://memory:7009", "nats-route://memory:7008"],
    connect_backoff: true,
  });
  using teller = new RoutePeer(world, "S1", 7001), known = new RoutePeer(world, "S2", 7002);
  const a = await teller.join();
  await known.join();
  known.listen();
  teller.listen();
  // Fewer and fewer attempts at what is configured.
  await world.advance(7500);
  a.send("PONG\r\n");
  const dials = world.broker.statistics.routeDials;
  using stranger = new RoutePeer(world, "S3", 7003).listen();
  a.send(news(known) + news(teller) + news(stranger, { server_id: world.broker.id }));
  a.send(news(stranger, { port: 7009, ip: "nats-route://memory:7009/" }));
  a.send(news(stranger, { host: "memory", port: 7008, ip: "nats-route://10.1.1.1:7008/" }));
  a.send(news(stranger, { ip: undefined }) + news(stranger, { ip: "nonsense" }));
  a.send(news(stranger, { ip: "nats-route://memory:0/" }) + news(stranger, { server_id: "" }));
  await world.advance(100);
  assertEquals([known, teller, stranger].map((peer) => peer.accepted.length), [0, 0, 0]);
  assertEquals(world.broker.statistics.routeDials, dials);
  assert(!a.ended);
});

// --- Addresses for clients ----------------------------------------------------------------------

/** The addresses that `client` was told last; undefined when it was told none. */
async function urls(world: MemoryBroker, client: MemoryClient) {
  await world.advance(NEWS_MS);
  const all = infosIn(client.take());
  assert(all.length <= 1, "told once");
  return all[0]?.connect_urls;
}

Deno.test("clients are told of servers that come, go, and are about to go", async () => {
  await using world = await startClustered();
  const own = `memory:${world.broker.address.port}`;
  const client = await world.connect();
  const greeted = await world.connectUngreeted();
  await world.settle();
  assertEquals(infosIn(greeted.take())[0]!.connect_urls, undefined, "it is alone so far");
  using one = new RoutePeer(world, "S1", 7001, { connect_urls: ["10.0.0.1:4222", own] });
  using two = new RoutePeer(world, "S2", 7002, { connect_urls: ["10.0.0.2:4222"] });
  const a = await one.join();
  assertEquals(await urls(world, client), [own, "10.0.0.1:4222"]);
  await two.join();
  assertEquals(await urls(world, client), [own, "10.0.0.1:4222", "10.0.0.2:4222"]);
  a.take();
  // Lame duck mode: the route stays.
  assertEquals(await a.exchange(one.infoLine({ ldm: true })), "");
  assertEquals(await urls(world, client), [own, "10.0.0.2:4222"]);
  assert(!a.ended);
  await a.exchange("RS+ $G foo\r\n");
  client.send("PUB foo 0\r\n\r\n");
  await world.settle();
  assert(a.take().includes("RMSG $G foo 0\r\n"));
  a.close();
  assertEquals(await urls(world, client), undefined, "it was not among them any more");
  two[Symbol.dispose]();
  assertEquals(await urls(world, client), [own]);
  const late = await world.connectUngreeted();
  await world.settle();
  assertEquals(infosIn(late.take())[0]!.connect_urls, [own]);
});

Deno.test("a peer without connect_urls changes nothing, and no_advertise says nothing of them", async () => {
  await using world = await startClustered({ no_advertise: true });
  const client = await world.connect();
  using one = new RoutePeer(world, "S1", 7001);
  const a = await one.dial();
  assertEquals(infosIn(a.take())[0]!.connect_urls, undefined);
  await a.join();
  using two = new RoutePeer(world, "S2", 7002, { connect_urls: ["10.0.0.2:4222"] });
  await two.join();
  assertEquals(await urls(world, client), undefined);
});

Deno.test("INFO later in life may change what there is to know", async () => {
  await using world = await startClustered();
  const client = await world.connect();
  using one = new RoutePeer(world, "S1", 7001, { connect_urls: ["10.0.0.1:4222"] });
  const a = await one.join();
  await urls(world, client);
  assertEquals(await a.exchange(one.infoLine({ connect_urls: ["10.0.0.9:4222"] })), "");
  assertEquals((await urls(world, client))!.at(-1), "10.0.0.9:4222");
  // Somebody who exports more is told again what is wanted.
  client.send("SUB foo 1\r\n");
  await world.settle();
  assertEquals(framesIn(a.take()), "RS+ $G foo\r\n");
  const text = await a.exchange(one.infoLine({ export: { deny: ["x"] } }));
  assertEquals(framesIn(text), "RS+ $G foo\r\n");
});

Deno.test("in lame duck mode every server is told over one connection", async () => {
  await using world = await startClustered({ pool_size: 2 });
  using one = new RoutePeer(world, "S1", 7001, { route_pool_size: 2 });
  const links: RouteLink[] = [await one.join(), await one.join({ route_pool_idx: 1 })];
  for (const link of links) link.take();
  const closing = world.broker.close({ drain: true, drainMs: 1000 });
  await world.settle();
  const texts = links.map((link) => link.take());
  const infos = infosIn(texts.join(""));
  assertEquals(infos.length, 1);
  assertEquals([infos[0]!.ldm, infos[0]!.server_id], [true, world.broker.id]);
  assertEquals([infos[0]!.nonce, infos[0]!.compression], [undefined, undefined]);
  await world.advance(20_000);
  await closing;
  assertEquals(links.map((link) => link.take()).join("").includes("-ERR"), false);
  assert(links.every((link) => link.ended));
});

Deno.test("in lame duck mode clients are told of the other servers alone", async () => {
  for (const others of [["10.0.0.1:4222"], undefined]) {
    await using world = await startClustered();
    const client = await world.connect({ protocol: 1 });
    using one = new RoutePeer(world, "S1", 7001, { connect_urls: others });
    await one.join();
    await urls(world, client);
    const closing = world.broker.close({ drain: true, drainMs: 1000 });
    await world.settle();
    const [info] = infosIn(client.take());
    assertEquals([info!.ldm, info!.connect_urls], [true, others]);
    await world.advance(20_000);
    await closing;
  }
});

// --- An account gets a connection of its own ----------------------------------------------------

Deno.test("an account that gets a connection of its own changes over to it", async () => {
  await using world = await startClustered({ pool_size: 1 }, {
    accounts: { APP: { users: [{ user: "app", password: "a" }] } },
  });
  const app = await world.connect({ user: "app", pass: "a" });
  app.send("SUB foo 1\r\n");
  await world.settle();
  using peer = new RoutePeer(world, "SF", 7001, { route_pool_size: 1 }).listen();
  const pool = await peer.join();
  await pool.exchange("RS+ APP bar\r\n");
  assertEquals(world.broker.remoteInterest(peer.id).length, 1);
  const request = {
    ...{ server_id: "", server_name: "", version: "", proto: 0, go: "", host: "", port: 0 },
    ...{ headers: false, max_payload: 0, route_pool_size: 1, route_account: "APP" },
    route_acc_add_reqid: "P3BnuGJ339Zl7OPecU3cDd",
  };
  const text = await pool.exchange(`INFO ${JSON.stringify(request)} \r\n`);
  assertMatch(text, /^INFO \{.*\} \r\n$/);
  const [answer] = infosIn(text);
  assertEquals(answer!.route_acc_add_reqid, request.route_acc_add_reqid);
  assertEquals([answer!.route_account, answer!.server_id], [undefined, ""]);
  assertEquals(answer!.server_name, "", "the same INFO but for the account");
  assertEquals(world.broker.remoteInterest(peer.id), [], "dropped from the pool");
  app.send("SUB later 2\r\nPUB bar 0\r\n\r\n");
  await world.settle();
  assertEquals(framesIn(pool.take()), "", "nothing of it over the pool any more");
  const own = await peer.dial();
  own.take();
  const interest = framesIn(await own.join({ route_account: "APP" }));
  assertEquals(interest.split("\r\n").sort().join("|"), "|RS+ foo|RS+ later");
  await own.exchange("RS+ bar\r\n");
  app.send("PUB bar 0\r\n\r\n");
  await world.settle();
  assertEquals([framesIn(own.take()), framesIn(pool.take())], ["RMSG bar 0\r\n\r\n", ""]);
  // The answer to a request of this side's means nothing, and neither does an unknown account.
  const { route_account: _, ...echo } = request;
  assertEquals(await pool.exchange(`INFO ${JSON.stringify(echo)} \r\n`), "");
  assertEquals(
    await pool.exchange(`INFO ${JSON.stringify({ ...request, route_account: "NOPE" })} \r\n`),
    "",
  );
  assert(!pool.ended);
});
