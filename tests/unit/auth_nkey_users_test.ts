import { assert, assertEquals } from "@std/assert";
import { createAccount, createUser, type KeyPair } from "@nats-io/nkeys";
import { admitted, authenticatorOf, decided, HASH } from "../support/identities.ts";

const encoder = new TextEncoder();
const nonce = "aDQ2yeLVfPQGYDU";

function sign(user: KeyPair, text = nonce): Uint8Array {
  return user.sign(encoder.encode(text));
}

function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

const alice = createUser(), bob = createUser();
const nkey = alice.getPublicKey();
const sig = base64url(sign(alice));

Deno.test("who signs the nonce with a configured nkey is that user", async () => {
  const { authenticator } = authenticatorOf({
    users: [{ nkey }],
    accounts: { B: { users: [{ nkey: bob.getPublicKey() }] } },
  });
  assert(authenticator.nonceRequired && authenticator.required && authenticator.configured);
  assertEquals(authenticator.anonymous(), null);
  assertEquals(await decided(authenticator, { nkey, sig }, { nonce }), {
    user: nkey,
    account: "$G",
    publicKey: nkey,
  });
  const standard = sign(bob).toBase64();
  for (const text of [standard, base64url(sign(bob))]) {
    const credentials = { nkey: bob.getPublicKey(), sig: text, user: "x", pass: "y" };
    assertEquals((await admitted(authenticator, credentials, { nonce })).account, "B");
  }
});

Deno.test("each way not to prove an nkey is refused with its reason", async () => {
  const { authenticator } = authenticatorOf({ users: [{ nkey }] });
  const raw = Uint8Array.fromBase64(sig, { alphabet: "base64url" });
  const notSigned = "the nonce is not signed by the nkey";
  const cases: [credentials: { nkey?: string; sig?: string }, reason: string][] = [
    [{}, "no user was named"],
    [{ sig }, "no user was named"],
    [{ nkey }, "the signature is missing"],
    [{ nkey, sig: base64url(sign(bob)) }, notSigned],
    [{ nkey, sig: base64url(sign(alice, "another nonce")) }, notSigned],
    // The text is signed, not what it is the base64 of.
    [{
      nkey,
      sig: base64url(alice.sign(Uint8Array.fromBase64(nonce + "A", { alphabet: "base64url" }))),
    }, notSigned],
    [{ nkey, sig: base64url(raw.subarray(1)) }, notSigned],
    [{ nkey, sig: sig + "=" }, notSigned],
    [{ nkey, sig: `-${sig.slice(1)}==` }, notSigned],
    [{ nkey, sig: `+${sig.slice(1)}` }, notSigned],
    [{ nkey, sig: `${sig}\n` }, notSigned],
    [{ nkey, sig: sig.slice(0, -2) + "-+" }, notSigned],
    [{ nkey, sig: "é".repeat(86) }, notSigned],
    [{ nkey: bob.getPublicKey(), sig: base64url(sign(bob)) }, "there is no such nkey"],
    [{ nkey: createAccount().getPublicKey(), sig }, "the nkey is not that of a user"],
    [{ nkey: nkey.toLowerCase(), sig }, "the nkey is not that of a user"],
  ];
  for (const [credentials, reason] of cases) {
    assertEquals(await decided(authenticator, credentials, { nonce }), reason);
  }
  assertEquals(await decided(authenticator, { nkey, sig }), notSigned, "without a nonce");
});

Deno.test("nkeys, users and a token each let their own in, in nats-server's order", async () => {
  const { authenticator } = authenticatorOf({
    token: "tok",
    users: [{ nkey }, { user: "u", password: "p" }, { user: "h", password: HASH }],
  });
  const by = async (credentials: Parameters<typeof decided>[1]) => {
    const who = await decided(authenticator, credentials, { nonce });
    return typeof who === "string" ? who : who.user;
  };
  assertEquals(await by({ nkey, sig }), nkey);
  assertEquals(await by({ user: "u", pass: "p" }), "u");
  assertEquals(await by({ user: "h", pass: "pw" }), "h");
  assertEquals(await by({ auth_token: "tok" }), "[REDACTED]");
  assertEquals(await by({ nkey, sig, user: "u", pass: "p", auth_token: "tok" }), nkey);
  // An nkey that is shown is looked at alone, a name before the token.
  assertEquals(await by({ nkey, user: "u", pass: "p" }), "the signature is missing");
  assertEquals(await by({ user: "u", pass: "x", auth_token: "tok" }), "the password is wrong");
  assertEquals(await by({ auth_token: "x" }), "the token is wrong");
  assertEquals(await by({}), "no token was shown");
});

Deno.test("without nkeys no nonce is sent and nkeys are ignored", async () => {
  const { authenticator } = authenticatorOf({ users: [{ user: "u", password: "p" }] });
  assertEquals(authenticator.nonceRequired, false);
  const credentials = { user: "u", pass: "p", nkey, sig };
  assertEquals((await admitted(authenticator, credentials, { nonce })).user, "u");
});

Deno.test("no_auth_user may be an nkey, for whoever shows nothing or only that", async () => {
  const { authenticator } = authenticatorOf({
    users: [{ nkey }, { user: "u", password: "p" }],
    no_auth_user: nkey,
  });
  const guest = { user: nkey, account: "$G", publicKey: nkey };
  assertEquals([authenticator.required, authenticator.anonymous()], [false, guest]);
  assertEquals(await decided(authenticator, {}, { nonce }), guest);
  assertEquals(await decided(authenticator, { nkey }, { nonce }), guest);
  assertEquals(await decided(authenticator, { user: "u" }, { nonce }), "the password is wrong");
});
