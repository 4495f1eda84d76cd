import { assert, assertEquals } from "@std/assert";
import { createAccount, createUser } from "@nats-io/nkeys";
import { startBroker } from "../support/broker.ts";
import type { ServerAddress } from "../support/conversation.ts";
import { findNatsServer, startNatsServer } from "../support/nats_server.ts";
import { show, type Showing } from "../support/show_credentials.ts";

const natsServer = await findNatsServer("2.15");

const alice = createUser(), bob = createUser();
const hash = "$2a$04$KFQRFnhZZIUu4XT7n9UWvObZGzfXGRE1ShgINFwjWtNRVIm9spJHC"; // correct horse

/** Configurations that both servers understand. */
const configs = {
  users: {
    authorization: {
      users: [
        { user: "plain", password: "p", permissions: { publish: ["own"] } },
        { user: "hash", password: hash },
        { user: "open" },
        { user: "ws", password: "p", allowed_connection_types: ["WEBSOCKET"] },
        { user: "std", password: "p", allowed_connection_types: ["standard", "MQTT"] },
      ],
      default_permissions: { publish: ["default"] },
    },
    accounts: {
      A: { users: [{ user: "a", password: "a" }], default_permissions: { publish: ["ofA"] } },
      B: { users: [{ user: "b", password: "b" }, { nkey: bob.getPublicKey() }] },
    },
  },
  nkeys: { authorization: { users: [{ nkey: alice.getPublicKey() }] } },
  token: { authorization: { token: "tok", default_permissions: { publish: ["x"] } } },
  single: { authorization: { user: "u", password: "p", default_permissions: { publish: ["x"] } } },
  guest: {
    authorization: { users: [{ user: "g", password: "p" }, { user: "h", password: hash }] },
    no_auth_user: "g",
  },
  guestKey: {
    authorization: { users: [{ nkey: alice.getPublicKey() }, { user: "u", password: "p" }] },
    no_auth_user: alice.getPublicKey(),
  },
  guestElsewhere: {
    authorization: {
      users: [{ user: "g", password: "p", allowed_connection_types: ["WEBSOCKET"] }],
    },
    no_auth_user: "g",
  },
  system: { accounts: { $SYS: { users: [{ user: "s", password: "s" }] } } },
  systemKey: {
    accounts: { SYS: { users: [{ nkey: alice.getPublicKey() }] } },
    system_account: "SYS",
  },
};

const pub = "PUB own 1\r\nx\r\nPUB default 1\r\nx\r\nPUB ofA 1\r\nx\r\n";
const by = (user: string, pass: string) => ({ connect: { user, pass } });
const aliceKey = { nkey: alice.getPublicKey() }, bobKey = { nkey: bob.getPublicKey() };

const cases: Record<keyof typeof configs, Readonly<Record<string, Showing>>> = {
  users: {
    "own permissions": { ...by("plain", "p"), then: pub },
    "default permissions": { ...by("hash", "correct horse"), then: pub },
    "wrong password": by("plain", "q"),
    "hash as password": by("hash", hash),
    "no password": by("plain", ""),
    "empty password": by("open", ""),
    "any password": by("open", "x"),
    "other connection type": by("ws", "p"),
    "right connection type": by("std", "p"),
    "unknown user": by("nobody", "p"),
    "nothing": {},
    "token": { connect: { auth_token: "p" } },
    "password alone": { connect: { pass: "p" } },
    "user of an account": { ...by("a", "a"), then: pub },
    "user of an account without defaults": { ...by("b", "b"), then: pub },
    "nkey of an account": { connect: bobKey, signer: bob, then: pub },
    "signature of somebody else": { connect: bobKey, signer: alice },
    "unknown nkey": { connect: aliceKey, signer: alice },
    "nkey and user": { connect: { ...bobKey, user: "a", pass: "a" } },
    "unknown nkey and user": { connect: { ...aliceKey, user: "a", pass: "a" } },
  },
  nkeys: {
    "base64url": { connect: aliceKey, signer: alice },
    "padded base64url": {
      connect: aliceKey,
      signer: alice,
      write: (sig) => sig.toBase64({ alphabet: "base64url" }),
      // One in fifteen has none of these, and is the same in plain base64.
      fits: (written) => /[-_]/.test(written),
    },
    "base64": { connect: aliceKey, signer: alice, write: (sig) => sig.toBase64() },
    "hexadecimal": { connect: aliceKey, signer: alice, write: (sig) => sig.toHex() },
    "no signature": { connect: aliceKey },
    "nonce as signature": { connect: { ...aliceKey, sig: "AAAA" } },
    "account key": { connect: { nkey: createAccount().getPublicKey() }, signer: alice },
    "user and password": by(alice.getPublicKey(), ""),
    "nothing": {},
  },
  token: {
    "right": { connect: { auth_token: "tok" }, then: pub },
    "wrong": { connect: { auth_token: "tik" } },
    "as password": by("", "tok"),
    "as user": by("tok", ""),
    "beside a user": { connect: { auth_token: "tok", user: "u", pass: "p" } },
    "with an nkey": { connect: { auth_token: "tok", ...aliceKey } },
  },
  single: {
    "right": { ...by("u", "p"), then: pub },
    "wrong password": by("u", "q"),
    "wrong user": by("v", "p"),
    "password alone": { connect: { pass: "p" } },
    "token": { connect: { auth_token: "p" } },
  },
  guest: {
    "nothing": {},
    "as itself": by("g", "p"),
    "as itself without password": by("g", ""),
    "wrong password": by("h", "x"),
    "right password": by("h", "correct horse"),
    "password alone": { connect: { pass: "p" } },
    "token": { connect: { auth_token: "p" } },
    "nkey": { connect: aliceKey },
    "unknown user": by("x", "p"),
  },
  guestKey: {
    "nothing": {},
    "key without signature": { connect: aliceKey },
    "key with signature": { connect: aliceKey, signer: alice },
    "other key": { connect: bobKey, signer: bob },
    "user": by("u", "p"),
    "wrong user": by("u", "q"),
  },
  guestElsewhere: { "nothing": {}, "as itself": by("g", "p") },
  system: {
    "nothing": {},
    "system": by("s", "s"),
    "wrong password": by("s", "x"),
    "unknown user": by("x", "x"),
    "token": { connect: { auth_token: "x" } },
    "nkey": { connect: aliceKey, signer: alice },
  },
  systemKey: {
    "nothing": {},
    "key": { connect: aliceKey, signer: alice },
    "other key": { connect: bobKey, signer: bob },
    "user": by("u", "p"),
  },
};

async function answers(server: ServerAddress, all: Readonly<Record<string, Showing>>) {
  const outcomes: Record<string, string> = {};
  for (const [name, showing] of Object.entries(all)) outcomes[name] = await show(server, showing);
  return outcomes;
}

Deno.test({
  name: "identities: whoever nats-server lets in is let in, with the same rights",
  ignore: natsServer === undefined,
  async fn(t) {
    for (const name of Object.keys(configs) as (keyof typeof configs)[]) {
      await t.step(name, async () => {
        const config = configs[name];
        await using server = await startNatsServer(natsServer!, JSON.stringify(config));
        // deno-lint-ignore no-explicit-any -- lists that are not known to be literals
        await using broker = await startBroker(config as any);
        const expected = await answers(server, cases[name]);
        assertEquals(await answers(broker.address, cases[name]), expected);
        // That some are let in and some are not is what makes this a test.
        const all = Object.values(expected);
        assert(all.some((it) => it.startsWith("refused")));
        assert(name === "guestElsewhere" || all.some((it) => it.startsWith("in ")));
      });
    }
  },
});
