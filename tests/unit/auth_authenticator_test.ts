import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  Authenticator,
  type AuthenticatorConfig,
  type Credentials,
  type Decision,
  hasPlainSecret,
  type Identity,
  PasswordVerifier,
  Refusal,
  usersWithoutPassword,
  VerifierOverloadedError,
} from "../../src/auth/mod.ts";
import { VirtualClock } from "../../src/platform/virtual_clock.ts";
import { peerWith } from "../support/identities.ts";

/** "pw" stands for the password of every hash; what was asked of it is kept. */
class FakeVerifier extends PasswordVerifier {
  readonly asked: string[] = [];

  constructor() {
    super({ clock: new VirtualClock() });
  }

  override verify(password: string, hash: string, signal?: AbortSignal): Promise<boolean> {
    this.asked.push(`${password} ${hash.slice(0, 4)}`);
    return signal?.aborted ? Promise.reject(signal.reason) : Promise.resolve(password === "pw");
  }
}

const hash = "$2b$10$" + "h".repeat(53);
const otherHash = "$2y$10$" + "h".repeat(53);

function setup(config: AuthenticatorConfig) {
  const verifier = new FakeVerifier();
  return { verifier, authenticator: new Authenticator(config, verifier) };
}

const peer = peerWith();

/** Who was let in; null after a refusal, which must say why. */
function admitted(decision: Decision): Identity | null {
  if (!(decision instanceof Refusal)) return decision;
  assert(decision.reason.length > 0, "refused without a reason");
  return null;
}

/** Who is let in without waiting, or null. */
function atOnce(authenticator: Authenticator, credentials: Credentials): Identity | null {
  const decision = authenticator.authenticate(credentials, peer);
  assert(!(decision instanceof Promise), "decided later");
  return admitted(decision);
}

/** Who is let in after waiting, or null. */
async function later(
  authenticator: Authenticator,
  credentials: Credentials,
): Promise<Identity | null> {
  const decision = authenticator.authenticate(credentials, peer);
  assert(decision instanceof Promise, "decided at once");
  return admitted(await decision);
}

Deno.test("without any setting everybody is let in and credentials are ignored", () => {
  for (const config of [{}, { token: "", user: "", users: [] }, { no_auth_user: "a" }]) {
    const { authenticator } = setup(config);
    assertEquals(authenticator.required, false);
    assertEquals(authenticator.anonymous(), { user: null, account: "$G" });
    assertEquals(atOnce(authenticator, {}), { user: null, account: "$G" });
    assertEquals(atOnce(authenticator, { user: "x", pass: "y" }), { user: null, account: "$G" });
  }
});

Deno.test("a plain token", () => {
  const { authenticator, verifier } = setup({ token: "tok" });
  const tok = { user: "[REDACTED]", account: "$G" };
  assertEquals(authenticator.required, true);
  assertEquals(authenticator.anonymous(), null);
  assertEquals(atOnce(authenticator, { auth_token: "tok" }), tok);
  assertEquals(atOnce(authenticator, { auth_token: "tok", user: "x", pass: "y" }), tok);
  for (
    const wrong of [{}, { auth_token: "" }, { auth_token: "tokk" }, { user: "tok" }, {
      user: "x",
      pass: "tok",
    }]
  ) assertEquals(atOnce(authenticator, wrong), null);
  assertEquals(verifier.asked, []);
});

Deno.test("a bcrypt token", async () => {
  const { authenticator } = setup({ token: hash });
  assertEquals(await later(authenticator, { auth_token: "pw" }), {
    user: "[REDACTED]",
    account: "$G",
  });
  assertEquals(await later(authenticator, { auth_token: hash }), null);
  assertEquals(await later(authenticator, {}), null);
});

Deno.test("a single user, with a password and without", () => {
  const { authenticator } = setup({ user: "u", password: "p" });
  assertEquals(authenticator.required, true);
  assertEquals(atOnce(authenticator, { user: "u", pass: "p" }), { user: "u", account: "$G" });
  assertEquals(atOnce(authenticator, { user: "u", pass: "p", auth_token: "x" }), {
    user: "u",
    account: "$G",
  });
  for (const wrong of [{}, { user: "u" }, { pass: "p" }, { user: "U", pass: "p" }]) {
    assertEquals(atOnce(authenticator, wrong), null);
  }
  const open = setup({ user: "u" }).authenticator;
  assertEquals(atOnce(open, { user: "u" }), { user: "u", account: "$G" });
  assertEquals(atOnce(open, { user: "u", pass: "p" }), null);
});

