import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import {
  type AccountResolver,
  type Identity,
  MemoryResolver,
  type OperatorAccount,
  OperatorAccounts,
  OperatorAuthenticator,
  type OperatorSettings,
  readOperators,
  Refusal,
} from "../../src/auth/mod.ts";
import { silentLog } from "../../src/log/mod.ts";
import { VirtualClock } from "../../src/platform/mod.ts";
import { eventually } from "../support/eventually.ts";
import { operatorWorld } from "../support/operator_cases.ts";
import {
  accountToken,
  activationToken,
  type Fields,
  newAccount,
  newOperator,
  newUser,
  operatorToken,
  type Party,
  signNonce,
  unlimitedAccount,
  unlimitedUser,
  userToken,
} from "../support/operator_tokens.ts";
import { peerWith } from "../support/identities.ts";

const NONCE = "AAAAAAAAAAAAAAAA";

const peer = peerWith({ hostname: "127.0.0.1", nonce: NONCE });

const now = Math.floor(Date.now() / 1000);

async function setup(
  settings: Omit<OperatorSettings, "resolver"> & { operator: string[] },
  resolver: AccountResolver = new MemoryResolver(settings.resolver_preload ?? {}),
) {
  const clock = new VirtualClock({ startMs: now * 1000 });
  const operators = await readOperators(
    { resolver: { type: "memory" }, ...settings },
    { accounts: false, users: false, authCallout: false },
    {
      readText: () => Promise.reject(new Error("there is no file")),
      version: "2.15.1",
      nowMs: clock.now(),
      warn: () => {},
    },
  );
  const accounts = new OperatorAccounts({ operators, resolver, clock, log: silentLog });
  const changes: OperatorAccount[] = [];
  accounts.onChanged((account) => void changes.push(account));
  const authenticator = new OperatorAuthenticator({ operators, accounts, clock });
  return { clock, accounts, authenticator, changes, [Symbol.asyncDispose]: () => accounts.close() };
}

/** An operator with one account. */
function oneAccount(nats: Fields = {}, claims: Fields = {}) {
  const operator = newOperator(), account = newAccount();
  const preload = { [account.key]: accountToken(account, operator, nats, claims) };
  return {
    operator,
    account,
    settings: { operator: [operatorToken(operator)], resolver_preload: preload },
  };
}

function shown(jwt: string, user: Party) {
  return { jwt, sig: signNonce(user, NONCE) };
}

function admitted(decision: Identity | Refusal): Identity {
  assert(!(decision instanceof Refusal), (decision as Refusal).reason);
  return decision;
}

Deno.test("operator mode: every case is decided, with a reason for each refusal", async () => {
  const world = operatorWorld();
  await using it = await setup({ operator: [world.operator], resolver_preload: world.preload });
  for (const one of world.cases) {
    const sig = one.signer === null ? "" : signNonce(one.signer, NONCE);
    const decision = await it.authenticator.authenticate({ jwt: one.jwt, sig }, peer);
    const reason = decision instanceof Refusal ? decision.reason : null;
    assertEquals(reason === null, one.admitted, `${one.name}: ${reason}`);
    if (one.reason !== undefined) assertStringIncludes(reason!, one.reason, one.name);
  }
});

Deno.test("an identity has what the token of a user says", async () => {
  const { account, settings } = oneAccount();
  await using it = await setup(settings);
  const user = newUser();
  const jwt = userToken(user, account, {
    subs: 5,
    payload: 100,
    data: -1,
    pub: { allow: ["a", "b"], deny: ["c"] },
    sub: { allow: ["d q"] },
    resp: { max: 3, ttl: 2_000_000_000 },
    tags: ["x:y"],
  }, { exp: now + 60, name: "alice", iat: now - 5 });
  const identity = admitted(await it.authenticator.authenticate(shown(jwt, user), peer));
  assertEquals(identity, {
    user: user.key,
    account: account.key,
    permissions: {
      publish: { allow: ["a", "b"], deny: ["c"] },
      subscribe: { allow: ["d q"] },
      allow_responses: { max: 3, expires: 2000 },
    },
    limits: { subscriptions: 5, payload: 100 },
    expiresAtMs: (now + 60) * 1000,
    expiry: "user",
    publicKey: user.key,
    jwt: {
      token: jwt,
      issuerKey: account.key,
      name: "alice",
      accountName: "acme",
      tags: ["x:y"],
      issuedAt: now - 5,
    },
  });
});

