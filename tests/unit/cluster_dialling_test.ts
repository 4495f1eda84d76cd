import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { SeededRandom } from "../../src/platform/mod.ts";
import { type BrokerSettings, MemoryBroker } from "../support/memory_broker.ts";
import { ResolvingTransport } from "../support/resolving_transport.ts";
import { clustered, infosIn, type RouteLink, RoutePeer } from "../support/route_peer.ts";

/** A broker whose network can be looked into. */
async function start(settings: BrokerSettings) {
  const network = new ResolvingTransport();
  const world = await MemoryBroker.start(settings, new SeededRandom(3), network);
  return { network, world };
}

/** When something was dialled during the next `durationMs`, in milliseconds from now. */
async function dialTimes(
  world: MemoryBroker,
  network: ResolvingTransport,
  durationMs: number,
  meanwhile = () => {},
): Promise<number[]> {
  const times: number[] = [], startMs = world.clock.monotonic();
  let before = network.dialled.length;
  for (let atMs = 0; atMs < durationMs; atMs += 10) {
    await world.advance(10);
    meanwhile();
    for (; before < network.dialled.length; before++) {
      times.push(world.clock.monotonic() - startMs);
    }
  }
  return times;
}

/** The pauses between times. */
function pauses(times: number[]): number[] {
  return times.slice(1).map((time, index) => time - times[index]!);
}

/** How late what is due may be: jitter, and how often it is looked. */
const LATE_MS = 100 + 250 + 20;

Deno.test("a configured route is dialled about every second for ever", async () => {
  const { network, world } = await start(clustered({ routes: ["nats-route://memory:7001"] }));
  await using _ = world;
  const all = pauses(await dialTimes(world, network, 30_000));
  assertGreaterOrEqual(all.length, 20);
  for (const pause of all) {
    assertGreaterOrEqual(pause, 1000);
    assertLessOrEqual(pause, 1000 + LATE_MS);
  }
  await world.advance(600_000);
  using peer = new RoutePeer(world).listen();
  await world.advance(1000 + LATE_MS);
  await peer.welcome();
  assertEquals(world.broker.routes().length, 1);
  const errors = world.log.filter((line) => line.includes("Error trying to connect"));
  assertLessOrEqual(errors.length, 12, "the log is not filled with it");
  assertGreaterOrEqual(errors.length, 2);
});

Deno.test("with connect_backoff the pauses double up to 30 s", async () => {
  const { network, world } = await start(
    clustered({ routes: ["nats-route://memory:7001"], connect_backoff: true }),
  );
  await using _ = world;
  const all = pauses(await dialTimes(world, network, 130_000));
  [1, 2, 4, 8, 16, 30, 30].forEach((seconds, index) => {
    assertGreaterOrEqual(all[index]!, seconds * 1000);
    assertLessOrEqual(all[index]!, seconds * 1000 + LATE_MS);
  });
  // Success makes them short again.
  using peer = new RoutePeer(world).listen();
  await world.advance(31_000);
  const { link } = await peer.welcome();
  peer.stopListening();
  link.close();
  const [first, second] = await dialTimes(world, network, 5000);
  assertLessOrEqual(first!, 1000 + LATE_MS);
  assertLessOrEqual(second! - first!, 1000 + LATE_MS);
});

for (const connect_retries of [0, 3]) {
  Deno.test(`what was only heard of is dialled once and ${connect_retries} times more`, async () => {
    const { network, world } = await start(clustered({ connect_retries }));
    await using _ = world;
    using teller = new RoutePeer(world, "S1", 7001), absent = new RoutePeer(world, "S2", 7002);
    const link = await teller.join();
    const tell = () => link.send(absent.infoLine({ ip: "nats-route://memory:7002/" }));
    tell();
    const times = await dialTimes(world, network, 60_000, () => link.send("PONG\r\n"));
    assertEquals(times.length, 1 + connect_retries);
    assertEquals(new Set(network.dialled.slice(1)).size, 1);
    for (const pause of pauses(times)) {
      assertGreaterOrEqual(pause, 500);
      assertLessOrEqual(pause, 5000 + LATE_MS);
    }
    // Told again, it is dialled again.
    tell();
    await world.advance(10);
    assertEquals(network.dialled.length, 1 + 1 + connect_retries + 1);
  });
}

Deno.test("the addresses of a host are tried in turn, none longer than a second", async () => {
  const { network, world } = await start(
    clustered({ routes: ["nats-route://many:7001"], ping_interval: "30s" }),
  );
  await using _ = world;
  network.hosts.set("many", ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]);
  network.silent.add("10.0.0.1").add("10.0.0.3");
  using peer = new RoutePeer(world).listen("10.0.0.4");
  await world.advance(3000);
  const { text } = await peer.welcome();
  assertEquals(infosIn(text).length, 1);
  const tried = new Set(network.dialled);
  assertEquals(tried.size, network.dialled.length, "each once");
  assertEquals(network.dialled.at(-1), "10.0.0.4:7001");
  assertEquals(world.broker.routes().length, 1);
  assertEquals(world.broker.statistics.routeDials, 1);
});

