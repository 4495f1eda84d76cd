/** What becomes of clients when a configuration is changed: the same as with nats-server. */
import { assertEquals } from "@std/assert";
import { RawClient } from "../support/conversation.ts";
import { eventually } from "../support/eventually.ts";
import { findNatsServer, startNatsServer } from "../support/nats_server.ts";
import { ServerProcess } from "../support/server_process.ts";

const natsServer = await findNatsServer("2.15");

const MAIN = decodeURIComponent(new URL("../../main.ts", import.meta.url).pathname);

/** A change, and the clients that are there meanwhile. */
interface Scenario {
  readonly before: string;
  readonly after: string;
  /** What each client shows. */
  readonly clients: readonly Readonly<Record<string, string>>[];
}

const users = (a: string, more = "") =>
  `authorization { users: [ { ${a} }, { user: b, password: b } ]\n ${more} }\n`;
const accounts = (x: string, y = "user: b, password: b") =>
  `accounts { X { users: [ { ${x} } ] }\n Y { users: [ { ${y} } ] } }\n`;
const a = { user: "a", pass: "a" }, b = { user: "b", pass: "b" }, nobody = {};

const scenarios: Readonly<Record<string, Scenario>> = {
  "credentials are needed from now on": {
    before: "",
    after: "authorization { user: a, password: a }",
    clients: [nobody],
  },
  "another token": {
    before: "authorization { token: t }",
    after: "authorization { token: u }",
    clients: [{ auth_token: "t" }],
  },
  "the one user has another password": {
    before: "authorization { user: a, password: a }",
    after: "authorization { user: a, password: z }",
    clients: [a],
  },
  "a user has another password": {
    before: users("user: a, password: a"),
    after: users("user: a, password: z"),
    clients: [a, b],
  },
  "a user is gone": {
    before: users("user: a, password: a"),
    after: users("user: z, password: a"),
    clients: [a, b],
  },
  "a user may subscribe to less": {
    before: users("user: a, password: a"),
    after: users("user: a, password: a, permissions: { subscribe: [foo, q.>, fence] }"),
    clients: [a, b],
  },
  "a user may subscribe to more again": {
    before: users("user: a, password: a, permissions: { subscribe: foo }"),
    after: users("user: a, password: a"),
    clients: [a],
  },
  "a user may publish less": {
    before: users("user: a, password: a"),
    after: users("user: a, password: a, permissions: { publish: [foo, fence] }"),
    clients: [a, b],
  },
  "the defaults of users": {
    before: users("user: a, password: a"),
    after: users("user: a, password: a", "default_permissions: { subscribe: foo }"),
    clients: [a, b],
  },
  "users change their accounts": {
    before: accounts("user: a, password: a"),
    after: accounts("user: b, password: b", "user: a, password: a"),
    clients: [a, b],
  },
  "an account is gone": {
    before: accounts("user: a, password: a"),
    after: "accounts { Y { users: [ { user: b, password: b } ] } }\n",
    clients: [a, b],
  },
  "a smaller max_payload": {
    before: "max_payload: 100",
    after: "max_payload: 2",
    clients: [nobody],
  },
  "fewer connections": {
    before: "max_connections: 10",
    after: "max_connections: 1",
    clients: [nobody],
  },
  "what cannot be changed": {
    before: "server_name: one",
    after: "server_name: two\nauthorization { user: a, password: a }",
    clients: [nobody],
  },
  "what is wrong": {
    before: "",
    after: "max_payload: lots\nauthorization { user: a, password: a }",
    clients: [nobody],
  },
};

/**
 * What a server says to a client, but for what it says at any time. nats-server ends subscriptions in
 * an order of its own each time.
 */
function said(text: string): string {
  const ends = /-ERR '[^\r]*\(sid "\d+"\)'\r\n/g;
  const rest = text.replaceAll(/INFO \{.*?\} ?\r\n|PING\r\n/g, "").replaceAll(ends, "");
  return (text.match(ends) ?? []).sort().join("") + rest;
}

/** What the clients of a scenario hear during the change, and of what they say afterwards. */
async function play(server: ServerProcess, { after, clients }: Scenario): Promise<string[]> {
  await using stack = new AsyncDisposableStack();
  const connected = [];
  for (const shown of clients) {
    const client = stack.use(await RawClient.connect(server));
    const connect = { verbose: false, pedantic: false, protocol: 1, echo: true, ...shown };
    await client.exchange(
      `CONNECT ${JSON.stringify(connect)}\r\nSUB foo 1\r\nSUB bar 2\r\nSUB q.x of.${
        shown.user ?? "all"
      } 3\r\n`,
    );
    connected.push(client);
  }
  const ends = () =>
    (server.log.match(/Reloaded server configuration|Failed to reload/g) ?? []).length;
  await Deno.writeTextFile(server.configFile, `${after}\n`);
  server.kill("SIGHUP");
  await eventually("the end of the reload", () => ends() === 1);
  const heard = [];
  for (const client of connected) {
    const { text, closed } = await client.exchange(
      "PUB foo 1\r\nf\r\nPUB bar 1\r\nb\r\nPUB q.x 1\r\nq\r\nSUB new 4\r\nPUB new 3\r\nnew\r\n",
    );
    heard.push(said(text) + (closed ? "closed" : ""));
  }
  return heard;
}

for (const [name, scenario] of Object.entries(scenarios)) {
  Deno.test({
    name: `reload as nats-server's: ${name}`,
    ignore: natsServer === undefined,
    async fn() {
      const heard = await Promise.all([
        startNatsServer(natsServer!, `${scenario.before}\n`),
        ServerProcess.start(Deno.execPath(), ["run", "-A", MAIN], `${scenario.before}\n`, ".conf"),
      ].map(async (starting) => {
        await using server = await starting;
        return await play(server, scenario);
      }));
      assertEquals(heard[1], heard[0]);
    },
  });
}
