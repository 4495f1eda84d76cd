/** Operator mode, with the official client and tokens made by the official library. */
import { assertEquals, assertRejects } from "@std/assert";
import { encodeAccount, encodeOperator, encodeUser, fmtCreds, newScopedSigner } from "@nats-io/jwt";
import {
  AuthorizationError,
  type ConnectionOptions,
  credsAuthenticator,
  jwtAuthenticator,
  type NatsConnection,
} from "@nats-io/transport-node";
import { startBroker } from "../support/broker.ts";
import { connectClient } from "../support/nats_client.ts";
import {
  accountToken,
  activationToken,
  type Fields,
  newAccount,
  newOperator,
  newUser,
  nowSeconds,
  operatorToken,
  type Party,
  tokenOf,
  userToken,
} from "../support/operator_tokens.ts";

const decoder = new TextDecoder();

Deno.test("users come with credentials of the official tools", async () => {
  const operator = newOperator(), account = newAccount(), key = newAccount(), user = newUser();
  const limits = { subs: -1, data: -1, payload: -1, conn: -1, leaf: -1, imports: -1, exports: -1 };
  const scope = newScopedSigner(key.pair, "guest", {
    pub: { allow: ["{{name()}}.>"], deny: [] },
    sub: { allow: ["_INBOX.>", "news.>"], deny: [] },
  });
  const resolver_preload = {
    [account.key]: await encodeAccount(
      "acme",
      account.pair,
      { limits: { ...limits, wildcards: true }, signing_keys: [scope] },
      { signer: operator.pair },
    ),
  };
  await using broker = await startBroker({
    operator: [await encodeOperator("op", operator.pair)],
    resolver: "MEMORY",
    resolver_preload,
  });
  const jwt = await encodeUser("alice", user.pair, account.pair);
  const scoped = await encodeUser("bob", user.pair, account.pair, {}, {
    signer: key.pair,
    scopedUser: true,
  });
  await using alice = await connectClient(broker, {
    authenticator: credsAuthenticator(fmtCreds(jwt, user.pair)),
  });
  await using bob = await connectClient(broker, {
    authenticator: jwtAuthenticator(scoped, user.pair.getSeed()),
  });
  const got: string[] = [];
  alice.subscribe(">", { callback: (_, { subject }) => void got.push(subject) });
  await alice.flush();
  bob.publish("bob.1");
  bob.publish("alice.1");
  bob.publish("bob.2");
  await bob.flush();
  await alice.flush();
  assertEquals(got, ["bob.1", "bob.2"]);
  const refused: ConnectionOptions[] = [
    {},
    { user: "alice", pass: "secret" },
    { authenticator: jwtAuthenticator(jwt) },
    { authenticator: jwtAuthenticator(jwt, newUser().pair.getSeed()) },
    { authenticator: jwtAuthenticator(await encodeUser("eve", user.pair, newAccount().pair)) },
  ];
  for (const options of refused) {
    const error = await assertRejects(() => connectClient(broker, options), AuthorizationError);
    assertEquals(error.message, "Authorization Violation");
  }
});

Deno.test("who is revoked has to leave at once, and the others stay", async () => {
  await using it = await fullResolver();
  const account = newAccount(), user = newUser(), other = newUser();
  assertEquals(await it.update(account), "jwt updated");
  await using revoked = await it.connect(user, account);
  await using stays = await it.connect(other, account);
  const told = toldTo(revoked);
  await it.update(account, { revocations: { [user.key]: nowSeconds() + 60 } });
  assertEquals(await told, "user authentication revoked");
  await stays.flush();
  await assertRejects(() => it.connect(user, account), AuthorizationError);
  assertEquals(await it.update(account), "jwt updated");
  await using again = await it.connect(user, account);
  await again.flush();
});

Deno.test("the time of a user, and of an account, is over when it is", async () => {
  await using it = await fullResolver();
  const account = newAccount(), short = newAccount(), user = newUser();
  await it.update(account);
  await it.update(short, {}, { exp: nowSeconds() + 3 });
  await using one = await it.connect(user, account, { exp: nowSeconds() + 2 });
  await using two = await it.connect(user, short);
  assertEquals(await toldTo(one), "user authentication expired");
  assertEquals(await toldTo(two), "account authentication expired");
  await assertRejects(() => it.connect(user, short), AuthorizationError);
});

