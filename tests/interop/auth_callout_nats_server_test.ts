import { assert, assertEquals } from "@std/assert";
import { createAccount, createCurve, createUser } from "@nats-io/nkeys";
import { connect } from "@nats-io/transport-node";
import { startBroker } from "../support/broker.ts";
import { type Asked, createIssuer, serveCallout, signClaims } from "../support/callout_service.ts";
import type { ServerAddress } from "../support/conversation.ts";
import { findNatsServer, startNatsServer } from "../support/nats_server.ts";
import { show, type Showing } from "../support/show_credentials.ts";

const natsServer = await findNatsServer("2.15");

const issuer = createIssuer(), other = createAccount(), stranger = createUser();
const alice = createUser();

/** What the service answers, by the name of the user that it is asked about. */
const services: Record<string, (asked: Asked) => string | Uint8Array | null> = {
  in: (it) => it.answer({ jwt: it.userToken() }),
  named: (it) => it.answer({ jwt: it.userToken({ name: "somebody" }) }),
  limited: (it) => it.answer({ jwt: it.userToken({}, { pub: { allow: ["own"] } }) }),
  denied: (it) => it.answer({ jwt: it.userToken({}, { sub: { deny: ["own"] } }) }),
  inService: (it) => it.answer({ jwt: it.userToken({ aud: "AUTH" }) }),
  inServiceLimited: (it) =>
    it.answer({ jwt: it.userToken({ aud: "AUTH" }, { pub: { allow: [">"] } }) }),
  inDefaults: (it) => it.answer({ jwt: it.userToken({ aud: "DEF" }) }),
  inGlobal: (it) => it.answer({ jwt: it.userToken({ aud: "$G" }) }),
  inSystem: (it) => it.answer({ jwt: it.userToken({ aud: "$SYS" }) }),
  nowhere: (it) => it.answer({ jwt: it.userToken({ aud: "NOWHERE" }) }),
  noAccount: (it) => it.answer({ jwt: it.userToken({ aud: "" }) }),
  error: (it) => it.answer({ error: "not today" }),
  errorAndUser: (it) => it.answer({ error: "not today", jwt: it.userToken() }),
  neither: (it) => it.answer({}),
  empty: () => "",
  silent: () => null,
  garbage: () => "garbage",
  binary: () => Uint8Array.of(0xff, 0, 1),
  userAlone: (it) => it.userToken(),
  otherUser: (it) => it.answer({ jwt: it.userToken({ sub: stranger.getPublicKey() }) }),
  forOtherUser: (it) => it.answer({ jwt: it.userToken() }, { sub: stranger.getPublicKey() }),
  forOtherServer: (it) => it.answer({ jwt: it.userToken() }, { aud: other.getPublicKey() }),
  userOfOther: (it) =>
    it.answer({
      jwt: signClaims(other, {
        sub: it.userKey,
        aud: "APP",
        nats: { type: "user", version: 2, subs: -1, data: -1, payload: -1 },
      }),
    }),
  userForAccount: (it) =>
    it.answer({ jwt: it.userToken({}, { issuer_account: other.getPublicKey() }) }),
  expiredAnswer: (it) => it.answer({ jwt: it.userToken() }, { exp: 1 }),
  expiredUser: (it) => it.answer({ jwt: it.userToken({ exp: 1 }) }),
  futureUser: (it) => it.answer({ jwt: it.userToken({ nbf: 4_000_000_000 }) }),
  badSource: (it) => it.answer({ jwt: it.userToken({}, { src: ["nonsense"] }) }),
  badPermission: (it) => it.answer({ jwt: it.userToken({}, { pub: { allow: ["a..b"] } }) }),
  hereOnly: (it) => it.answer({ jwt: it.userToken({}, { src: ["127.0.0.0/8"] }) }),
  badType: (it) => it.answer({ jwt: it.userToken({}, { allowed_connection_types: ["NONE"] }) }),
  standard: (it) =>
    it.answer({ jwt: it.userToken({}, { allowed_connection_types: ["standard", "NONE"] }) }),
  manySubscriptions: (it) => it.answer({ jwt: it.userToken({}, { subs: 1 }) }),
  noLimits: (it) =>
    it.answer({
      jwt: signClaims(it.issuer, {
        sub: it.userKey,
        aud: "APP",
        nats: { type: "user", version: 2 },
      }),
    }),
  elsewhereOnly: (it) => it.answer({ jwt: it.userToken({}, { src: ["10.0.0.0/8"] }) }),
  webSocketOnly: (it) =>
    it.answer({ jwt: it.userToken({}, { allowed_connection_types: ["WEBSOCKET"] }) }),
  answerOfOther: (it) =>
    signClaims(other, {
      sub: it.userKey,
      aud: it.server,
      nats: { type: "authorization_response", version: 2, jwt: it.userToken() },
    }),
  expiring: (it) => it.answer({ jwt: it.userToken({ exp: Math.ceil(Date.now() / 1000) + 60 }) }),
  never: (it) =>
    it.answer({ jwt: it.userToken({}, { times: [{ start: "00:00:00", end: "00:00:00" }] }) }),
  smallPayload: (it) => it.answer({ jwt: it.userToken({}, { payload: 1 }) }),
};