Deno.test("a user without permissions has those of its account, as they change", async () => {
  const defaults = (subject: string) => ({ default_permissions: { pub: { allow: [subject] } } });
  const { operator, account, settings } = oneAccount(defaults("a"));
  await using it = await setup(settings);
  const user = newUser(), own = { ...unlimitedUser, sub: { deny: ["x"] } };
  const identify = async (nats: Fields) =>
    admitted(
      await it.authenticator.authenticate(shown(userToken(user, account, nats), user), peer),
    );
  const plain = await identify(unlimitedUser), special = await identify(own);
  assertEquals(plain.permissions, { publish: { allow: ["a"] } });
  assertEquals(plain.limits, undefined);
  assertEquals(special.permissions, { subscribe: { deny: ["x"] } });
  assert(it.authenticator.revised(plain) === plain);
  await it.accounts.replace(account.key, accountToken(account, operator, defaults("b")));
  assertEquals(it.authenticator.revised(plain).permissions, { publish: { allow: ["b"] } });
  assert(it.authenticator.revised(special) === special);
  await it.accounts.replace(account.key, accountToken(account, operator));
  assertEquals(it.authenticator.revised(plain).permissions, undefined);
});

Deno.test("a scoped user has the permissions and limits of the key that signed", async () => {
  const key = newAccount();
  const template = {
    pub: { allow: ["{{name()}}.>", "{{account-name()}}.x"], deny: ["{{subject()}}"] },
    sub: { allow: ["{{tag(team)}}.{{tag(team)}}.{{tag(city)}}", "{{account-tag(zone)}}.z"] },
    subs: 7,
    resp: { max: 0, ttl: 0 },
  };
  const scope = { kind: "user_scope", key: key.key, role: "r", template };
  const { account, settings } = oneAccount({ signing_keys: [scope], tags: ["zone:eu"] });
  await using it = await setup(settings);
  const user = newUser();
  const jwt = userToken(user, key, {
    issuer_account: account.key,
    tags: ["team:red", "team:blue", "city:rome"],
  }, { name: "alice" });
  const identity = admitted(await it.authenticator.authenticate(shown(jwt, user), peer));
  assertEquals(identity.permissions, {
    publish: { allow: ["alice.>", "acme.x"], deny: [user.key] },
    subscribe: { allow: ["red.red.rome", "blue.blue.rome", "eu.z"] },
    allow_responses: { max: 1, expires: 120_000 },
  });
  assertEquals(identity.limits, { subscriptions: 7 });
});

Deno.test("where nothing of what a template allows becomes a subject, nothing is allowed", async () => {
  const key = newAccount();
  const template = { pub: { allow: ["{{tag(none)}}.a"] }, sub: { allow: ["in.{{name()}}"] } };
  const scope = { kind: "user_scope", key: key.key, role: "r", template };
  const { account, settings } = oneAccount({ signing_keys: [scope] });
  await using it = await setup(settings);
  const user = newUser();
  const jwt = userToken(user, key, { issuer_account: account.key }, { name: "a b" });
  const identity = admitted(await it.authenticator.authenticate(shown(jwt, user), peer));
  assertEquals(identity.permissions, {
    publish: { deny: [">"] },
    subscribe: { deny: [">"] },
  });
});