Deno.test("whoever is in an account that is deleted has to leave", async () => {
  await using it = await fullResolver();
  const account = newAccount(), user = newUser();
  await it.update(account);
  await using client = await it.connect(user, account);
  const told = toldTo(client);
  assertEquals(await it.remove(account), "deleted 1 accounts");
  assertEquals(await told, "account authentication expired");
  await assertRejects(() => it.connect(user, account), AuthorizationError);
});

Deno.test("an account imports with an activation, as long as that holds", async () => {
  await using it = await fullResolver();
  const exporter = newAccount(), importer = newAccount(), user = newUser();
  const exports = (revocations: Fields = {}) => ({
    exports: [{ name: "e", subject: "news.>", type: "stream", token_req: true, revocations }],
  });
  const token = activationToken(importer, exporter, { subject: "news.>", kind: "stream" });
  const imports = (activation: string) => ({
    imports: [{
      name: "i",
      subject: "news.>",
      local_subject: "from.>",
      account: exporter.key,
      type: "stream",
      token: activation,
    }],
  });
  await it.update(exporter, exports());
  await it.update(importer, imports(token));
  await using sender = await it.connect(user, exporter);
  await using receiver = await it.connect(user, importer);
  const got: string[] = [];
  receiver.subscribe("from.>", { callback: (_, { data }) => void got.push(decoder.decode(data)) });
  await receiver.flush();
  const send = async (text: string) => {
    sender.publish("news.x", text);
    await sender.flush();
    await receiver.flush();
  };
  await send("active");
  await it.update(exporter, exports({ [importer.key]: nowSeconds() + 60 }));
  await send("revoked");
  await it.update(exporter, exports());
  await send("active again");
  await it.update(importer);
  await send("not imported");
  assertEquals(got, ["active", "active again"]);
});

Deno.test("what was changed in the folder by hand is in force after a reload", async () => {
  await using it = await fullResolver();
  const account = newAccount(), user = newUser();
  await it.update(account);
  await using client = await it.connect(user, account);
  const told = toldTo(client);
  await it.write(account, { revocations: { "*": nowSeconds() + 60 } });
  // What is refused changes nothing, in the folder neither.
  const refused = await it.broker.reload({ ...it.settings, max_pending: "32MB" });
  assertEquals(refused.outcome, "refused");
  assertEquals(await Promise.race([client.flush(), told]), undefined);
  assertEquals((await it.broker.reload(it.settings)).outcome, "unchanged");
  assertEquals(await told, "user authentication revoked");
});

/** A broker with a full resolver, and a client of its system account. */
async function fullResolver() {
  await using stack = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir({ prefix: "accounts-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const operator = newOperator(), system = newAccount(), admin = newUser();
  const settings = {
    host: "127.0.0.1",
    port: -1,
    operator: [operatorToken(operator, { system_account: system.key })],
    resolver: { type: "full" as const, dir, allow_delete: true },
    resolver_preload: { [system.key]: accountToken(system, operator) },
  };
  const broker = stack.use(await startBroker(settings));
  const connectAs = (user: Party, account: Party, claims: Fields = {}) =>
    connectClient(broker, {
      authenticator: jwtAuthenticator(
        userToken(user, account, undefined, claims),
        user.pair.getSeed(),
      ),
      reconnect: false,
    });
  const client = stack.use(await connectAs(admin, system));
  const request = async (subject: string, payload: string): Promise<string> => {
    const { data, error } = (await client.request(subject, payload, { timeout: 10_000 })).json<
      { data?: { message: string }; error?: { description: string } }
    >();
    return data?.message ?? error!.description;
  };
  const moved = stack.move();
  return {
    broker,
    settings,
    connect: connectAs,
    write: (account: Party, nats: Fields) =>
      Deno.writeTextFile(`${dir}/${account.key}.jwt`, accountToken(account, operator, nats)),
    update: (account: Party, nats: Fields = {}, claims: Fields = {}) =>
      request("$SYS.REQ.CLAIMS.UPDATE", accountToken(account, operator, nats, claims)),
    remove: (account: Party) => {
      const nats = { accounts: [account.key], type: "generic", version: 2 };
      return request("$SYS.REQ.CLAIMS.DELETE", tokenOf({ sub: operator.key, nats }, operator));
    },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/** What a client is told when it has to leave. */
async function toldTo(client: NatsConnection): Promise<string | undefined> {
  const error = await client.closed();
  return error?.message.toLowerCase();
}
