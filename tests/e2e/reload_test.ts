/** Reloads of the command, with the official client: by signals, by a change of the file, under load. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { NatsConnection } from "@nats-io/transport-node";
import { runCommand, RunningCommand } from "../support/command.ts";
import { eventually } from "../support/eventually.ts";
import { connectClient, Received, soon, status } from "../support/nats_client.ts";

/** A server that runs by a file. */
class ReloadingServer implements AsyncDisposable {
  readonly #folder: string;
  readonly command: RunningCommand;
  address = { hostname: "", port: 0 };

  private constructor(folder: string, command: RunningCommand) {
    this.#folder = folder;
    this.command = command;
  }

  static async start(config: string, file = "denats.yaml"): Promise<ReloadingServer> {
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/${file}`, config);
    const flags = ["-a", "127.0.0.1", "-p", "-1", "-P", `${folder}/pid`];
    const command = new RunningCommand(["-c", `${folder}/${file}`, ...flags]);
    const server = new ReloadingServer(folder, command);
    server.#file = file;
    server.address = await command.listening();
    await command.stderrMatch(/Server is ready/);
    return server;
  }

  #file = "";

  get pidFile(): string {
    return `${this.#folder}/pid`;
  }

  /** The lines of its log that match. */
  lines(pattern: RegExp): string[] {
    return this.command.stderr.split("\n").filter((line) => pattern.test(line));
  }

  async write(config: string): Promise<void> {
    await Deno.writeTextFile(`${this.#folder}/${this.#file}`, config);
  }

  /** Writes the file, sends SIGHUP, and waits for what the log says came of it. */
  async reload(config: string): Promise<string> {
    await this.write(config);
    return await this.outcome(() => this.command.kill("SIGHUP"));
  }

  /** Waits for what the log says came of the next reload. */
  async outcome(begin: () => unknown = () => {}): Promise<string> {
    const pattern = /Reloaded server configuration|Failed to reload/;
    const before = this.lines(pattern).length;
    await begin();
    await eventually("the end of a reload", () => this.lines(pattern).length > before);
    return this.lines(pattern)[before]!.replace(/^.*\[(?=[A-Z]{3}\])/, "[");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.command[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

const users = (...lines: string[]) =>
  `authorization:\n  users:\n${lines.map((line) => `    - { ${line} }\n`).join("")}`;

Deno.test("SIGHUP reloads the file; what cannot be leaves everything as it was", async () => {
  await using server = await ReloadingServer.start("max_payload: 1MB\n");
  await using client = await connectClient(server);
  assertEquals(
    await server.reload("max_payload: 2000\n"),
    "[INF] Reloaded server configuration changes=1",
  );
  await eventually("the client knows", () => client.info?.max_payload === 2000);
  assertEquals(
    await server.reload("max_payload: 3000\nmax_pending: 1MB\n"),
    "[ERR] Failed to reload server configuration: " +
      "config reload not supported for MaxPending: old=67108864, new=1048576",
  );
  assertMatch(await server.reload("max_payload: 3000\nbogus: 1\n"), /bogus: unknown key$/);
  await client.flush();
  assertEquals(client.info?.max_payload, 2000);
  assertEquals(server.lines(/Trapped "hangup" signal/).length, 3);
});

Deno.test("--signal reload finds the server by its pid, or by its pid file", async () => {
  await using server = await ReloadingServer.start("debug: false\n");
  for (const target of [String(server.command.pid), server.pidFile]) {
    const outcome = await server.outcome(async () => {
      const { code, stderr } = await runCommand(["--signal", `reload=${target}`]);
      assertEquals([code, stderr], [0, ""]);
    });
    assertEquals(outcome, "[INF] Reloaded server configuration changes=0");
  }
  const { code } = await runCommand(["-sl", `term=${server.pidFile}`]);
  assertEquals([code, (await server.command.outcome()).code], [0, 0]);
  const late = await runCommand(["-sl", `term=${server.command.pid}`]);
  assertEquals(late.code, 1);
  assertMatch(
    late.stderr,
    /^denats: cannot send a signal to process \d+: there is no such process\n$/,
  );
});

Deno.test("a file that is watched is reloaded when it changes, in nats-server's format too", async () => {
  await using server = await ReloadingServer.start("reload_on_change: true\n", "denats.conf");
  const outcome = await server.outcome(() =>
    server.write("reload_on_change: true\nmax_payload: 2000\n")
  );
  assertEquals(outcome, "[INF] Reloaded server configuration changes=1");
  assertEquals(
    await server.outcome(() => server.write("reload_on_change: false\n")),
    "[INF] Reloaded server configuration changes=2",
  );
});

Deno.test("users who lost their right are disconnected, the others are not touched", async () => {
  const all = ["user: ann, password: a", "user: bob, password: b", "user: cyd, password: c"];
  await using server = await ReloadingServer.start(users(...all));
  const connectAs = (user: string) => connectClient(server, { user, pass: user[0]! });
  const [ann, bob, cyd] = [await connectAs("ann"), await connectAs("bob"), await connectAs("cyd")];
  await using _cyd = cyd;
  using heard = new Received(cyd, "x");
  await cyd.flush();
  const closed = [ann.closed(), bob.closed()];
  await server.reload(users("user: bob, password: other", all[2]!));
  const [gone, changed] = await soon(Promise.all(closed));
  assert(gone instanceof Error === false, "a deleted user is not told why");
  assertMatch(String(changed), /Authorization Violation/i);
  cyd.publish("x", "still here");
  await heard.count(1);
  await using again = await connectClient(server, { user: "bob", pass: "other" });
  await again.flush();
});

Deno.test("a subscription that is not allowed any more ends with an error that names it", async () => {
  const of = (more: string) => users(`user: ann, password: a${more}`);
  await using server = await ReloadingServer.start(of(""));
  await using ann = await connectClient(server, { user: "ann", pass: "a" });
  using allowed = new Received(ann, "foo");
  // Which ends with an error.
  ann.subscribe("bar", { callback: () => {} });
  await ann.flush();
  const told = status(ann, "error");
  await server.reload(of(", permissions: { subscribe: foo }"));
  assertMatch(String((await told).error), /Permissions Violation for Subscription to "bar"/);
  ann.publish("foo", "1");
  await allowed.count(1);
});

/** Publishes numbers as fast as the server takes them, until it is stopped. */
function publishNumbers(client: NatsConnection, subject: string): () => Promise<number> {
  let count = 0, isOver = false;
  const done = (async () => {
    while (!isOver) {
      for (let i = 0; i < 500; i++) client.publish(subject, String(count++));
      await client.flush();
    }
    return count;
  })();
  return () => {
    isOver = true;
    return done;
  };
}

Deno.test("fifty reloads under load lose nothing and double nothing", async () => {
  const config = (round: number) =>
    `max_payload: ${1_000_000 + round}
debug: ${round % 2 === 1}
ping_interval: ${10 + round % 7}s
max_connections: ${100 + round}
accounts:
  A:
    users:
      - { user: pub, password: p }
      - { user: sub, password: s, permissions: { subscribe: [numbers, "r${round}.>", "_INBOX.>"] } }
      - { user: other${round}, password: o }
    exports: [{ stream: numbers }, { stream: "e${round}" }]
  B:
    users: [{ user: importer, password: i }]
    imports: [{ stream: { account: A, subject: numbers }, to: "from.A" }]
${round % 3 === 0 ? "  C: { users: [{ user: c, password: c }] }\n" : ""}`;
  await using server = await ReloadingServer.start(config(0));
  const as = (user: string, pass: string) => connectClient(server, { user, pass });
  await using publisher = await as("pub", "p");
  await using subscriber = await as("sub", "s");
  await using importer = await as("importer", "i");
  using direct = new Received(subscriber, "numbers");
  using imported = new Received(importer, "from.A");
  await Promise.all([subscriber.flush(), importer.flush()]);
  const stop = publishNumbers(publisher, "numbers");
  for (let round = 1; round <= 50; round++) {
    assertMatch(
      await server.reload(config(round)),
      /^\[INF\] Reloaded server configuration changes=/,
    );
  }
  const count = await stop();
  assert(count > 1000, `only ${count} messages`);
  await Promise.all([direct.count(count), imported.count(count)]);
  const expected = Array.from({ length: count }, (_, i) => String(i));
  assertEquals(direct.texts, expected);
  assertEquals(imported.texts, expected);
  for (const client of [publisher, subscriber, importer]) assertEquals(client.isClosed(), false);
});
