/** A broker inside a program: starting, watching, connecting within the process, closing. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Broker,
  type BrokerEvents,
  ConfigError,
  type Connection,
  ConnectionError,
  ListenError,
  MemoryTransport,
  ScopeClosedError,
  type TaskInfo,
} from "../../mod.ts";
import { hashSync } from "bcryptjs";
import {
  AcceptError,
  FileError,
  type Listener,
  type Transport,
  VirtualClock,
} from "../../src/platform/mod.ts";
import { startBroker } from "../support/broker.ts";
import { MemoryFiles } from "../support/memory_files.ts";
import { connectClient, Received, soon, status } from "../support/nats_client.ts";

/** Reads a client's end of a byte stream as text. */
class TextReader {
  readonly #connection: Connection;
  readonly #chunk = new Uint8Array(4096);
  #text = "";

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Takes everything up to and including `end`. */
  async until(end: string): Promise<string> {
    for (;;) {
      const at = this.#text.indexOf(end);
      if (at >= 0) {
        const taken = this.#text.slice(0, at + end.length);
        this.#text = this.#text.slice(at + end.length);
        return taken;
      }
      const count = await soon(this.#connection.read(this.#chunk));
      if (count === null) throw new Error(`the stream ended behind ${JSON.stringify(this.#text)}`);
      this.#text += new TextDecoder().decode(this.#chunk.subarray(0, count));
    }
  }

  /** Takes everything up to the end of the stream. */
  async rest(): Promise<string> {
    for (;;) {
      const count = await soon(this.#connection.read(this.#chunk));
      if (count === null) return this.#text;
      this.#text += new TextDecoder().decode(this.#chunk.subarray(0, count));
    }
  }
}

async function say(connection: Connection, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let from = 0; from < bytes.length;) from += await connection.write(bytes.subarray(from));
}

/** The names of what runs, children indented below their parents. */
function outline(task: TaskInfo, indent = ""): string[] {
  return [indent + task.name, ...task.children.flatMap((child) => outline(child, indent + "  "))];
}

/** Every number in an object and in the objects in it. */
function numbers(value: object): number[] {
  return Object.values(value).flatMap((each) => typeof each === "object" ? numbers(each) : each);
}

/** Writes down the events of a broker. */
function record(broker: Broker): string[] {
  const events: string[] = [];
  const types = ["connected", "disconnected", "panic", "closing", "closed"] as const;
  for (const type of types) broker.on(type, (event) => events.push(describe(type, event)));
  return events;
}

function describe<K extends keyof BrokerEvents>(type: K, event: BrokerEvents[K]): string {
  const { name, user, reason, drain } = event as Record<string, unknown>;
  const facts = [name, user, reason, drain].filter((fact) => fact !== undefined && fact !== null);
  return [type, ...facts].join(" ");
}

Deno.test("a broker on a random port serves as long as its block lasts", async () => {
  let port: number;
  {
    await using broker = await Broker.start({ host: "127.0.0.1", port: -1 });
    ({ port } = broker.address);
    assert(port > 0);
    assertEquals(broker.address.hostname, "127.0.0.1");
    assertEquals(broker.config.port, -1);
    assertEquals(broker.name, broker.id);
    await using client = await connectClient(broker);
    assertEquals(client.info?.port, port);
  }
  await assertRejects(() => Deno.connect({ port }), Deno.errors.ConnectionRefused);
});

Deno.test("two brokers of one process have nothing to do with each other", async () => {
  await using first = await startBroker({ server_name: "first" });
  await using second = await startBroker({ server_name: "second" });
  await using a = await connectClient(first);
  await using b = await connectClient(second);
  const [onFirst, onSecond] = [new Received(a, ">"), new Received(b, ">")];
  await Promise.all([a.flush(), b.flush()]);
  a.publish("for.first");
  b.publish("for.second");
  await Promise.all([a.flush(), b.flush()]);
  assertEquals(onFirst.messages.map(({ subject }) => subject), ["for.first"]);
  assertEquals(onSecond.messages.map(({ subject }) => subject), ["for.second"]);
  assertEquals([first.statistics.inMessages, second.statistics.inMessages], [1, 1]);
  await a.close();
  await first.close();
  await b.flush();
});

Deno.test("events tell who comes and goes, and the end", async () => {
  const broker = await startBroker({ authorization: { user: "alice", password: "a" } });
  const events = record(broker);
  const left = Promise.withResolvers<void>();
  using once = broker.on("disconnected", () => left.resolve());
  const first = await connectClient(broker, { name: "one", user: "alice", pass: "a" });
  await first.flush();
  await first.close();
  await soon(left.promise);
  once[Symbol.dispose]();
  await assertRejects(() => connectClient(broker, { name: "stranger" }));
  const second = await connectClient(broker, { name: "two", user: "alice", pass: "a" });
  await broker.close();
  await soon(second.closed());
  assertEquals(events.filter((event) => !event.includes("stranger")), [
    "connected one alice",
    "disconnected one alice Client Closed",
    "connected two alice",
    "closing false",
    "disconnected two alice Server Shutdown",
    "closed",
  ]);
  assertEquals(events.filter((event) => event.includes("stranger")), [
    "disconnected stranger Authentication Failure",
  ]);
});

Deno.test("an event says where a client is", async () => {
  await using broker = await startBroker();
  const seen: BrokerEvents["connected"][] = [];
  using _ = broker.on("connected", (event) => seen.push(event));
  await using client = await connectClient(broker);
  assertEquals(seen.length, 1);
  assertEquals(seen[0]!.id, client.info!.client_id);
  assertEquals(seen[0]!.address.hostname, "127.0.0.1");
  assertEquals(seen[0]!.user, null);
});

Deno.test("a listener of events that throws harms nobody and is logged", async () => {
  const lines: string[] = [];
  await using broker = await Broker.start(
    { host: "127.0.0.1", port: -1 },
    { writeLog: (line) => lines.push(line) },
  );
  let heard = 0;
  using _first = broker.on("connected", () => {
    throw new Error("a mistake");
  });
  using _second = broker.on("connected", () => heard++);
  await using client = await connectClient(broker);
  await client.flush();
  assertEquals(heard, 1);
  assert(lines.every((line) => line.endsWith("\n")));
  const log = lines.join("");
  assert(log.includes(`Listening for client connections on 127.0.0.1:${broker.address.port}`), log);
  assert(log.includes("a mistake"), log);
});

Deno.test("statistics count what was done and what is there", async () => {
  await using broker = await startBroker();
  assertEquals(new Set(numbers(broker.statistics)), new Set([0]));
  const gone = Promise.withResolvers<void>();
  using _ = broker.on("disconnected", () => gone.resolve());
  await using publisher = await connectClient(broker);
  const subscriber = await connectClient(broker);
  const [a, b] = [new Received(subscriber, "n"), new Received(subscriber, "*")];
  await subscriber.flush();
  for (let i = 0; i < 10; i++) publisher.publish("n", "12345");
  publisher.publish("nobody.cares", "123");
  await publisher.flush();
  await Promise.all([a.count(10), b.count(10)]);
  const { inMessages, inBytes, outMessages, outBytes, connections, subscriptions } =
    broker.statistics;
  assertEquals([inMessages, inBytes], [11, 53]);
  assertEquals([outMessages, outBytes], [20, 100]);
  assertEquals([connections, subscriptions], [2, 2]);

  await subscriber.close();
  await soon(gone.promise);
  await publisher.flush();
  const after = broker.statistics;
  assertEquals([after.connections, after.totalConnections, after.subscriptions], [1, 2, 0]);
  // What was sent to those who left still counts.
  assertEquals([after.outMessages, after.outBytes], [20, 100]);
});

Deno.test("rates are those of the last second", async () => {
  const clock = new VirtualClock();
  await using broker = await Broker.start({}, { clock, transport: new MemoryTransport() });
  const client = broker.connect(), reader = new TextReader(client);
  await say(client, 'CONNECT {"verbose":false}\r\nSUB a 1\r\n' + "PUB a 4\r\nabcd\r\n".repeat(50));
  await say(client, "PING\r\n");
  await reader.until("PONG\r\n");
  await clock.advance(1000);
  assertEquals(broker.statistics.perSecond, {
    inMessages: 50,
    inBytes: 200,
    outMessages: 50,
    outBytes: 200,
  });
  await clock.advance(1000);
  assertEquals(broker.statistics.perSecond.inMessages, 0);
  client.close();
});

Deno.test("everything that runs is in the tree of tasks, and nothing is after the end", async () => {
  const broker = await startBroker();
  const client = await connectClient(broker);
  const names = outline(broker.tasks());
  assertEquals(names[0], "broker");
  assert(names.includes("  accept:clients"), names.join("\n"));
  assert(names.includes("  clients"), names.join("\n"));
  assert(names.includes(`    client:${client.info!.client_id}`), names.join("\n"));
  assertEquals(broker.tasks().state, "running");
  await broker.close();
  await soon(client.closed());
  const { state, children } = broker.tasks();
  assertEquals([state, children.length], ["closed", 0]);
});

Deno.test("connect() is a client's end of a byte stream", async () => {
  await using broker = await startBroker();
  await using outside = await connectClient(broker);
  const heard = new Received(outside, "to.outside");
  await outside.flush();

  const inside = broker.connect(), reader = new TextReader(inside);
  const info = JSON.parse((await reader.until("\r\n")).slice("INFO ".length));
  assertEquals(info.server_id, broker.id);
  await say(inside, 'CONNECT {"verbose":false,"name":"bytes"}\r\nPING\r\n');
  assertEquals((await reader.until("PONG\r\n")).trim(), "PONG");
  await say(inside, "SUB to.inside 7\r\nPUB to.outside 5\r\nhello\r\nPING\r\n");
  await reader.until("PONG\r\n");
  await heard.count(1);
  assertEquals(heard.texts, ["hello"]);
  outside.publish("to.inside", "welcome");
  assertEquals(await reader.until("welcome\r\n"), "MSG to.inside 7 7\r\nwelcome\r\n");
  assertEquals(broker.statistics.connections, 2);

  const gone = Promise.withResolvers<string>();
  using _ = broker.on("disconnected", ({ name }) => gone.resolve(name));
  inside.close();
  assertEquals(await soon(gone.promise), "bytes");
});

Deno.test("connections within the process obey the limits of all others", async () => {
  await using broker = await startBroker({ authorization: { token: "t" } });
  const stranger = broker.connect(), reader = new TextReader(stranger);
  await reader.until("\r\n");
  await say(stranger, 'CONNECT {"auth_token":"x"}\r\n');
  assertEquals(await reader.rest(), "-ERR 'Authorization Violation'\r\n");
  stranger.close();
});

Deno.test("a broker needs no port", async () => {
  await using broker = await Broker.start({}, { transport: new MemoryTransport() });
  const client = broker.connect(), reader = new TextReader(client);
  await say(client, 'CONNECT {"verbose":false}\r\nSUB a 1\r\nPUB a 2\r\nhi\r\n');
  await reader.until("MSG a 1 2\r\nhi\r\n");
  client.close();
});

Deno.test("close() sends what is queued, and may be called again at any time", async () => {
  const broker = await startBroker();
  const events = record(broker);
  const client = broker.connect(), reader = new TextReader(client);
  await say(client, 'CONNECT {"verbose":false}\r\nSUB a 1\r\nPUB a 2\r\nhi\r\nPING\r\n');
  await reader.until("PONG\r\n");
  await say(client, "PUB a 3\r\nbye\r\n");
  const closings = [broker.close(), broker.close(), broker[Symbol.asyncDispose](), broker.closed];
  await soon(Promise.all(closings));
  assertEquals(await reader.rest(), "MSG a 1 3\r\nbye\r\n");
  await soon(broker.close({ drain: true }));
  await soon(broker.closed);
  assertEquals(events.filter((event) => event.startsWith("clos")), ["closing false", "closed"]);
  client.close();
});

Deno.test("close({ drain: true }) tells clients, and ends when they have left", async () => {
  const broker = await startBroker();
  const { port } = broker.address;
  const client = await connectClient(broker);
  const worker = new Received(client, "jobs");
  await client.flush();
  const told = status(client, "ldm");
  const closing = broker.close({ drain: true, drainMs: 60_000 });
  await told;
  assertEquals(client.info?.ldm, true);
  await assertRejects(() => Deno.connect({ port }), Deno.errors.ConnectionRefused);
  assertThrows(() => broker.connect(), ScopeClosedError);
  // What is said before leaving still counts.
  client.publish("jobs", "last");
  await client.drain();
  assertEquals(worker.texts, ["last"]);
  await soon(closing);
});

Deno.test("close({ drain: true }) does not wait longer than it was told to", async () => {
  const clock = new VirtualClock();
  const broker = await Broker.start({}, { clock, transport: new MemoryTransport() });
  const client = broker.connect(), reader = new TextReader(client);
  await say(client, 'CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n');
  await reader.until("PONG\r\n");
  let closed = false;
  const closing = broker.close({ drain: true, drainMs: 30_000 }).then(() => closed = true);
  await reader.until('"ldm":true');
  await clock.advance(29_000);
  assertEquals(closed, false);
  await clock.advance(1000);
  await soon(closing);
  await reader.rest();
  client.close();
});

Deno.test("a configuration that cannot be starts nothing and says all that is wrong", async () => {
  const error = await assertRejects(
    () => Broker.start({ host: "127.0.0.1", port: 70_000, max_payload: "lots" }),
    ConfigError,
  );
  assertEquals(error.problems.map(({ path }) => path), ["port", "max_payload"]);
});

Deno.test("a port that is taken is an error that leaves nothing behind", async () => {
  const holder = await startBroker();
  const { port } = holder.address;
  const error = await assertRejects(() => startBroker({ port }), ListenError);
  assert(error.message.includes(`127.0.0.1:${port}`), error.message);
  await holder.close();
  await using next = await startBroker({ port });
  assertEquals(next.address.port, port);
});

Deno.test("a start that fails leaves no file behind, and the port free", async () => {
  const files = new MemoryFiles(), transport = new MemoryTransport();
  const config = { host: "memory", port: 7, pid_file: "/pid", ports_file_dir: "/ports" };
  const writeText = files.writeText.bind(files);
  files.writeText = (path, text) =>
    path.endsWith(".ports")
      ? Promise.reject(new FileError(`${path}: no space left`))
      : writeText(path, text);
  await assertRejects(() => Broker.start(config, { transport, files }), FileError, "no space left");
  assertEquals(files.paths, []);
  await assertRejects(() => transport.connect({ hostname: "memory", port: 7 }));
  files.writeText = writeText;
  await using broker = await Broker.start(config, { transport, files });
  assertEquals([broker.address.port, files.paths.length], [7, 2]);
});

Deno.test("a broker that loses its listener closes by itself, and says why once", async () => {
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => {});
  const listener: Listener = {
    address: { hostname: "lost", port: 1 },
    accept: () => lost.promise,
    close: () => lost.reject(new AcceptError("closed", false, { closed: true })),
  };
  const transport: Transport = {
    listen: () => listener,
    connect: () => Promise.reject(new Error("not needed")),
  };
  const lines: string[] = [];
  const broker = await Broker.start({}, { transport, writeLog: (line) => lines.push(line) });
  const events = record(broker);
  lost.reject(new AcceptError("bad file descriptor", false));
  await soon(broker.closed);
  assertEquals(events, ["panic", "closing false", "closed"]);
  const panics = lines.filter((line) => line.includes("Panic in broker/accept:clients"));
  assertEquals(panics.length, 1, lines.join(""));
  assert(panics[0]!.includes("bad file descriptor"), panics[0]);
});