Deno.test("a template may not become more subjects than fit", async () => {
  const key = newAccount();
  const template = { pub: { allow: ["{{tag(a)}}.{{tag(b)}}"] } };
  const scope = { kind: "user_scope", key: key.key, role: "r", template };
  const { account, settings } = oneAccount({ signing_keys: [scope] });
  await using it = await setup(settings);
  const user = newUser();
  const tags = Array.from({ length: 65 }, (_, i) => [`a:${i}`, `b:${i}`]).flat();
  const jwt = userToken(user, key, { issuer_account: account.key, tags });
  const decision = await it.authenticator.authenticate(shown(jwt, user), peer);
  assert(decision instanceof Refusal);
  assertStringIncludes(decision.reason, "4096");
});

Deno.test("under strict usage only signing keys sign users of an account", async () => {
  const operator = newOperator(),
    signer = newOperator(),
    account = newAccount(),
    key = newAccount();
  const token = accountToken(account, signer, { signing_keys: [key.key] });
  const unsigned = newAccount();
  await using it = await setup({
    operator: [
      operatorToken(operator, { signing_keys: [signer.key], strict_signing_key_usage: true }),
    ],
    resolver_preload: {
      [account.key]: token,
      [unsigned.key]: accountToken(unsigned, operator),
    },
  });
  const user = newUser();
  const decide = (jwt: string) => it.authenticator.authenticate(shown(jwt, user), peer);
  const own = await decide(userToken(user, account));
  assert(own instanceof Refusal);
  assertStringIncludes(own.reason, "key of its account");
  admitted(await decide(userToken(user, key, { ...unlimitedUser, issuer_account: account.key })));
  const direct = await decide(userToken(user, unsigned));
  assert(direct instanceof Refusal);
  assertStringIncludes(direct.reason, "trusted operator");
});

Deno.test("a client without a good token is taken for the sentinel", async () => {
  const { account, settings } = oneAccount();
  const guest = newUser();
  const sentinel = userToken(guest, account, { ...unlimitedUser, bearer_token: true });
  await using it = await setup({ ...settings, default_sentinel: sentinel });
  for (const jwt of ["", "rubbish"]) {
    assertEquals(admitted(await it.authenticator.authenticate({ jwt }, peer)).user, guest.key);
  }
});

Deno.test("users of other accounts than the pinned ones are refused", async () => {
  const { operator, account, settings } = oneAccount();
  const other = newAccount();
  const resolver_preload = {
    ...settings.resolver_preload,
    [other.key]: accountToken(other, operator),
  };
  await using it = await setup({
    ...settings,
    resolver_preload,
    resolver_pinned_accounts: [account.key],
  });
  const user = newUser();
  admitted(await it.authenticator.authenticate(shown(userToken(user, account), user), peer));
  const decision = await it.authenticator.authenticate(shown(userToken(user, other), user), peer);
  assert(decision instanceof Refusal);
  assertStringIncludes(decision.reason, "pinned");
  assertEquals(decision.account, other.key);
});

Deno.test("whom a changed account lets in no longer must leave, the others stay", async () => {
  const key = newAccount(), scoped = newAccount();
  const scope = (sub: string) => ({
    kind: "user_scope",
    key: scoped.key,
    role: "r",
    template: { sub: { allow: [sub] } },
  });
  const before = { signing_keys: [key.key, scope("a")] };
  const { operator, account, settings } = oneAccount(before);
  await using it = await setup(settings);
  const user = newUser(), other = newUser();
  const identify = async (one: Party, jwt: string) =>
    admitted(await it.authenticator.authenticate(shown(jwt, one), peer));
  const forAccount = { issuer_account: account.key };
  const ids = {
    user: await identify(user, userToken(user, account)),
    other: await identify(other, userToken(other, account)),
    bearer: await identify(
      other,
      userToken(other, account, { ...unlimitedUser, bearer_token: true }),
    ),
    bySigner: await identify(other, userToken(other, key, { ...unlimitedUser, ...forAccount })),
    byScope: await identify(other, userToken(other, scoped, forAccount)),
  };
  const textsAfter = async (nats: Fields, claims: Fields = {}) => {
    await it.accounts.replace(account.key, accountToken(account, operator, nats, claims));
    return Object.fromEntries(
      Object.entries(ids).flatMap(([name, id]) => {
        const eviction = it.authenticator.evictionOf({ ...id });
        return eviction === null ? [] : [[name, eviction.text]];
      }),
    );
  };
  assertEquals(await textsAfter({ ...before, exports: [] }), {});
  assertEquals(await textsAfter({ ...before, revocations: { [user.key]: now + 1000 } }), {
    user: "User Authentication Revoked",
  });
  assertEquals(await textsAfter({ ...before, revocations: { "*": now - 60 } }), {});
  assertEquals(
    await textsAfter({ ...before, limits: { ...unlimitedAccount, disallow_bearer: true } }),
    { bearer: "Authorization Violation" },
  );
  assertEquals(await textsAfter({ signing_keys: [scope("a")] }), { bySigner: null });
  assertEquals(await textsAfter({ signing_keys: [key.key, scope("b")] }), { byScope: null });
  assertEquals(await textsAfter(before), {});
  await it.accounts.remove(account.key);
  const gone = it.authenticator.evictionOf(ids.user);
  assertEquals(gone?.text, "Account Authentication Expired");
  assertEquals(it.changes.at(-1)?.expired, true);
});

