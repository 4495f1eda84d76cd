/** Reloads of servers that are in a cluster. */
import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import type { ConfigInput } from "../../mod.ts";
import { MemoryTransport, SeededRandom, VirtualClock } from "../../src/platform/mod.ts";
import { MemoryBroker } from "../support/memory_broker.ts";
import { MemoryFiles } from "../support/memory_files.ts";
import { Broker } from "../../mod.ts";

/** Longer than it takes to dial again, and for all connections to be there. */
const MEET_MS = 10_000;

type ClusterInput = NonNullable<ConfigInput["cluster"]>;

/** Two servers that may meet, A and B. */
class Pair implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly #settings: ConfigInput[] = [];
  readonly servers: MemoryBroker[] = [];

  /** The servers with settings of their clusters; B dials A, unless it says otherwise. */
  static async start(a: ClusterInput, b: ClusterInput): Promise<Pair> {
    const pair = new Pair(), transport = new MemoryTransport(), clock = new VirtualClock();
    for (const [i, cluster] of [a, b].entries()) {
      const settings: ConfigInput = {
        host: "memory",
        port: 4222 + i,
        server_name: `S${i}`,
        cluster: { name: "C", host: "memory", port: 6222 + i, ...cluster },
      };
      const server = await MemoryBroker.start(settings, new SeededRandom(i + 1), transport, clock);
      pair.#stack.use(server);
      pair.#settings.push(settings);
      pair.servers.push(server);
    }
    await pair.advance();
    return pair;
  }

  get a(): MemoryBroker {
    return this.servers[0]!;
  }

  get b(): MemoryBroker {
    return this.servers[1]!;
  }

  /** Changes the cluster's settings of the server `at`. */
  async reload(at: number, cluster: ClusterInput, more: ConfigInput = {}): Promise<string> {
    const before = this.#settings[at]!;
    const settings = this.#settings[at] = {
      ...before,
      ...more,
      cluster: { ...before.cluster, ...cluster },
    };
    return (await this.servers[at]!.broker.reload(settings)).outcome;
  }

  async advance(ms = MEET_MS): Promise<void> {
    await this.a.advance(ms);
  }

  /** How many connections each server has to the other, and is short of. */
  connections(): [number, number][] {
    return this.servers.map(({ broker }) => [
      broker.statistics.routes,
      broker.routes()[0]?.missing ?? -1,
    ]);
  }

  /** Whether what is published at B comes to a subscriber at A. */
  async delivers(subject: string): Promise<boolean> {
    const subscriber = await this.a.connect(), publisher = await this.b.connect();
    await this.a.exchange(subscriber, `SUB ${subject} 1\r\nPING\r\n`);
    await this.advance(100);
    await this.b.exchange(publisher, `PUB ${subject} 2\r\nhi\r\nPING\r\n`);
    await this.advance(100);
    const text = subscriber.take();
    subscriber.close();
    publisher.close();
    await this.advance(100);
    return text.includes(`MSG ${subject} 1 2\r\nhi\r\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closing = this.servers.map(({ broker }) => broker.close());
    await this.advance(20_000);
    await Promise.all(closing);
    await this.#stack.disposeAsync();
  }
}

const toA = { routes: ["nats-route://memory:6222"] };

Deno.test("a route that is added is dialled, one that is removed is given up", async () => {
  await using pair = await Pair.start({}, {});
  assertEquals(pair.connections(), [[0, -1], [0, -1]]);
  assertEquals(await pair.reload(1, toA), "applied");
  await pair.advance();
  assertEquals(pair.connections(), [[4, 0], [4, 0]]);
  assert(await pair.delivers("x"));
  assertEquals(await pair.reload(1, { routes: [] }), "applied");
  await pair.advance(0);
  assertEquals(pair.connections(), [[0, -1], [0, -1]]);
  assertStringIncludes(pair.b.log.join("\n"), "Removed route memory:6222");
  const { routeDials } = pair.b.broker.statistics;
  await pair.advance(2000);
  assertEquals(pair.b.broker.statistics.routeDials, routeDials);
});

Deno.test("a pool of another size is made anew, and carries messages", async () => {
  await using pair = await Pair.start({}, toA);
  assertEquals(pair.connections(), [[4, 0], [4, 0]]);
  assertEquals(await pair.reload(0, { pool_size: 5 }), "applied");
  await pair.advance();
  assertEquals(pair.connections(), [[6, 0], [6, 0]]);
  assertEquals(await pair.reload(1, { pool_size: 5 }), "applied");
  await pair.advance();
  assertEquals(pair.connections(), [[6, 0], [6, 0]]);
  assert(await pair.delivers("x"));
});

Deno.test("permissions hold for interest that there was before", async () => {
  await using pair = await Pair.start({}, toA);
  assert(await pair.delivers("a.x"));
  assertEquals(await pair.reload(0, { permissions: { import: { deny: "a.>" } } }), "applied");
  await pair.advance();
  assertFalse(await pair.delivers("a.x"));
  assert(await pair.delivers("b.x"));
  assertEquals(await pair.reload(1, { permissions: { export: { deny: "b.>" } } }), "applied");
  await pair.advance();
  assertFalse(await pair.delivers("b.x"));
});

Deno.test("other credentials of routes keep those out that do not show them", async () => {
  const withUser = (password: string) => ({
    authorization: { user: "r", password },
    routes: [`nats-route://r:${password}@memory:6222`],
  });
  await using pair = await Pair.start(
    { authorization: { user: "r", password: "1" } },
    withUser("1"),
  );
  assertEquals(pair.connections(), [[4, 0], [4, 0]]);
  await pair.reload(0, { authorization: { user: "r", password: "2" } });
  await pair.advance();
  assertEquals(pair.connections()[0], [0, -1]);
  await pair.reload(1, withUser("2"));
  await pair.advance();
  assertEquals(pair.connections(), [[4, 0], [4, 0]]);
});