/** What nats-server does not hold users to, and denats does. */
const differences: Record<string, readonly [natsServer: string, denats: string]> = {
  manySubscriptions: [
    "in APP: MSG own 1 2|MSG own 2 2|xx|xx",
    "in APP: -ERR 'maximum subscriptions exceeded'|MSG own 1 2|xx",
  ],
  smallPayload: [
    "in APP: MSG own 1 2|MSG own 2 2|xx|xx",
    "in APP: -ERR 'Maximum Payload Violation'|hung up",
  ],
  elsewhereOnly: ["in APP: MSG own 1 2|MSG own 2 2|xx|xx", "refused: Authorization Violation"],
  webSocketOnly: ["in APP: MSG own 1 2|MSG own 2 2|xx|xx", "refused: Authorization Violation"],
};

const then = "SUB own 1\r\nSUB own 2\r\nPUB own 2\r\nxx\r\nPUB $SYS.REQ.USER.AUTH 1\r\nx\r\n";

const configured: Record<string, Showing> = {
  "nothing": {},
  "a token": { connect: { auth_token: "tok" } },
  "a user with the right password": { connect: { user: "app", pass: "app" } },
  "a user with a wrong password": { connect: { user: "app", pass: "x" } },
  "a user with an nkey": { connect: { nkey: alice.getPublicKey() }, signer: alice },
  "the service": { connect: { user: "auth", pass: "auth" } },
  "the service with a wrong password": { connect: { user: "auth", pass: "x" } },
  "an unknown nkey": { connect: { nkey: stranger.getPublicKey() }, signer: stranger },
};

function config(more: Record<string, unknown> = {}) {
  return {
    accounts: {
      AUTH: { users: [{ user: "auth", password: "auth" }] },
      APP: { users: [{ user: "app", password: "app" }, { nkey: alice.getPublicKey() }] },
      DEF: { default_permissions: { publish: ["own"] } },
    },
    authorization: {
      timeout: 1,
      auth_callout: {
        issuer: issuer.getPublicKey(),
        account: "AUTH",
        auth_users: ["auth"],
        ...more,
      },
    },
  };
}

/** Answers of a server whose service answers by `services`; everybody else is let into APP. */
async function answers(
  server: ServerAddress,
  showings: Record<string, Showing>,
  curve?: ReturnType<typeof createCurve>,
) {
  await using client = await connectService(server);
  const users: string[] = [];
  const { problems } = serveCallout(client, issuer, (asked) => {
    users.push(JSON.stringify(shape(asked.claims)));
    return (services[asked.user] ?? services["in"]!)(asked);
  }, curve);
  await client.flush();
  const outcomes: Record<string, string> = {};
  for (const [name, showing] of Object.entries(showings)) {
    outcomes[name] = await show(server, showing);
  }
  assertEquals(problems, []);
  return { outcomes, questions: users };
}