Deno.test("an account that expires is told of, and nobody gets in any more", async () => {
  const { account, settings } = oneAccount({}, { exp: now + 30 });
  await using it = await setup(settings);
  const user = newUser();
  const decide = () => it.authenticator.authenticate(shown(userToken(user, account), user), peer);
  const identity = admitted(await decide());
  assertEquals(identity.expiresAtMs, undefined);
  assertEquals(it.authenticator.evictionOf(identity), null);
  await it.clock.advance(31_000);
  assertEquals(it.changes.map(({ expired }) => expired), [true]);
  assertEquals(it.authenticator.evictionOf(identity)?.text, "Account Authentication Expired");
  const late = await decide();
  assert(late instanceof Refusal);
  assertStringIncludes(late.reason, "expired");
});

Deno.test("an activation that does not hold is left out of its import, and told of", async () => {
  const operator = newOperator(), exporter = newAccount(), importer = newAccount();
  const exports = (revocations: Fields = {}) => ({
    exports: [{ name: "e", subject: "e.>", type: "stream", token_req: true, revocations }],
  });
  const token = activationToken(importer, exporter, { subject: "e.*", kind: "stream" }, {
    exp: now + 100,
    iat: now - 10,
  });
  const imports = {
    imports: [{ name: "i", subject: "e.a", account: exporter.key, type: "stream", token }],
  };
  await using it = await setup({
    operator: [operatorToken(operator)],
    resolver_preload: {
      [exporter.key]: accountToken(exporter, operator, exports()),
      [importer.key]: accountToken(importer, operator, imports),
    },
  });
  await it.accounts.definitionOf(exporter.key);
  const isActive = (account: OperatorAccount | null | undefined) =>
    account?.definition.imports?.[0]?.token === token;
  assert(isActive(await it.accounts.definitionOf(importer.key)));
  const update = (nats: Fields) =>
    it.accounts.replace(exporter.key, accountToken(exporter, operator, nats));
  const told = () => it.changes.splice(0).map((one) => [one.key, isActive(one)]);
  told();
  await update(exports({ [importer.key]: now }));
  assertEquals(told(), [[exporter.key, false], [importer.key, false]]);
  await update(exports({ [importer.key]: now - 60 }));
  assertEquals(told(), [[exporter.key, false], [importer.key, true]]);
  await update({ ...exports(), tags: ["x"] });
  assertEquals(told(), [[exporter.key, false]]);
  await it.clock.advance(101_000);
  assertEquals(told(), [[importer.key, false]]);
});

