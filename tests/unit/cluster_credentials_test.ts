import { assert, assertEquals } from "@std/assert";
import { assertRefused } from "../support/cluster_bystanders.ts";
import { infosIn, RoutePeer, startClustered } from "../support/route_peer.ts";

// --- Credentials --------------------------------------------------------------------------------

const AUTHORIZATION = { user: "route", password: "secret", timeout: "1s" };

for (
  const [what, connect, isTaken] of [
    ["right", { user: "route", pass: "secret" }, true],
    ["wrong", { user: "route", pass: "wrong" }, false],
    ["no", {}, false],
  ] as const
) {
  Deno.test(`${what} credentials are ${isTaken ? "taken" : "refused"}`, async () => {
    await using world = await startClustered({ authorization: AUTHORIZATION });
    using peer = new RoutePeer(world);
    const link = await peer.dial();
    const events: string[] = [];
    world.broker.on("routeRefused", ({ event }) => events.push(event));
    assertEquals(infosIn(link.take())[0]!.auth_required, true);
    link.send(peer.connectLine(connect));
    await world.settle();
    assertEquals(events.length, isTaken ? 0 : 1);
    // Who is told by the event finds the line of the log, and the other way round.
    for (const event of events) assert(world.log.some((line) => line.includes(event)), event);
    if (!isTaken) return assertRefused(world, link, "-ERR 'Authorization Violation'\r\n");
    await link.exchange(peer.infoLine());
    assertEquals(world.broker.routes().length, 1);
    assert(!JSON.stringify(world.log).includes("secret"));
  });
}

Deno.test("without CONNECT in time it is an authentication timeout", async () => {
  await using world = await startClustered({ authorization: AUTHORIZATION });
  using peer = new RoutePeer(world);
  const link = await peer.dial();
  link.take();
  await world.advance(999);
  assert(!link.ended);
  await world.advance(101);
  await assertRefused(world, link, "-ERR 'Authentication Timeout'\r\n");
});

Deno.test("credentials come from the route's URL, and nothing is shown without", async () => {
  for (
    const [url, shown] of [
      ["nats-route://u%40x:p%3Aw@memory:7001", { user: "u@x", pass: "p:w" }],
      ["nats-route://memory:7001", { user: undefined, pass: undefined }],
    ] as const
  ) {
    await using world = await startClustered({
      routes: [url],
      authorization: AUTHORIZATION,
    });
    using peer = new RoutePeer(world).listen();
    await world.advance(1);
    const { user, pass } = JSON.parse(/CONNECT (.*)\r/.exec(peer.next().take())![1]!);
    assertEquals({ user, pass }, shown);
  }
});

// --- Names of clusters --------------------------------------------------------------------------

Deno.test("a made-up name gives way to a configured one, which clients are told", async () => {
  await using world = await startClustered({ name: undefined });
  const client = await world.connect();
  using peer = new RoutePeer(world);
  const link = await peer.dial();
  const [info] = infosIn(link.take());
  assertEquals([info!.cluster.length, info!.cluster_dynamic], [22, true]);
  await link.join({ cluster: "EAST" }, { cluster: "EAST" });
  assert(!link.ended);
  assertEquals(world.broker.clusterName, "EAST");
  await world.advance(200);
  assert(client.take().includes(`"cluster":"EAST"`));
  const next = await peer.dial();
  const [later] = infosIn(next.take());
  assertEquals([later!.cluster, later!.cluster_dynamic], ["EAST", undefined]);
});

Deno.test("of two made-up names the greater one stays", async () => {
  await using world = await startClustered({ name: undefined });
  const own = world.broker.clusterName!;
  const less = { cluster: " less", cluster_dynamic: true };
  const more = { cluster: "~more", cluster_dynamic: true };
  using peer = new RoutePeer(world);
  const link = await peer.dial();
  link.take();
  link.send(peer.connectLine(less));
  await assertRefused(
    world,
    link,
    `-ERR 'Rejecting connection, cluster name " less" does not match "${own}"'\r\n`,
  );
  await peer.join(more, more);
  assertEquals(world.broker.clusterName, "~more");
});

Deno.test("with another name all routes go but the one it comes from", async () => {
  await using world = await startClustered({ name: undefined });
  const own = { cluster: world.broker.clusterName!, cluster_dynamic: true };
  using before = new RoutePeer(world, "SB", 7002);
  const old = await before.join(own, own);
  assertEquals(world.broker.routes().length, 1);
  using peer = new RoutePeer(world);
  const link = await peer.join({ cluster: "EAST" }, { cluster: "EAST" });
  assert(old.ended);
  assert(!link.ended);
  assertEquals(world.broker.routes().map(({ name }) => name), ["SF"]);
});

Deno.test("who dials takes the name from INFO, and dials again with it", async () => {
  await using world = await startClustered({
    name: undefined,
    routes: ["nats-route://memory:7001"],
  });
  using peer = new RoutePeer(world).listen();
  await world.advance(1);
  const { link } = await peer.welcome({ cluster: "EAST" });
  assert(link.ended);
  await world.advance(1500);
  const again = peer.next();
  assert(again.take().includes(`"cluster":"EAST"`));
  await again.exchange(peer.infoLine({ cluster: "EAST" }));
  assertEquals(world.broker.routes().length, 1);
});
