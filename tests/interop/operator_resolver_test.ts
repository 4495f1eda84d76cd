import { assertEquals } from "@std/assert";
import {
  AuthorizationError,
  connect,
  jwtAuthenticator,
  type NatsConnection,
} from "@nats-io/transport-node";
import { type MessageBus, OperatorMode } from "../../src/auth/mod.ts";
import { silentLog } from "../../src/log/mod.ts";
import { DenoFiles, DenoHttpClient, SystemClock } from "../../src/platform/mod.ts";
import { type ClaimsRequest, claimsWorld } from "../support/claims_requests.ts";
import { startBroker } from "../support/broker.ts";
import { eventually } from "../support/eventually.ts";
import { MemoryBus } from "../support/memory_bus.ts";
import { findNatsServer, startNatsServer } from "../support/nats_server.ts";
import {
  accountToken,
  newAccount,
  newOperator,
  newUser,
  operatorToken,
  type Party,
  userToken,
} from "../support/operator_tokens.ts";

const natsServer = await findNatsServer("2.15");
const decoder = new TextDecoder();

Deno.test({
  name: "a full resolver answers what nats-server answers",
  ignore: natsServer === undefined,
  async fn(t) {
    const world = claimsWorld();
    await using folders = await folderPair();
    await using server = await startNatsServer(
      natsServer!,
      `operator: ${world.operator}
      resolver: { type: full, dir: '${folders.theirs}', allow_delete: true }
      resolver_preload { ${world.system.key}: ${world.systemToken} }`,
    );
    const user = newUser();
    const nc = await connect({
      servers: `127.0.0.1:${server.port}`,
      authenticator: jwtAuthenticator(userToken(user, world.system), user.pair.getSeed()),
    });
    const bus = new MemoryBus();
    await using mode = await open(
      [world.operator],
      folders.ours,
      bus,
      bus.newInbox,
      { [world.system.key]: world.systemToken },
    );
    void mode;
    try {
      for (const request of world.requests) {
        await t.step(request.name, async () => {
          const theirs = await nc.request(request.subject, request.payload, { timeout: 5000 });
          const ours = await bus.request(
            request.subject,
            new TextEncoder().encode(request.payload),
          );
          assertEquals(
            comparable(decoder.decode(ours.payload), request),
            comparable(decoder.decode(theirs.data), request),
          );
        });
      }
      assertEquals(filesIn(folders.ours), filesIn(folders.theirs));
    } finally {
      await nc.close();
    }
  },
});

Deno.test({
  name: "a full resolver and that of a nats-server come to hold the same accounts",
  ignore: natsServer === undefined,
  async fn() {
    const operator = newOperator(),
      system = newAccount(),
      ours = newAccount(),
      theirs = newAccount();
    const both = newAccount();
    const now = Math.floor(Date.now() / 1000);
    const systemToken = accountToken(system, operator);
    await using folders = await folderPair();
    const write = (folder: string, key: string, token: string) =>
      Deno.writeTextFile(`${folder}/${key}.jwt`, token);
    const newer = accountToken(both, operator, { tags: ["new"] }, { iat: now - 5 });
    await write(folders.ours, ours.key, accountToken(ours, operator));
    await write(folders.ours, both.key, newer);
    await write(folders.theirs, theirs.key, accountToken(theirs, operator));
    await write(folders.theirs, both.key, accountToken(both, operator, {}, { iat: now - 10 }));
    const token = operatorToken(operator, { system_account: system.key });
    const preload = { [system.key]: systemToken };
    await using server = await startNatsServer(
      natsServer!,
      `operator: ${token}
      resolver: { type: full, dir: '${folders.theirs}', interval: '200ms' }
      resolver_preload { ${system.key}: ${systemToken} }`,
    );
    const user = newUser();
    const nc = await connect({
      servers: `127.0.0.1:${server.port}`,
      authenticator: jwtAuthenticator(userToken(user, system), user.pair.getSeed()),
    });
    let inboxes = 0;
    const newInbox = () => `_INBOX.here.${++inboxes}`;
    const mode = await open([token], folders.ours, busOf(nc), newInbox, preload);
    try {
      const contents = async (folder: string) =>
        Object.fromEntries(
          await Promise.all(
            filesIn(folder).filter((name) => name.endsWith(".jwt")).map(async (name) =>
              [name, await Deno.readTextFile(`${folder}/${name}`)] as const
            ),
          ),
        );
      await eventually("both hold the same four accounts", async () => {
        const [here, there] = await Promise.all([contents(folders.ours), contents(folders.theirs)]);
        return Object.keys(here).length === 4 && here[`${both.key}.jwt`] === newer &&
          JSON.stringify(Object.entries(here).sort()) ===
            JSON.stringify(Object.entries(there).sort());
      });
    } finally {
      await mode.close();
      await nc.close();
    }
  },
});