Deno.test("it is not always the same address that is tried first", async () => {
  const { network, world } = await start(clustered({ routes: ["nats-route://many:7001"] }));
  await using _ = world;
  const addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
  network.hosts.set("many", addresses);
  await world.advance(30_000);
  const firsts = new Set<string>();
  for (let i = 0; i + 3 <= network.dialled.length; i += 3) firsts.add(network.dialled[i]!);
  assertEquals([...firsts].sort(), addresses.map((address) => `${address}:7001`));
});

Deno.test("a host without an address, and one that does not answer, are tried again", async () => {
  const { network, world } = await start(
    clustered({ routes: ["nats-route://none:7001", "nats-route://deaf:7001"] }),
  );
  await using _ = world;
  network.hosts.set("none", []);
  network.silent.add("deaf");
  await world.advance(10_000);
  network.hosts.set("none", ["memory"]);
  network.silent.delete("deaf");
  using peer = new RoutePeer(world).listen();
  await world.advance(2500);
  await peer.welcome();
  assert(network.dialled.filter((address) => address === "deaf:7001").length > 3);
});

Deno.test("this server itself is dialled once and never again", async () => {
  const { network, world } = await start(
    clustered({ routes: ["nats-route://memory:6222", "nats-route://other:6222"] }),
  );
  await using _ = world;
  network.hosts.set("other", ["memory"]);
  await world.advance(120_000);
  assertEquals(network.dialled, ["memory:6222", "memory:6222"]);
  assertEquals(world.broker.routes(), []);
  assert(!JSON.stringify(world.broker.tasks()).includes("route:"));
  assert(!world.log.some((line) => line.includes("[ERR]")), "nothing is wrong");
});

Deno.test("of a name for all servers this one's own address is left out, and the others are dialled", async () => {
  // Whatever address is tried first.
  for (let seed = 1; seed <= 6; seed++) {
    const network = new ResolvingTransport();
    await using world = await MemoryBroker.start(
      clustered({ host: "10.0.0.1", port: 6222, routes: ["nats-route://all:6222"] }),
      new SeededRandom(seed),
      network,
    );
    // The others are not there yet.
    network.hosts.set("all", ["10.0.0.1"]);
    await world.advance(10_000);
    assertEquals(network.dialled, ["10.0.0.1:6222"], "and never again");
    network.hosts.set("all", ["10.0.0.1", "10.0.0.2"]);
    using peer = new RoutePeer(world, "S2", 6222).listen("10.0.0.2");
    await world.advance(5000 + LATE_MS);
    await peer.welcome();
    assertEquals(world.broker.routes().length, 1);
    assertEquals(network.dialled, ["10.0.0.1:6222", "10.0.0.2:6222"]);
  }
});

Deno.test("where one address of a name is this server itself, the next is dialled at once", async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const network = new ResolvingTransport();
    network.hosts.set("all", ["10.0.0.1", "10.0.0.2"]);
    await using world = await MemoryBroker.start(
      clustered({ host: "10.0.0.1", port: 6222, routes: ["nats-route://all:6222"] }),
      new SeededRandom(seed),
      network,
    );
    using peer = new RoutePeer(world, "S2", 6222).listen("10.0.0.2");
    await world.advance(300);
    await peer.welcome();
    assertEquals(world.broker.routes().length, 1);
  }
});