Deno.test("several users, each with its own password", () => {
  const { authenticator } = setup({
    users: [{ user: "a", password: "aa" }, { user: "b", password: "bb" }, { user: "open" }],
  });
  assertEquals(atOnce(authenticator, { user: "open" }), { user: "open", account: "$G" });
  assertEquals(atOnce(authenticator, { user: "open", pass: "x" }), null);
  assertEquals(atOnce(authenticator, { user: "a", pass: "aa" }), { user: "a", account: "$G" });
  assertEquals(atOnce(authenticator, { user: "b", pass: "bb" }), { user: "b", account: "$G" });
  for (
    const wrong of [
      {},
      { user: "a", pass: "bb" },
      { user: "c", pass: "" },
      { user: "c" },
      {
        auth_token: "aa",
      },
      { nkey: "a" },
      { jwt: "a" },
    ]
  ) assertEquals(atOnce(authenticator, wrong), null);
});

Deno.test("plain passwords beside bcrypt are accepted at once, whoever is refused waits", async () => {
  const { authenticator, verifier } = setup({
    users: [
      { user: "plain", password: "aa" },
      { user: "b", password: hash },
      { user: "y", password: otherHash },
    ],
  });
  assertEquals(atOnce(authenticator, { user: "plain", pass: "aa" }), {
    user: "plain",
    account: "$G",
  });
  assertEquals(verifier.asked, []);
  assertEquals(await later(authenticator, { user: "y", pass: "pw" }), { user: "y", account: "$G" });
  assertEquals(await later(authenticator, { user: "b", pass: "wrong" }), null);
  assertEquals(await later(authenticator, { user: "plain", pass: "wrong" }), null);
  assertEquals(await later(authenticator, { user: "nobody", pass: "wrong" }), null);
  assertEquals(verifier.asked, ["pw $2y$", "wrong $2b$", "wrong $2b$", "wrong $2b$"]);
});

Deno.test("another user's password lets neither an unknown nor a plain user in", async () => {
  const { authenticator } = setup({
    users: [{ user: "b", password: hash }, { user: "plain", password: "aa" }],
  });
  for (const user of ["nobody", "", "plain"]) {
    assertEquals(await later(authenticator, { user, pass: "pw" }), null);
  }
});

Deno.test("no_auth_user stands for clients without credentials, and for them only", async () => {
  const { authenticator, verifier } = setup({
    users: [{ user: "guest", password: "gg" }, { user: "b", password: hash }],
    no_auth_user: "guest",
  });
  const guest = { user: "guest", account: "$G" };
  assertEquals(authenticator.required, false);
  assertEquals(authenticator.anonymous(), guest);
  assertEquals(atOnce(authenticator, {}), guest);
  assertEquals(atOnce(authenticator, { user: "", pass: "", auth_token: "" }), guest);
  assertEquals(atOnce(authenticator, { nkey: "U", jwt: "x", sig: "x" }), guest);
  assertEquals(atOnce(authenticator, { user: "guest", pass: "gg" }), guest);
  assertEquals(verifier.asked, []);
  for (const wrong of [{ pass: "x" }, { auth_token: "x" }, { user: "guest" }, { user: "x" }]) {
    assertEquals(await later(authenticator, wrong), null);
  }
});

Deno.test("a no_auth_user with a bcrypt password needs no check", () => {
  const { authenticator, verifier } = setup({
    users: [{ user: "guest", password: hash }],
    no_auth_user: "guest",
  });
  assertEquals(atOnce(authenticator, {}), { user: "guest", account: "$G" });
  assertEquals(verifier.asked, []);
});

Deno.test("what ends a check reaches whoever waits for the decision", async () => {
  const { authenticator, verifier } = setup({ user: "b", password: hash });
  const gone = AbortSignal.abort(new Error("client left"));
  for (const user of ["b", "nobody"]) {
    await assertRejects(
      async () => await authenticator.authenticate({ user, pass: "pw" }, peer, gone),
      Error,
      "client left",
    );
  }
  verifier.verify = () => Promise.reject(new VerifierOverloadedError("full"));
  await assertRejects(
    () => later(authenticator, { user: "b", pass: "pw" }),
    VerifierOverloadedError,
  );
});