async function connectService({ hostname, port }: ServerAddress) {
  const client = await connect({ servers: `${hostname}:${port}`, user: "auth", pass: "auth" });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

/** A question without what is another one each time. */
function shape(claims: Record<string, unknown>): unknown {
  const volatile = new Set(["jti", "iat", "exp", "iss", "id", "user_nkey", "xkey", "nonce", "sig"]);
  const of = (value: unknown): unknown =>
    typeof value !== "object" || value === null || Array.isArray(value)
      ? value
      : Object.fromEntries(
        Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([key, value]) => [
          key,
          volatile.has(key) || (key === "name" && String(value).startsWith("N"))
            ? typeof value
            : of(value),
        ]),
      );
  return of(claims);
}

async function bothAnswer(
  settings: ReturnType<typeof config>,
  showings: Record<string, Showing>,
  curve?: ReturnType<typeof createCurve>,
) {
  await using server = await startNatsServer(natsServer!, JSON.stringify(settings));
  await using broker = await startBroker(settings);
  const [expected, found] = await Promise.all([
    answers(server, showings, curve),
    answers(broker.address, showings, curve),
  ]);
  return { expected, found };
}

const byUser = Object.fromEntries(
  Object.keys(services).map((
    user,
  ) => [user, { connect: { user, pass: "p", name: "me", lang: "x", version: "1" }, then }]),
);

Deno.test({
  name: "auth callout: answers are taken as nats-server takes them",
  ignore: natsServer === undefined,
  async fn() {
    const { expected, found } = await bothAnswer(config(), byUser);
    for (const [name, [ofNatsServer, ofDenats]] of Object.entries(differences)) {
      assertEquals([expected.outcomes[name], found.outcomes[name]], [ofNatsServer, ofDenats], name);
      delete expected.outcomes[name];
      delete found.outcomes[name];
    }
    assertEquals(found.outcomes, expected.outcomes);
    assertEquals(found.questions, expected.questions);
    assert(expected.outcomes.in!.startsWith("in APP"));
  },
});

Deno.test({
  name: "auth callout: the same are asked about, and told of in the same way",
  ignore: natsServer === undefined,
  async fn(t) {
    for (const more of [{}, { allowed_accounts: ["DEF"] }, { allowed_accounts: ["APP"] }]) {
      await t.step(JSON.stringify(more), async () => {
        const { expected, found } = await bothAnswer(config(more), configured);
        assertEquals(found, expected);
        assertEquals(found.outcomes["the service"], "in AUTH");
      });
    }
  },
});

Deno.test({
  name: "auth callout: questions and answers are sealed as nats-server seals them",
  ignore: natsServer === undefined,
  async fn() {
    const curve = createCurve();
    const some = { in: byUser.in!, error: byUser.error!, garbage: byUser.garbage! };
    const settings = config({ xkey: curve.getPublicKey() });
    const { expected, found } = await bothAnswer(settings, some, curve);
    assertEquals(found, expected);
    assert(found.outcomes.in!.startsWith("in APP"));
  },
});

Deno.test({
  name: "auth callout: users of the service's account may not ask",
  ignore: natsServer === undefined,
  async fn() {
    const then = "PUB $SYS.REQ.USER.AUTH 1\r\nx\r\n";
    const service = { service: { connect: { user: "auth", pass: "auth" }, then } };
    const { expected, found } = await bothAnswer(config(), service);
    assertEquals(found, expected);
    assertEquals(
      found.outcomes.service,
      `in AUTH: -ERR 'Permissions Violation for Publish to "$SYS.REQ.USER.AUTH"'`,
    );
  },
});
