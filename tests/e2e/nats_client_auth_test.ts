/** Who is let in, with the official client. */
import { assertEquals, assertRejects } from "@std/assert";
import { createCurve, createUser } from "@nats-io/nkeys";
import {
  AuthorizationError,
  type ConnectionOptions,
  nkeyAuthenticator,
} from "@nats-io/transport-node";
import { hash } from "bcryptjs";
import { startBroker } from "../support/broker.ts";
import { createIssuer, serveCallout } from "../support/callout_service.ts";
import { connectClient } from "../support/nats_client.ts";

/** The cheapest bcrypt there is: its strength is not what is tested. */
const BCRYPT_ROUNDS = 4;

async function everyAttempt(
  broker: Parameters<typeof connectClient>[0],
  attempts: { readonly accepted: ConnectionOptions[]; readonly refused: ConnectionOptions[] },
) {
  for (const options of attempts.accepted) {
    await using client = await connectClient(broker, options);
    await client.flush();
  }
  for (const options of attempts.refused) {
    const error = await assertRejects(() => connectClient(broker, options), AuthorizationError);
    assertEquals(error.message, "Authorization Violation");
  }
}

Deno.test("a token in the clear", async () => {
  await using broker = await startBroker({ authorization: { token: "s3cret" } });
  await everyAttempt(broker, {
    accepted: [{ token: "s3cret" }],
    refused: [{}, { token: "S3cret" }, { token: "s3cret " }, { user: "s3cret", pass: "s3cret" }],
  });
});

Deno.test("a token as a bcrypt hash", async () => {
  const token = await hash("s3cret", BCRYPT_ROUNDS);
  await using broker = await startBroker({ authorization: { token } });
  await everyAttempt(broker, {
    accepted: [{ token: "s3cret" }],
    refused: [{}, { token }, { token: "secret" }],
  });
});

Deno.test("users, with passwords in the clear and as bcrypt hashes", async () => {
  await using broker = await startBroker({
    authorization: {
      users: [
        { user: "alice", password: "wonderland" },
        { user: "bob", password: await hash("builder", BCRYPT_ROUNDS) },
      ],
    },
  });
  await everyAttempt(broker, {
    accepted: [{ user: "alice", pass: "wonderland" }, { user: "bob", pass: "builder" }],
    refused: [
      {},
      { user: "alice" },
      { user: "alice", pass: "builder" },
      { user: "bob", pass: "wonderland" },
      { user: "carol", pass: "wonderland" },
      { token: "wonderland" },
    ],
  });
  // The refused have left nothing behind.
  assertEquals(broker.statistics.subscriptions, 0);
});

Deno.test("who shows nothing is taken for no_auth_user", async () => {
  await using broker = await startBroker({
    authorization: { users: [{ user: "guest", password: "g" }, { user: "alice", password: "a" }] },
    no_auth_user: "guest",
  });
  const users: (string | null)[] = [];
  using _ = broker.on("connected", ({ user }) => users.push(user));
  await everyAttempt(broker, {
    accepted: [{}, { user: "alice", pass: "a" }],
    refused: [{ user: "alice", pass: "g" }],
  });
  assertEquals(users, ["guest", "alice"]);
});

Deno.test("30 clients that show bcrypt passwords at once are all let in", async () => {
  await using broker = await startBroker({
    authorization: { user: "u", password: await hash("p", BCRYPT_ROUNDS) },
  });
  await using stack = new AsyncDisposableStack();
  const clients = await Promise.all(
    Array.from({ length: 30 }, () => connectClient(broker, { user: "u", pass: "p" })),
  );
  for (const client of clients) stack.use(client);
  assertEquals(broker.statistics.connections, 30);
});

Deno.test("nkeys, beside users and a token", async () => {
  const alice = createUser(), bob = createUser();
  await using broker = await startBroker({
    authorization: { users: [{ nkey: alice.getPublicKey() }, { user: "u", password: "p" }] },
    accounts: { A: { users: [{ user: "a", password: "a" }] } },
  });
  await everyAttempt(broker, {
    accepted: [
      { authenticator: nkeyAuthenticator(alice.getSeed()) },
      { user: "u", pass: "p" },
      { user: "a", pass: "a" },
    ],
    refused: [
      {},
      { authenticator: nkeyAuthenticator(bob.getSeed()) },
      { user: alice.getPublicKey(), pass: "" },
      { token: "p" },
    ],
  });
});

Deno.test("whom the service of auth_callout lets in, with what it says", async () => {
  const issuer = createIssuer(), curve = createCurve();
  await using broker = await startBroker({
    accounts: {
      AUTH: { users: [{ user: "auth", password: "auth" }] },
      APP: { users: [] },
    },
    authorization: {
      auth_callout: {
        issuer: issuer.getPublicKey(),
        account: "AUTH",
        auth_users: ["auth"],
        xkey: curve.getPublicKey(),
      },
    },
  });
  await everyAttempt(broker, { accepted: [], refused: [{ user: "carol", pass: "right" }] });
  await using service = await connectClient(broker, { user: "auth", pass: "auth" });
  const { problems } = serveCallout(service, issuer, (asked) => {
    const { pass, auth_token } = asked.claims.nats.connect_opts as Record<string, string>;
    return pass === "right" || auth_token === "right"
      ? asked.answer({ jwt: asked.userToken({}, { pub: { allow: ["mine"] } }) })
      : asked.answer({ error: "who is that?" });
  }, curve);
  await service.flush();
  await everyAttempt(broker, {
    accepted: [{ user: "carol", pass: "right" }, { token: "right" }],
    refused: [{ user: "carol", pass: "wrong" }, { token: "wrong" }, {}],
  });
  assertEquals(problems, []);
  await using carol = await connectClient(broker, { user: "carol", pass: "right" });
  await using dave = await connectClient(broker, { user: "dave", pass: "right" });
  const heard = carol.subscribe(">", { max: 1 });
  await carol.flush();
  dave.publish("theirs", "x");
  dave.publish("mine", "x");
  for await (const { subject } of heard) assertEquals(subject, "mine");
});
