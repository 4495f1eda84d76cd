import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { type AuthenticatorConfig, Refusal } from "../../src/auth/mod.ts";
import {
  admitted,
  authenticatorOf,
  certificateWith,
  decided,
  HASH,
  peerWith,
} from "../support/identities.ts";

const own = { publish: { allow: ["own"] } };
const ofUsers = { subscribe: { deny: ["users"] } };
const ofA = { allow_responses: { max: 1, expires: 1000 } };

Deno.test("a user has its own permissions, else the defaults of where it is listed", async () => {
  const users = (suffix: string) => [
    { user: `own${suffix}`, password: "p", permissions: own },
    { user: `none${suffix}`, password: "p" },
    { user: `free${suffix}`, password: "p", permissions: {} },
  ];
  const { authenticator } = authenticatorOf({
    users: users("G"),
    default_permissions: ofUsers,
    accounts: { A: { users: users("A"), default_permissions: ofA }, B: { users: users("B") } },
  });
  const expected: Record<string, unknown> = {
    ownG: own,
    noneG: ofUsers,
    freeG: {},
    ownA: own,
    noneA: ofA,
    freeA: {},
    ownB: own,
    noneB: undefined,
    freeB: {},
  };
  for (const [user, permissions] of Object.entries(expected)) {
    const identity = await admitted(authenticator, { user, pass: "p" });
    assertEquals(identity.permissions, permissions, user);
  }
});

Deno.test("defaults are neither for the token nor for the one user", async () => {
  const token = authenticatorOf({ token: "t", default_permissions: ofUsers }).authenticator;
  assertEquals((await admitted(token, { auth_token: "t" })).permissions, undefined);
  const single = authenticatorOf({ user: "u", password: "p", default_permissions: ofUsers });
  const identity = await admitted(single.authenticator, { user: "u", pass: "p" });
  assertEquals(identity.permissions, undefined);
});

Deno.test("all connections of a user have the same identity", async () => {
  const { authenticator } = authenticatorOf({ users: [{ user: "u", password: "p" }] });
  const credentials = { user: "u", pass: "p" };
  assertStrictEquals(
    await admitted(authenticator, credentials),
    await admitted(authenticator, credentials),
  );
});

Deno.test("a user is let in only as it may be connected, and not before its password is right", async () => {
  const { authenticator } = authenticatorOf({
    users: [
      { user: "ws", password: "p", allowed_connection_types: ["WEBSOCKET", "MQTT"] },
      { user: "any", password: "p", allowed_connection_types: [] },
    ],
    no_auth_user: "ws",
  });
  const ws = { connectionType: "WEBSOCKET" } as const;
  const may = "the user may not be connected as STANDARD";
  assertEquals((await admitted(authenticator, { user: "ws", pass: "p" }, ws)).user, "ws");
  assertEquals(await decided(authenticator, { user: "ws", pass: "p" }), may);
  assertEquals(await decided(authenticator, { user: "ws", pass: "x" }), "the password is wrong");
  assertEquals((await admitted(authenticator, { user: "any", pass: "p" })).user, "any");
  assertEquals(await decided(authenticator, {}), may);
  assertEquals((await admitted(authenticator, {}, ws)).user, "ws");
  assertEquals(authenticator.anonymous(), null);
  assertEquals(authenticator.anonymous(peerWith(ws))?.user, "ws");
});

Deno.test("a certificate is a user's by e-mail, DNS name, URI or subject, in that order", async () => {
  const names = [
    "carol@example.com",
    "carol.example.com",
    "spiffe://example.com/carol",
    "CN=carol,O=Acme",
  ];
  const all = certificateWith({
    emails: ["other@example.com", names[0]!],
    dnsNames: [names[1]!],
    uris: [names[2]!],
    subject: names[3]!,
  });
  for (let first = 0; first < names.length; first++) {
    const { authenticator } = authenticatorOf({
      verify_and_map: true,
      users: names.slice(first).toReversed().map((user) => ({ user })),
    });
    const identity = await admitted(authenticator, { user: "ignored" }, { certificate: all });
    assertEquals(identity, { user: names[first]!, account: "$G" });
  }
  const { authenticator } = authenticatorOf({ verify_and_map: true, users: [{ user: "x" }] });
  assertEquals(
    await decided(authenticator, { user: "x" }, { certificate: all }),
    "the certificate names no user: other@example.com, carol@example.com, carol.example.com, " +
      "spiffe://example.com/carol, CN=carol,O=Acme",
  );
  const long = certificateWith({ subject: `CN=${"x".repeat(10_000)}` });
  assertEquals(
    (await decided(authenticator, { user: "x" }, { certificate: long }) as string).length,
    "the certificate names no user: ...".length + 256,
  );
  assertEquals(
    await decided(authenticator, { user: "x" }),
    "no certificate was shown to find the user by",
  );
});

