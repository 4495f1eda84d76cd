import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { createAccount, createCurve, createUser } from "@nats-io/nkeys";
import {
  AUTH_CALLOUT_SUBJECT,
  type AuthCalloutSettings,
  type AuthenticatorConfig,
  type BusMessage,
  type BusRequestOptions,
  CalloutClient,
  ConfiguredCallout,
  createServerIdentity,
  type Credentials,
  type Identity,
  type MessageBus,
  NoRespondersError,
  type PeerFacts,
  Refusal,
} from "../../src/auth/mod.ts";
import { SystemRandom } from "../../src/platform/system_random.ts";
import { VirtualClock } from "../../src/platform/virtual_clock.ts";
import { type Asked, askedOf, signClaims } from "../support/callout_service.ts";
import { authenticatorOf, certificateWith, outcome, peerWith } from "../support/identities.ts";

const random = new SystemRandom(), decoder = new TextDecoder(), encoder = new TextEncoder();
const issuer = createAccount(), other = createAccount();

type Reply = (asked: Asked) => string | Uint8Array | Error | Promise<string | Uint8Array>;

/** A bus on which one service answers. */
class ServiceBus implements MessageBus {
  readonly questions: Asked[] = [];
  readonly requests: { subject: string; options: BusRequestOptions }[] = [];
  open = 0;
  openMost = 0;

  constructor(readonly reply: Reply, readonly unseal = (data: Uint8Array) => data) {}

  subscribe(): Disposable {
    throw new Error("nobody subscribes");
  }

  publish(): number {
    throw new Error("nobody publishes");
  }

  async request(
    subject: string,
    data: Uint8Array,
    options: BusRequestOptions,
  ): Promise<BusMessage> {
    this.requests.push({ subject, options });
    this.openMost = Math.max(this.openMost, ++this.open);
    try {
      const asked = askedOf(decoder.decode(this.unseal(data)), issuer);
      this.questions.push(asked);
      const answer = await this.reply(asked);
      if (answer instanceof Error) throw answer;
      const payload = typeof answer === "string" ? encoder.encode(answer) : answer.slice();
      return { subject: "_INBOX", reply: null, headers: null, payload };
    } finally {
      this.open--;
    }
  }
}

interface World {
  readonly config?: AuthenticatorConfig;
  readonly settings?: Partial<AuthCalloutSettings>;
  readonly openMax?: number;
  readonly waitingMax?: number;
  readonly unseal?: (data: Uint8Array) => Uint8Array;
}

const accounts = {
  AUTH: { users: [{ user: "auth", password: "auth" }] },
  APP: { users: [{ user: "app", password: "app" }] },
};

async function setup(reply: Reply, { config = {}, settings, unseal, ...limits }: World = {}) {
  const identity = await createServerIdentity(random);
  const clock = new VirtualClock();
  const bus = new ServiceBus(reply, unseal);
  const client = new CalloutClient({
    identity,
    server: () => ({ name: "s1", host: "0.0.0.0", version: "2.15.1", cluster: "C", tags: ["t"] }),
    bus: (account) => account === "AUTH" ? bus : null,
    clock,
    random,
    timeoutMs: () => 2000,
    ...limits,
  });
  const whole: AuthenticatorConfig = {
    accounts,
    auth_callout: {
      issuer: issuer.getPublicKey(),
      account: "AUTH",
      auth_users: ["auth"],
      ...settings,
    },
    ...config,
  };
  const callout = new ConfiguredCallout(client, clock);
  const { authenticator, verifier } = authenticatorOf(whole, { callout });
  const ask = async (
    credentials: Credentials,
    facts: Partial<PeerFacts> = {},
    signal?: AbortSignal,
  ): Promise<Identity | string> =>
    outcome(await authenticator.authenticate(credentials, peerWith(facts), signal));
  return { identity, clock, bus, authenticator, verifier, ask, whole };
}

const bob = { user: "bob", pass: "secret" };