/** What nats-server 2.15.1 lets in with these was asked of it. */
Deno.test("users are in their accounts, the others in the global one", () => {
  const { authenticator } = setup({
    users: [{ user: "g", password: "gg" }],
    accounts: {
      A: { users: [{ user: "a", password: "aa" }] },
      $SYS: { users: [{ user: "s", password: "ss" }] },
    },
  });
  assertEquals([authenticator.required, authenticator.configured], [true, true]);
  assertEquals(authenticator.anonymous(), null);
  assertEquals(atOnce(authenticator, { user: "a", pass: "aa" }), { user: "a", account: "A" });
  assertEquals(atOnce(authenticator, { user: "s", pass: "ss" }), { user: "s", account: "$SYS" });
  assertEquals(atOnce(authenticator, { user: "g", pass: "gg" }), { user: "g", account: "$G" });
  for (const wrong of [{}, { user: "a", pass: "ss" }, { user: "x" }, { auth_token: "aa" }]) {
    assertEquals(atOnce(authenticator, wrong), null);
  }
});

Deno.test("no_auth_user may be of any account", () => {
  const { authenticator } = setup({
    accounts: { A: { users: [{ user: "a", password: "aa" }] } },
    no_auth_user: "a",
  });
  assertEquals([authenticator.required, authenticator.configured], [false, true]);
  assertEquals(atOnce(authenticator, {}), { user: "a", account: "A" });
  assertEquals(atOnce(authenticator, { user: "x" }), null);
});

Deno.test("accounts without users let everybody into the global one", () => {
  const { authenticator } = setup({ accounts: { A: { users: [] } } });
  assertEquals([authenticator.required, authenticator.configured], [false, false]);
  assertEquals(atOnce(authenticator, { user: "x" }), { user: null, account: "$G" });
});

Deno.test("with users of the system alone, clients that show nothing are let in", () => {
  const users = [{ user: "s", password: "ss" }];
  const cases: AuthenticatorConfig[] = [
    { accounts: { $SYS: { users } } },
    { accounts: { X: { users } }, system_account: "X" },
    { accounts: { $SYS: { users } }, timeout: 2000 },
  ];
  for (const config of cases) {
    const { authenticator } = setup(config);
    assertEquals([authenticator.required, authenticator.configured], [true, true]);
    assertEquals(authenticator.anonymous(), { user: null, account: "$G" });
    assertEquals(atOnce(authenticator, {}), { user: null, account: "$G" });
    const account = config.system_account ?? "$SYS";
    assertEquals(atOnce(authenticator, { user: "s", pass: "ss" }), { user: "s", account });
    for (const wrong of [{ user: "s" }, { user: "x", pass: "y" }, { auth_token: "x" }]) {
      assertEquals(atOnce(authenticator, wrong), null);
    }
  }
  const closed: AuthenticatorConfig[] = [
    { accounts: { $SYS: { users } }, users: [{ user: "u" }] },
    { accounts: { $SYS: { users } }, timeout: 1000 },
    { accounts: { $SYS: { users }, A: { users: [] } } },
    { accounts: { $SYS: { users }, X: { users: [] } }, system_account: "X" },
  ];
  for (const config of closed) {
    const { authenticator } = setup(config);
    assertEquals([authenticator.required, authenticator.anonymous()], [true, null]);
    assertEquals(atOnce(authenticator, {}), null);
  }
});

Deno.test("beside a token, who gives a name is asked for its password", () => {
  const { authenticator } = setup({ token: "tok", users: [{ user: "a", password: "aa" }] });
  const byToken = { user: "[REDACTED]", account: "$G" };
  assertEquals(atOnce(authenticator, { auth_token: "tok" }), byToken);
  assertEquals(atOnce(authenticator, { user: "a", pass: "aa" }), { user: "a", account: "$G" });
  assertEquals(atOnce(authenticator, { auth_token: "bad", user: "a", pass: "aa" }), {
    user: "a",
    account: "$G",
  });
  const wrong: Credentials[] = [
    {},
    { pass: "tok" },
    { auth_token: "tok", user: "a", pass: "bad" },
    { auth_token: "tok", user: "x" },
  ];
  for (const credentials of wrong) assertEquals(atOnce(authenticator, credentials), null);
});

Deno.test("secrets and missing passwords are seen in accounts too", () => {
  const config = (password?: string): AuthenticatorConfig => ({
    accounts: { A: { users: [{ user: "a", password }] } },
  });
  assertEquals(usersWithoutPassword(config()), ["a"]);
  assertEquals(usersWithoutPassword(config(hash)), []);
  assertEquals([hasPlainSecret(config("aa")), hasPlainSecret(config(hash))], [true, false]);
});