Deno.test("a certificate's subject is compared part by part", async () => {
  const { authenticator } = authenticatorOf({
    verify_and_map: true,
    users: [
      { user: "O=Acme, cn=carol" },
      { user: "CN=dave+L=Bonn,O=Acme" },
      { user: "CN=Smith\\, J.,O=Acme" },
      { user: "DC=com,DC=example,CN=erin" },
      { user: "CN=erin,DC=example,DC=com" },
      { user: "no name at all" },
    ],
  });
  const by = async (subject: string) => {
    const who = await decided(authenticator, {}, { certificate: certificateWith({ subject }) });
    return typeof who === "string" ? null : who.user;
  };
  assertEquals(await by("CN=carol,O=Acme"), "O=Acme, cn=carol");
  assertEquals(await by("L=Bonn+CN=dave,O=Acme"), "CN=dave+L=Bonn,O=Acme");
  assertEquals(await by("CN=Smith\\2c J.,O=Acme"), "CN=Smith\\, J.,O=Acme");
  // The same order goes before any order.
  assertEquals(await by("CN=erin,DC=example,DC=com"), "CN=erin,DC=example,DC=com");
  for (
    const other of [
      "CN=Carol,O=Acme",
      "CN=carol",
      "CN=carol,O=Acme,O=Acme",
      "CN=dave,L=Bonn,O=Acme",
      "CN=carol,O=#0404",
      "",
    ]
  ) assertEquals(await by(other), null, other);
});

Deno.test("a certificate of a user with a password needs that too", async () => {
  const { authenticator } = authenticatorOf({
    verify_and_map: true,
    users: [{ user: "carol@x", password: "p" }, { user: "hash@x", password: HASH }],
    token: "tok",
  });
  const carol = { certificate: certificateWith({ emails: ["carol@x"] }) };
  const hash = { certificate: certificateWith({ emails: ["hash@x"] }) };
  assertEquals(await decided(authenticator, {}, carol), "the password is wrong");
  assertEquals((await admitted(authenticator, { pass: "p" }, carol)).user, "carol@x");
  assertEquals((await admitted(authenticator, { pass: "pw" }, hash)).user, "hash@x");
  // Neither a password nor a token stands for a certificate.
  for (const credentials of [{ user: "carol@x", pass: "p" }, { auth_token: "tok" }]) {
    assertEquals(
      await decided(authenticator, credentials),
      "no certificate was shown to find the user by",
    );
  }
});

Deno.test("users of a certificate that may not be connected like that do not count", async () => {
  const { authenticator } = authenticatorOf({
    verify_and_map: true,
    users: [
      { user: "carol@x", allowed_connection_types: ["WEBSOCKET"] },
      { user: "carol.x" },
    ],
  });
  const certificate = certificateWith({ emails: ["carol@x"], dnsNames: ["carol.x"] });
  assertEquals((await admitted(authenticator, {}, { certificate })).user, "carol.x");
  const ws = { certificate, connectionType: "WEBSOCKET" } as const;
  assertEquals((await admitted(authenticator, {}, ws)).user, "carol@x");
});

/** Asks of a client whether it is still let in after the configuration became another one. */
async function reloaded(
  before: AuthenticatorConfig,
  after: AuthenticatorConfig,
  credentials = { user: "u", pass: "p" } as Record<string, string>,
  facts: Parameters<typeof peerWith>[0] = {},
) {
  const { authenticator, verifier } = authenticatorOf(before);
  const identity = await admitted(authenticator, credentials, facts);
  verifier.asked.length = 0;
  authenticator.update(after);
  const now = authenticator.reconsider(identity, credentials, peerWith(facts));
  return { identity, now: await now, atOnce: !(now instanceof Promise), verifier };
}

const config: AuthenticatorConfig = {
  accounts: {
    A: { users: [{ user: "u", password: "p", permissions: own }], default_permissions: ofA },
  },
};

Deno.test("who is not concerned by a change stays the very same", async () => {
  const same = structuredClone(config);
  const more: AuthenticatorConfig = {
    ...same,
    token: "new",
    users: [{ user: "x", password: HASH }],
  };
  for (const after of [same, more]) {
    const { identity, now, atOnce } = await reloaded(config, after);
    assertStrictEquals(now, identity);
    assert(atOnce);
  }
});