Deno.test("start-up warns of what leaves a broker open, and of nothing else", async () => {
  const warnings = async (config: Parameters<typeof Broker.start>[0]) => {
    const lines: string[] = [], transport = new MemoryTransport();
    await using _ = await Broker.start(config, { transport, writeLog: (line) => lines.push(line) });
    return lines.flatMap((line) => /\[WRN\] ([^:,]*)/.exec(line)?.[1] ?? []);
  };
  const plain = "Plaintext passwords or tokens detected";
  assertEquals(await warnings({ host: "127.0.0.1" }), []);
  assertEquals(await warnings({ host: "0.0.0.0" }), ["No authentication is configured"]);
  assertEquals(await warnings({ host: "0.0.0.0", authorization: { token: "t" } }), [plain]);
  assertEquals(await warnings({ authorization: { token: hashSync("t", 4) } }), []);
  assertEquals(await warnings({ authorization: { user: "ann" } }), ["Users without a password"]);
  const guest = { user: "guest", password: hashSync("t", 4), permissions: { publish: "a" } };
  assertEquals(
    await warnings({ host: "0.0.0.0", authorization: { users: [guest] }, no_auth_user: "guest" }),
    [],
  );
  const users = [guest, { user: "ann", password: "in the clear" }];
  assertEquals(await warnings({ authorization: { users }, no_auth_user: "guest" }), [plain]);
});

