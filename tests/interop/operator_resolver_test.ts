import { assertEquals } from "@std/assert";
import { connect, jwtAuthenticator, type NatsConnection } from "@nats-io/transport-node";
import { type MessageBus, OperatorMode } from "../../src/auth/mod.ts";
import { silentLog } from "../../src/log/mod.ts";
import { DenoFiles, DenoHttpClient, SystemClock } from "../../src/platform/mod.ts";
import { type ClaimsRequest, claimsWorld } from "../support/claims_requests.ts";
import { eventually } from "../support/eventually.ts";
import { MemoryBus } from "../support/memory_bus.ts";
import { findNatsServer, startNatsServer } from "../support/nats_server.ts";
import {
  accountToken,
  newAccount,
  newOperator,
  newUser,
  operatorToken,
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
            filesIn(folder).map(async (name) =>
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