/** What a server that is dialled may do so that nothing comes of it. */
const FAILURES:
  readonly (readonly [what: string, act: (peer: RoutePeer, link: RouteLink) => void])[] = [
    ["closes at once", (_, link) => link.close()],
    ["is of another cluster", (peer, link) => void link.send(peer.infoLine({ cluster: "XX" }))],
    ["has this one's name", (peer, link) => void link.send(peer.infoLine({ server_name: "SA" }))],
    ["refuses the credentials", (peer, link) => {
      link.send(peer.infoLine() + "-ERR 'Authorization Violation'\r\n");
    }],
    ["says something else", (_, link) => void link.send("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ];

for (const [what, act] of FAILURES) {
  Deno.test(`a configured server that ${what} is dialled again for ever`, async () => {
    const { network, world } = await start(clustered({ routes: ["nats-route://memory:7001"] }));
    await using _ = world;
    using peer = new RoutePeer(world).listen();
    const times = await dialTimes(world, network, 12_000, () => {
      while (peer.accepted.length > 0) act(peer, peer.next());
    });
    assertGreaterOrEqual(times.length, 8);
    for (const pause of pauses(times)) assertGreaterOrEqual(pause, 1000);
    assertEquals(world.broker.routes(), []);
    while (peer.accepted.length === 0) await world.advance(100);
    await peer.welcome();
    assertEquals(world.broker.routes().length, 1);
  });
}

Deno.test("a configured route that is lost is dialled again after a second", async () => {
  const { network, world } = await start(clustered({ routes: ["nats-route://memory:7001"] }));
  await using _ = world;
  using peer = new RoutePeer(world).listen();
  await world.advance(1);
  for (let i = 0; i < 5; i++) {
    const { link } = await peer.welcome();
    link.close();
    const [first] = await dialTimes(world, network, 1500);
    assertGreaterOrEqual(first!, 1000);
    assertLessOrEqual(first!, 1000 + LATE_MS);
  }
});

/** Answers the PINGs of all of `links` while time passes. */
async function live(world: MemoryBroker, durationMs: number, ...links: RouteLink[]) {
  for (let atMs = 0; atMs < durationMs; atMs += 1000) {
    for (const link of links) link.send("PONG\r\n");
    await world.advance(1000);
  }
}

Deno.test("a server that was there once comes back however long it was away", async () => {
  for (const kind of ["heard of", "accepted"] as const) {
    const { network, world } = await start(clustered());
    await using _ = world;
    using teller = new RoutePeer(world, "S1", 7001);
    const teller1 = await teller.join();
    {
      using gone = new RoutePeer(world, "S2", 7002);
      if (kind === "accepted") await gone.join();
      else {
        gone.listen();
        teller1.send(gone.infoLine({ ip: "nats-route://memory:7002/" }));
        await world.advance(1);
        await gone.welcome();
      }
      assertEquals(world.broker.routes().length, 2);
    }
    await live(world, 1_800_000, teller1);
    assertEquals(world.broker.routes().length, 1);
    const before = network.dialled.length;
    await live(world, 60_000, teller1);
    const attempts = network.dialled.length - before;
    assertGreaterOrEqual(attempts, 8, "still tried");
    assertLessOrEqual(attempts, 60, "but not all the time");
    // With a new id, as after a restart.
    using back = new RoutePeer(world, "S2", 7002, { server_id: "N".padEnd(56, "B") }).listen();
    await live(world, 6000, teller1);
    await back.welcome();
    assertEquals(world.broker.routes().length, 2);
  }
});

Deno.test("a server that has said goodbye is not dialled again, unless it is configured", async () => {
  for (const isConfigured of [true, false]) {
    const { network, world } = await start(
      clustered(isConfigured ? { routes: ["nats-route://memory:7001"] } : {}),
    );
    await using _ = world;
    using peer = new RoutePeer(world);
    if (isConfigured) peer.listen();
    await world.advance(1);
    const link = isConfigured ? (await peer.welcome()).link : await peer.join();
    await link.exchange(peer.infoLine({ ldm: true }));
    const before = network.dialled.length;
    link.close();
    await world.advance(60_000);
    assertEquals(network.dialled.length > before, isConfigured);
  }
});

Deno.test("nothing is dialled any more once the broker closes", async () => {
  const { network, world } = await start(
    clustered({ routes: ["nats-route://memory:7001", "nats-route://deaf:7001"] }),
  );
  network.silent.add("deaf");
  await world.advance(2500);
  await world[Symbol.asyncDispose]();
  const before = network.dialled.length;
  await world.advance(60_000);
  assertEquals(network.dialled.length, before);
  assertEquals(network.waiting, 0);
  assertEquals(world.clock.pendingTimers, 0);
});

Deno.test("a port for clients is refused, and its server is no peer", async () => {
  const { world } = await start(clustered({ routes: ["nats-route://memory:7001"] }));
  await using _ = world;
  using peer = new RoutePeer(world).listen();
  await world.advance(10);
  const { link } = await peer.welcome({ client_id: 5, client_ip: "127.0.0.1" });
  await world.advance(100);
  assert(link.ended);
  assertEquals(world.broker.routes(), []);
  assert(world.log.some((line) => line.includes("Attempted to connect to a client port")));
});

Deno.test("a server of another cluster is dialled again and again, and that told once a minute", async () => {
  const { world } = await start(clustered({ routes: ["nats-route://memory:7001"] }));
  await using _ = world;
  using peer = new RoutePeer(world).listen();
  for (let i = 0; i < 20; i++) {
    await world.advance(i === 0 ? 10 : 1000 + LATE_MS);
    await peer.welcome({ cluster: "XX" });
  }
  assertEquals(world.log.filter((line) => line.includes("does not match")).length, 1);
});