Deno.test({
  name: "in a cluster with a nats-server, accounts are known, changed and revoked on both sides",
  ignore: natsServer === undefined,
  async fn() {
    const operator = newOperator(), system = newAccount(), admin = newUser(), user = newUser();
    const account = newAccount(), late = newAccount();
    const token = operatorToken(operator, { system_account: system.key });
    const systemToken = accountToken(system, operator);
    await using folders = await folderPair();
    await using broker = await startBroker({
      server_name: "D",
      operator: [token],
      resolver: { type: "full", dir: folders.ours, interval: 200 },
      resolver_preload: { [system.key]: systemToken },
      cluster: { name: "C", host: "127.0.0.1", port: -1 },
    });
    await using server = await startNatsServer(
      natsServer!,
      `server_name: N
      operator: ${token}
      resolver: { type: full, dir: '${folders.theirs}', interval: '200ms' }
      resolver_preload { ${system.key}: ${systemToken} }
      cluster {
        name: C, listen: "127.0.0.1:-1"
        routes: ["nats://127.0.0.1:${broker.clusterAddress!.port}"]
      }`,
    );
    const ports = { ours: broker.address.port, theirs: server.port };
    const connectTo = (side: keyof typeof ports, party: Party, of: Party) =>
      connect({
        servers: `127.0.0.1:${ports[side]}`,
        reconnect: false,
        authenticator: jwtAuthenticator(userToken(party, of), party.pair.getSeed()),
      });
    const isLetIn = async (side: keyof typeof ports, of: Party) => {
      try {
        await (await connectTo(side, user, of)).close();
        return true;
      } catch (error) {
        if (!(error instanceof AuthorizationError)) throw error;
        return false;
      }
    };
    const nc = await connectTo("ours", admin, system);
    const update = (of: Party, nats = {}) =>
      nc.request("$SYS.REQ.CLAIMS.UPDATE", accountToken(of, operator, nats), { timeout: 10_000 });
    try {
      // The account is told to one side, and with it to the other.
      await eventually("the servers know each other", async () => {
        const answers = await nc.requestMany("$SYS.REQ.CLAIMS.LIST", "", { maxWait: 300 });
        return (await Array.fromAsync(answers)).length === 2;
      });
      await update(account);
      for (const side of ["ours", "theirs"] as const) {
        await eventually(`in on ${side}`, () => isLetIn(side, account));
      }
      // What is told to neither comes to one by its folder, and the other asks for it.
      await Deno.writeTextFile(`${folders.theirs}/${late.key}.jwt`, accountToken(late, operator));
      await eventually("found on the other side", () => isLetIn("ours", late));
      // Messages go between them in the account.
      const one = await connectTo("ours", user, account);
      const two = await connectTo("theirs", user, account);
      const got = Promise.withResolvers<string>();
      one.subscribe("x", { callback: (_, message) => got.resolve(message.string()) });
      await one.flush();
      const timer = setInterval(() => two.publish("x", "hello"), 20);
      assertEquals(await got.promise, "hello");
      clearInterval(timer);
      // Who is revoked has to leave both.
      await update(account, { revocations: { [user.key]: Math.floor(Date.now() / 1000) + 60 } });
      for (const client of [one, two]) {
        const error = await client.closed();
        assertEquals(error?.message.toLowerCase(), "user authentication revoked");
      }
    } finally {
      await nc.close();
    }
  },
});

/** The account of a client of a nats-server. */
function busOf(nc: NatsConnection): MessageBus {
  return {
    subscribe(subject, handler, queue) {
      const subscription = nc.subscribe(subject, {
        ...(queue !== undefined && { queue }),
        callback: (_, { subject, reply, data }) =>
          handler({ subject, reply: reply || null, headers: null, payload: data.slice() }),
      });
      return { [Symbol.dispose]: () => subscription.unsubscribe() };
    },
    publish(subject, payload, options) {
      nc.publish(subject, payload, options?.reply === undefined ? {} : { reply: options.reply });
      return 2;
    },
    request: () => Promise.reject(new Error("nobody asks here")),
  };
}

function open(
  operator: string[],
  dir: string,
  bus: MessageBus,
  newInbox: () => string,
  resolver_preload: Record<string, string>,
): Promise<OperatorMode> {
  const settings = {
    operator,
    resolver: { type: "full" as const, dir, allow_delete: true, interval: 200 },
    resolver_preload,
  };
  return OperatorMode.open(settings, { accounts: false, users: false, authCallout: false }, {
    files: new DenoFiles(),
    clock: new SystemClock(),
    log: silentLog,
    version: "2.15.1",
    http: () => new DenoHttpClient(),
  }).then((mode) => {
    mode.connect({ bus, newInbox, serverInfo: () => ({}) });
    return mode;
  });
}

/** An answer without what differs from server to server, and without words that are denats' own. */
function comparable(text: string, { sameWords }: ClaimsRequest): unknown {
  if (!text.startsWith("{")) return text;
  const { server: _, ...answer } = JSON.parse(text);
  if (Array.isArray(answer.data)) answer.data.sort();
  if (!sameWords && answer.error !== undefined) {
    answer.error.description = answer.error.description.split(" - ")[0];
  }
  return answer;
}

function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

async function folderPair() {
  const folder = await Deno.makeTempDir({ prefix: "resolvers-" });
  const ours = `${folder}/ours`, theirs = `${folder}/theirs`;
  await Promise.all([Deno.mkdir(ours), Deno.mkdir(theirs)]);
  return {
    ours,
    theirs,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