Deno.test("a user that a change concerns is another one, moved or gone", async () => {
  const users = (user: object) => ({
    accounts: { A: { users: [{ user: "u", password: "p", ...user }] } },
  });
  const changed = await reloaded(config, users({ permissions: ofUsers }));
  assertEquals(changed.now, { user: "u", account: "A", permissions: ofUsers });
  const unset = await reloaded(config, {
    accounts: { A: { users: [{ user: "u", password: "p" }], default_permissions: ofA } },
  });
  assertEquals(unset.now, { user: "u", account: "A", permissions: ofA });
  const moved = await reloaded(config, { users: [{ user: "u", password: "p" }] });
  assertEquals(moved.now, { user: "u", account: "$G" });
  const gone: [after: AuthenticatorConfig, reason: string][] = [
    [users({ password: "other" }), "the password is wrong"],
    [users({ user: "v" }), "there is no such user"],
    [users({ allowed_connection_types: ["MQTT"] }), "the user may not be connected as STANDARD"],
    [{ token: "t" }, "no token was shown"],
    [{ ...config, verify_and_map: true }, "no certificate was shown to find the user by"],
  ];
  for (const [after, reason] of gone) {
    const { now } = await reloaded(config, after);
    assert(now instanceof Refusal);
    assertEquals(now.reason, reason);
  }
  const open = await reloaded(config, {});
  assertEquals(open.now, { user: null, account: "$G" });
});

Deno.test("a password that is written in another way is compared again, else never", async () => {
  const users = (password: string) => ({ users: [{ user: "u", password }] });
  const pw = { user: "u", pass: "pw" };
  const hashed = await reloaded(users("pw"), users(HASH), pw);
  assertEquals(hashed.now, hashed.identity);
  assertEquals(hashed.verifier.asked, ["pw $2b$"]);
  const kept = await reloaded(users(HASH), users(HASH), pw);
  assertStrictEquals(kept.now, kept.identity);
  assertEquals(kept.verifier.asked, []);
});

Deno.test("tokens, the one user, strangers and guests are reconsidered", async () => {
  const token = { auth_token: "t" };
  const kept = await reloaded({ token: "t" }, { token: "t" }, token);
  assertStrictEquals(kept.now, kept.identity);
  assert((await reloaded({ token: "t" }, { token: "u" }, token)).now instanceof Refusal);
  const single = { user: "u", password: "p" };
  const one = await reloaded(single, { ...single });
  assertStrictEquals(one.now, one.identity);
  assert((await reloaded(single, { ...single, password: "q" })).now instanceof Refusal);

  // What nobody looked at before is looked at when somebody wants to see it.
  assertEquals((await reloaded({}, single)).now, { user: "u", account: "$G" });
  assert((await reloaded({}, single, {})).now instanceof Refusal);

  const guests: AuthenticatorConfig = { users: [{ user: "g", password: "p" }], no_auth_user: "g" };
  const guest = await reloaded(guests, structuredClone(guests), {});
  assertStrictEquals(guest.now, guest.identity);
  assert((await reloaded(guests, { users: guests.users }, {})).now instanceof Refusal);

  const maps = { verify_and_map: true, users: [{ user: "c@x" }] };
  const certificate = certificateWith({ emails: ["c@x"] });
  const carol = await reloaded(maps, structuredClone(maps), {}, { certificate });
  assertStrictEquals(carol.now, carol.identity);
  const without = { ...maps, users: [{ user: "d@x" }] };
  assert((await reloaded(maps, without, {}, { certificate })).now instanceof Refusal);
});

Deno.test("a check that a change overtakes is decided by the change", async () => {
  const users = (password: string) => ({ users: [{ user: "u", password }] });
  const { authenticator } = authenticatorOf(users(HASH));
  const checks = [1, 2].map(() =>
    authenticator.authenticate({ user: "u", pass: "pw" }, peerWith())
  );
  authenticator.update(users("other"));
  for (const check of checks) assert(await check instanceof Refusal);
  authenticator.update(users(HASH));
  const check = authenticator.authenticate({ user: "u", pass: "pw" }, peerWith());
  authenticator.update(users("pw"));
  assertEquals(await check, { user: "u", account: "$G" });
});

Deno.test("of 100,000 users nothing is made before they come", async () => {
  let read = 0;
  const permissions = { publish: { allow: ["tenant.>"] } };
  /** Counts whenever somebody wants to know more of it than where it is found. */
  class User {
    readonly password = "p";
    constructor(readonly user: string) {}
    get permissions() {
      read++;
      return permissions;
    }
    get allowed_connection_types() {
      read++;
      return [];
    }
  }
  const users = (account: number, count: number) =>
    Array.from({ length: count }, (_, i) => new User(`user-${account}-${i}`));
  const accounts = Object.fromEntries(
    Array.from({ length: 5000 }, (_, i) => [`A${i}`, { users: users(i, 10) }]),
  );
  const { authenticator } = authenticatorOf({ accounts, users: users(-1, 50_000) });
  assertEquals(read, 0);
  for (const [user, account] of [["user-4999-9", "A4999"], ["user--1-49999", "$G"]] as const) {
    const identity = await admitted(authenticator, { user, pass: "p" });
    assertEquals(identity, { user, account, permissions });
  }
  const reads = read;
  assert(reads < 10);
  await admitted(authenticator, { user: "user-4999-9", pass: "p" });
  assertEquals(read - reads, 1, "only whether it may be connected like that is looked up again");
});