Deno.test("who is not a user of the configuration is asked about, and is who the answer says", async () => {
  const { ask, bus, clock, verifier } = await setup((it) =>
    it.answer({
      jwt: it.userToken(
        { name: "Bob", exp: Math.floor(clock.now() / 1000) + 60 },
        {
          pub: { allow: ["a"], deny: ["b"] },
          sub: { allow: ["c q"] },
          resp: { max: 2, ttl: 5_000_000_000 },
          subs: 3,
          payload: 100,
          data: 0,
          src: ["192.0.2.0/24"],
          allowed_connection_types: ["STANDARD"],
        },
      ),
    })
  );
  assertEquals(await ask(bob), {
    user: "Bob",
    account: "APP",
    permissions: {
      publish: { allow: ["a"], deny: ["b"] },
      subscribe: { allow: ["c q"] },
      allow_responses: { max: 2, expires: 5000 },
    },
    limits: { subscriptions: 3, payload: 100 },
    expiresAtMs: (Math.floor(clock.now() / 1000) + 60) * 1000,
    expiry: "user",
  });
  assertEquals(bus.requests.map(({ subject }) => subject), [AUTH_CALLOUT_SUBJECT]);
  assertEquals(bus.requests[0]!.options.timeoutMs, 2000);
  assertEquals(verifier.asked, []);
  assertEquals(
    await ask(bob, { hostname: "198.51.100.1" }),
    "the user may not connect from 198.51.100.1",
  );
  assertEquals(
    await ask(bob, { connectionType: "WEBSOCKET" }),
    "the user may not be connected as WEBSOCKET",
  );
});