Deno.test("a program ends by itself once its broker has closed, also when it checked a bcrypt hash", async () => {
  const mod = new URL("../../mod.ts", import.meta.url).href;
  const program = `
    import { Broker } from ${JSON.stringify(mod)};
    const broker = await Broker.start(
      { host: "127.0.0.1", port: -1, authorization: { token: ${
    JSON.stringify(hashSync("t", 4))
  } } },
    );
    const client = broker.connect(), bytes = new Uint8Array(4096);
    await client.write(new TextEncoder().encode('CONNECT {"auth_token":"t"}\\r\\nPING\\r\\n'));
    for (let text = ""; !text.includes("PONG");) {
      text += new TextDecoder().decode(bytes.subarray(0, await client.read(bytes)));
    }
    client.close();
    await broker.close();
    console.log("closed");`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    cwd: decodeURIComponent(new URL("../..", import.meta.url).pathname),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals([code, text(stdout)], [0, "closed\n"], text(stderr));
});

Deno.test("50 brokers come and go without leaving a task or a socket", async () => {
  for (let i = 0; i < 50; i++) {
    await using broker = await startBroker();
    const client = broker.connect(), reader = new TextReader(client);
    await say(client, "SUB a 1\r\nPING\r\n");
    await reader.until("PONG\r\n");
    await broker.close();
    assertEquals(broker.tasks().children, []);
    client.close();
  }
});