Deno.test("an account that cannot be found is not looked up by everybody at once, nor for ever", async () => {
  const { account, settings } = oneAccount();
  let lookups = 0;
  const silent: AccountResolver = {
    fetch: () => {
      lookups++;
      return new Promise(() => {});
    },
  };
  await using it = await setup(settings, silent);
  const user = newUser();
  const decide = () => it.authenticator.authenticate(shown(userToken(user, account), user), peer);
  const both = Promise.all([decide(), decide()]);
  await eventually("the lookup has begun", () => lookups > 0);
  await it.clock.advance(5001);
  for (const decision of await both) {
    assert(decision instanceof Refusal);
    assertStringIncludes(decision.reason, "5000 ms");
  }
  assert(await decide() instanceof Refusal);
  assertEquals(lookups, 1);
});

Deno.test("whoever leaves is not waited for, and a lookup goes on for the others", async () => {
  const { account, settings } = oneAccount();
  const { promise, resolve } = Promise.withResolvers<string>();
  await using it = await setup(settings, { fetch: () => promise });
  const user = newUser();
  const leaving = new AbortController();
  const jwt = shown(userToken(user, account), user);
  const left = it.authenticator.authenticate(jwt, peer, leaving.signal);
  const stays = it.authenticator.authenticate(jwt, peer);
  await it.clock.advance(1);
  leaving.abort(new Error("gone"));
  assertEquals(await left.catch((error) => error.message), "gone");
  resolve(settings.resolver_preload[account.key]!);
  admitted(await stays);
});

Deno.test("no change of a token lets anybody in, and none is more than refused", async () => {
  const { account, settings } = oneAccount();
  await using it = await setup(settings);
  const user = newUser();
  const good = userToken(user, account, unlimitedUser, { exp: now + 100 });
  const sig = signNonce(user, NONCE);
  admitted(await it.authenticator.authenticate({ jwt: good, sig }, peer));
  const at = fc.nat({ max: good.length - 1 });
  const character = fc.oneof(
    fc.constantFrom(..."ABCabc019-_.=+/ \u0000é"),
    fc.string({ minLength: 1, maxLength: 1, unit: "binary" }),
  );
  const change = fc.oneof(
    fc.record({ at, put: character, drop: fc.constant(1) }),
    fc.record({ at, put: fc.string({ maxLength: 8 }), drop: fc.nat({ max: 40 }) }),
    fc.record({ at, put: fc.constant(""), drop: fc.constant(good.length) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      let jwt = good;
      for (const { at, put, drop } of changes) jwt = jwt.slice(0, at) + put + jwt.slice(at + drop);
      fc.pre(jwt !== good);
      const decision = await it.authenticator.authenticate({ jwt, sig }, peer);
      assert(decision instanceof Refusal, `let in by ${jwt}`);
    }),
    { numRuns: 200 },
  );
});

Deno.test("no claims, however signed, are more than refused", async () => {
  const operator = newOperator(), account = newAccount(), user = newUser();
  const values = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<unknown>(null, true, "", [], {}, -1, 0, 1e300, ["a..b"], [null], [{}]),
  );
  const userFields = [
    ...["pub", "sub", "resp", "subs", "data", "payload", "src", "times", "times_location"],
    ...["bearer_token", "allowed_connection_types", "issuer_account", "tags", "version", "type"],
  ];
  const accountFields = [
    ...["limits", "exports", "imports", "signing_keys", "revocations", "default_permissions"],
    ...["mappings", "authorization", "trace", "info_url", "tags", "version", "type"],
  ];
  const fields = (names: string[]) =>
    fc.dictionary(fc.constantFrom(...names), values, { maxKeys: 4 });
  await fc.assert(
    fc.asyncProperty(fields(userFields), fields(accountFields), async (ofUser, ofAccount) => {
      await using it = await setup({
        operator: [operatorToken(operator)],
        resolver_preload: { [account.key]: accountToken(account, operator, ofAccount) },
      });
      const jwt = userToken(user, account, { ...unlimitedUser, ...ofUser });
      const decision = await it.authenticator.authenticate(shown(jwt, user), peer);
      if (decision instanceof Refusal) assert(decision.reason !== "");
      else assertEquals(decision.account, account.key);
    }),
    { numRuns: 60 },
  );
});