Deno.test("a question tells all there is to know of a client, and no two are the same", async () => {
  const { ask, bus, identity, clock } = await setup((it) => it.answer({ jwt: it.userToken() }));
  const certificate = certificateWith({ chain: [Uint8Array.of(...Array(60).keys())] });
  const tls = { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" };
  const more = { name: "n", lang: "deno", version: "1.0", protocol: 1 };
  const nkey = createUser().getPublicKey();
  await ask({ ...bob, ...more, jwt: "j", sig: "s", nkey, auth_token: "t" }, {
    id: 7,
    nonce: "N",
    certificate,
    tls,
  });
  const [{ claims }] = bus.questions as [Asked];
  const nowS = Math.floor(clock.now() / 1000);
  const { jti, ...rest } = claims;
  assertEquals(typeof jti, "string");
  assertEquals(rest, {
    aud: "nats-authorization-request",
    iss: identity.id,
    sub: issuer.getPublicKey(),
    iat: nowS,
    exp: nowS + 2,
    nats: {
      server_id: {
        name: "s1",
        host: "0.0.0.0",
        id: identity.id,
        version: "2.15.1",
        cluster: "C",
        tags: ["t"],
      },
      user_nkey: bus.questions[0]!.userKey,
      client_info: {
        host: "192.0.2.1",
        id: 7,
        user: nkey,
        name: "n",
        kind: "Client",
        type: "nats",
        nonce: "N",
      },
      connect_opts: {
        jwt: "j",
        nkey,
        sig: "s",
        auth_token: "t",
        user: "bob",
        pass: "secret",
        ...more,
      },
      client_tls: {
        version: "1.3",
        cipher: tls.cipher,
        verified_chains: [[
          "-----BEGIN CERTIFICATE-----\n" +
          "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\nMDEyMzQ1Njc4OTo7\n" +
          "-----END CERTIFICATE-----\n",
        ]],
      },
      type: "authorization_request",
      version: 2,
    },
  });
  await ask({ auth_token: "tok" });
  const [, second] = bus.questions as [Asked, Asked];
  assert(second.userKey !== bus.questions[0]!.userKey);
  const { client_info, connect_opts } = second.claims.nats;
  assertEquals(client_info, {
    host: "192.0.2.1",
    id: 1,
    user: "[REDACTED]",
    kind: "Client",
    type: "nats",
  });
  assertEquals(connect_opts, { auth_token: "tok", protocol: 0 });
});

Deno.test("every answer that lets nobody in has its reason", async () => {
  const user = createUser().getPublicKey();
  const in_ = (nats: object = {}, claims: object = {}) => (it: Asked) =>
    it.answer({ jwt: it.userToken({ ...claims }, { ...nats }) });
  const byOther = (it: Asked, nats: object, sub = it.userKey, aud: string = it.server) =>
    signClaims(other, { sub, aud, nats: { version: 2, ...nats } });
  const cases: [reply: Reply, reason: string][] = [
    [() => new NoRespondersError("x"), "nobody answers as callout service"],
    [
      () => new DOMException("late", "TimeoutError"),
      "the callout service did not answer within 2000 ms",
    ],
    [
      () => new DOMException("closing", "AbortError"),
      "the callout service could not be asked: closing",
    ],
    [() => "", "the callout service refused without a reason"],
    [(it) => it.answer({ error: "no\n" }), "the callout service refused: no\n"],
    [
      (it) => it.answer({ error: "x".repeat(999) }),
      `the callout service refused: ${"x".repeat(256)}`,
    ],
    [() => Uint8Array.of(0xff), "the callout's answer is not text"],
    [() => "eyJ", "the callout's answer cannot be used: a JWT has three parts"],
    [
      (it) => it.userToken(),
      "the callout's answer cannot be used: the JWT is not of type authorization_response",
    ],
    [(it) => it.answer({}), "the callout's answer has not exactly one of a user and an error"],
    [
      (it) => it.answer({ error: "e", jwt: "j" }),
      "the callout's answer has not exactly one of a user and an error",
    ],
    [(it) => it.answer({ jwt: 1 }), "the callout's answer has fields that are not text"],
    [
      (it) => it.answer({ jwt: "j" }, { exp: 1 }),
      "the callout's answer does not hold: the JWT has expired",
    ],
    [(it) => it.answer({ jwt: "j" }, { sub: user }), "the callout's answer is for another user"],
    [(it) => it.answer({ jwt: "j" }, { aud: user }), "the callout's answer is for another server"],
    [
      (it) => byOther(it, { type: "authorization_response", jwt: it.userToken() }),
      "the callout's answer is not signed by its issuer",
    ],
    [(it) => it.answer({ jwt: "j" }), "the JWT of the user cannot be used: a JWT has three parts"],
    [
      (it) => it.answer({ jwt: byOther(it, { type: "user" }, it.userKey, "APP") }),
      "the callout's user is not signed by its issuer",
    ],
    [
      in_({ issuer_account: other.getPublicKey() }),
      "the callout's answer is signed for an account, which needs an operator",
    ],
    [
      (it) => it.answer({ jwt: it.userToken(), issuer_account: other.getPublicKey() }),
      "the callout's answer is signed for an account, which needs an operator",
    ],
    [in_({}, { sub: user }), "the callout's answer has another user"],
    [in_({}, { aud: "NOWHERE" }), "the callout's answer is for an account that does not exist"],
    [in_({}, { aud: "" }), "the callout's answer is for an account that does not exist"],
    [in_({}, { aud: "__proto__" }), "the callout's answer is for an account that does not exist"],
    [in_({}, { exp: 1 }), "the JWT of the user does not hold: it has expired"],
    [in_({ src: ["10.0.0.0/8"] }), "the user may not connect from 192.0.2.1"],
    [in_({ allowed_connection_types: ["MQTT"] }), "the user may not be connected as STANDARD"],
    [
      in_({ times: [{ start: "00:00:00", end: "00:00:00" }], times_location: "UTC" }),
      "it is outside of the times when the user may connect",
    ],
  ];
  for (const [reply, reason] of cases) {
    const { ask } = await setup(reply);
    assertEquals(await ask(bob), reason);
  }
  const { ask } = await setup(() => "", { settings: { account: "GONE" } });
  assertEquals(await ask(bob), "the account of the callout service does not exist");
});

Deno.test("the service is asked about whom nats-server asks about", async () => {
  const who = async (credentials: Credentials, settings: Partial<AuthCalloutSettings> = {}) => {
    const config: AuthenticatorConfig = { users: [{ user: "global", password: "p" }] };
    const { ask, bus } = await setup(
      (it) => it.answer({ jwt: it.userToken({ name: "asked" }) }),
      { config, settings },
    );
    const who = await ask(credentials);
    assertEquals(bus.questions.length, typeof who !== "string" && who.user === "asked" ? 1 : 0);
    return typeof who === "string" ? who : who.user;
  };
  const app = { user: "app", pass: "app" }, auth = { user: "auth", pass: "auth" };
  const allowed_accounts = ["AUTH"];
  assertEquals(await who({}), "asked");
  assertEquals(await who(app), "asked");
  assertEquals(await who({ ...app, pass: "x" }), "asked");
  assertEquals(await who(auth), "auth");
  assertEquals(await who({ ...auth, pass: "x" }), "the password is wrong");
  assertEquals(await who(app, { allowed_accounts }), "app");
  assertEquals(await who({ ...app, pass: "x" }, { allowed_accounts }), "asked");
  assertEquals(await who({ user: "global", pass: "p" }, { allowed_accounts }), "asked");
});

Deno.test("nobody but the service may publish where it is asked", async () => {
  const deny = [AUTH_CALLOUT_SUBJECT];
  const { ask } = await setup(
    (it) => it.answer({ jwt: it.userToken({ aud: "AUTH" }, { pub: { deny: ["x"] } }) }),
  );
  assertEquals(await ask({ user: "auth", pass: "auth" }), {
    user: "auth",
    account: "AUTH",
    permissions: { publish: { deny } },
  });
  const identity = await ask(bob);
  assert(typeof identity !== "string");
  assertEquals(identity.permissions, { publish: { deny: ["x", ...deny] } });
});

Deno.test("who shows nothing must say CONNECT before a service can be asked", async () => {
  const no_auth_user = { no_auth_user: "app" };
  const { authenticator, ask, bus } = await setup(
    (it) => it.answer({ jwt: it.userToken() }),
    { config: no_auth_user },
  );
  assertEquals([authenticator.required, authenticator.anonymous()], [false, null]);
  await ask({});
  assertEquals(bus.questions[0]!.user, "app");
  const exempt = await setup(() => "", { config: no_auth_user, settings: { auth_users: ["app"] } });
  assertEquals(exempt.authenticator.anonymous()?.user, "app");
});

Deno.test("questions are sealed for the service, and answers for the server", async () => {
  const curve = createCurve();
  const unseal = (data: Uint8Array) => {
    assert(!decoder.decode(data).includes("eyJ"));
    return curve.open(data, world.identity.xkey)!;
  };
  let seal = (answer: string): string | Uint8Array =>
    curve.seal(encoder.encode(answer), world.identity.xkey);
  const world = await setup((it) => {
    assertEquals((it.claims.nats.server_id as { xkey: string }).xkey, world.identity.xkey);
    return seal(it.answer({ jwt: it.userToken({ name: "sealed" }) }));
  }, { settings: { xkey: curve.getPublicKey() }, unseal });
  const who = async () => {
    const who = await world.ask(bob);
    return typeof who === "string" ? who : who.user;
  };
  assertEquals(await who(), "sealed");
  const header = decoder.decode(world.bus.requests[0]!.options.headers);
  assertEquals(header, `NATS/1.0\r\nNats-Server-Xkey: ${world.identity.xkey}\r\n\r\n`);
  seal = (answer) => answer;
  assertEquals(await who(), "sealed", "in the clear it is as good");
  const stranger = createCurve();
  seal = (answer) => stranger.seal(encoder.encode(answer), world.identity.xkey);
  assertEquals(await who(), "the callout's answer is not sealed by its service");
});

Deno.test("so many questions are open at once, and so many wait, as may", async () => {
  const answers = Promise.withResolvers<void>();
  let arrived = 0;
  const { ask, bus } = await setup(async (it) => {
    if (++arrived === 3) answers.resolve();
    await answers.promise;
    return it.answer({ jwt: it.userToken() });
  }, { openMax: 3, waitingMax: 4 });
  const asking = Array.from({ length: 10 }, () => ask(bob));
  const refused = "too many questions wait for the callout service";
  assertEquals(await Promise.all(asking.slice(7)), [refused, refused, refused]);
  for (const answer of await Promise.all(asking.slice(0, 7))) assert(typeof answer !== "string");
  assertEquals([bus.questions.length, bus.openMost], [7, 3]);
});

Deno.test("whoever leaves is not asked about any more", async () => {
  const { ask, bus } = await setup(() => "");
  const gone = AbortSignal.abort(new Error("client left"));
  await assertRejects(() => ask(bob, {}, gone), Error, "client left");
  assertEquals(bus.questions, []);
});

Deno.test("an answer stands until the service, or the account, is another one", async () => {
  const world = await setup((it) => it.answer({ jwt: it.userToken() }));
  const { authenticator, whole, bus } = world;
  const identity = await world.ask(bob) as Identity;
  const now = async (config: AuthenticatorConfig) => {
    bus.questions.length = 0;
    authenticator.update(config);
    const decision = await authenticator.reconsider(identity, bob, peerWith());
    return { decision, questions: bus.questions.length };
  };
  const same = await now({ ...structuredClone(whole), token: "more" });
  assertStrictEquals(same.decision, identity);
  assertEquals(same.questions, 0);
  const key = createAccount().getPublicKey();
  const other = await now({ ...whole, auth_callout: { ...whole.auth_callout!, issuer: key } });
  assert(other.decision instanceof Refusal);
  assertEquals(other.questions, 1);
  const { APP: _, ...fewer } = accounts;
  const gone = await now({ ...whole, accounts: fewer });
  assertEquals(
    outcome(gone.decision),
    "the callout's answer is for an account that does not exist",
  );
  const none = await now({ accounts });
  assertEquals(outcome(none.decision), "there is no such user");
});