Deno.test("who imports mod.ts does not load nats-core", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", decodeURIComponent(new URL("../../mod.ts", import.meta.url).pathname)],
  }).output();
  assertEquals(code, 0);
  const graph = new TextDecoder().decode(stdout);
  assert(graph.includes("broker.ts"));
  const { modules } = JSON.parse(graph) as { modules: { specifier: string }[] };
  assertEquals(modules.filter(({ specifier }) => specifier.includes("nats-core")), []);
});

Deno.test("an in-process client that writes without end does not stop the program", async () => {
  await using broker = await Broker.start({ host: "127.0.0.1", port: -1 });
  const connection = broker.connect(), encoder = new TextEncoder();
  const reading = (async () => {
    const buffer = new Uint8Array(4096);
    // Closing below ends a read that is waiting.
    await assertRejects(async () => {
      while (await connection.read(buffer) !== null);
    }, ConnectionError);
  })();
  const noise = encoder.encode(`PUB nobody 100\r\n${"x".repeat(100)}\r\n`.repeat(500));
  let over = false, written = 0;
  const timer = setTimeout(() => over = true, 100);
  await connection.write(encoder.encode(`CONNECT {"verbose":false,"pedantic":false}\r\n`));
  // Each write is taken at once, so this is a loop of microtasks; only a timer can end it.
  while (!over && written < 4_000_000_000) {
    for (let at = 0; at < noise.length;) at += await connection.write(noise.subarray(at));
    written += noise.length;
  }
  clearTimeout(timer);
  assertEquals(over, true);
  connection.close();
  await reading;
});