Deno.test("a cluster of another name is another cluster", async () => {
  await using pair = await Pair.start({}, toA);
  await pair.reload(0, { name: "D" });
  await pair.advance();
  assertEquals(pair.connections()[0]![0], 0);
  assertEquals(pair.a.broker.clusterName, "D");
  await pair.reload(1, { name: "D" });
  await pair.advance();
  assertEquals(pair.connections(), [[4, 0], [4, 0]]);
});

Deno.test("servers and clients are told where clients connect to now", async () => {
  await using pair = await Pair.start({}, toA);
  const client = await pair.b.connect();
  assertEquals(await pair.reload(0, {}, { client_advertise: "outside:4333" }), "applied");
  await pair.advance(200);
  assertStringIncludes(client.take(), '"outside:4333"');
  assertEquals(pair.connections(), [[4, 0], [4, 0]]);
  assertEquals(await pair.reload(0, { no_advertise: true }), "applied");
  await pair.advance(200);
  assertFalse(client.take().includes("outside:4333"));
});

Deno.test("what cannot be prepared leaves files, log and limits as they were", async () => {
  const files = new MemoryFiles(), clock = new VirtualClock(), lines: string[] = [];
  const settings: ConfigInput = { host: "memory", pid_file: "old.pid", log_file: "old.log" };
  const broker = await Broker.start(settings, {
    files,
    clock,
    transport: new MemoryTransport(),
    random: new SeededRandom(1),
    writeLog: (line) => lines.push(line),
  });
  const before = broker.config;
  const changed = { ...settings, pid_file: "new.pid", log_file: "new.log", max_payload: 2000 };
  files.failing.add("open");
  const { outcome, message } = await broker.reload(changed);
  assertEquals(outcome, "failed");
  assertStringIncludes(message, "Failed to reload server configuration: log: open new.log");
  assert(broker.config === before);
  assertEquals(files.paths, ["old.log", "old.pid"]);
  files.failing.clear();
  assertEquals((await broker.reload(changed)).outcome, "applied");
  assertEquals(files.paths, ["new.log", "new.pid", "old.log", "old.pid"]);
  assertEquals(files.openFiles, 1);
  assert(files.lines("new.log")!.some((line) => line.endsWith("Reloaded: max_payload = 2000")));
  assertFalse(files.lines("old.log")!.some((line) => line.includes("max_payload")));
  await broker.close();
  assertEquals([files.openFiles, lines], [0, []]);
});
