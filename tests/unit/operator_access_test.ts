import { assertEquals, assertInstanceOf } from "@std/assert";
import { type Eviction, type Identity, type OperatorMode, Refusal } from "../../src/auth/mod.ts";
import { silentLog } from "../../src/log/mod.ts";
import { OperatorAccess } from "../../src/operator_parts.ts";
import { VirtualClock } from "../../src/platform/mod.ts";
import { accountDirectory } from "../support/account_directory.ts";
import { peerWith } from "../support/identities.ts";
import { newAccount } from "../support/operator_tokens.ts";

/** Operator mode with one account, of which a test says when its lookup ends and what it is then. */
function world() {
  const { key } = newAccount(), identity: Identity = { user: "U", account: key };
  const clock = new VirtualClock();
  const now = { token: "1", limit: 1, eviction: null as Eviction | null };
  let release = () => {};
  let lookups = 0;
  const held = new Promise<void>((resolve) => release = resolve);
  const mode = {
    accounts: {
      onChanged: () => ({ [Symbol.dispose]: () => {} }),
      tokenOf: () => now.token,
      async definitionOf() {
        lookups++;
        const { token, limit } = now;
        await held;
        return { key, token, definition: { limits: { max_connections: limit } } };
      },
    },
    authenticator: {
      authenticate: () => Promise.resolve(identity),
      evictionOf: () => now.eviction,
      revised: (identity: Identity) => identity,
    },
  } as unknown as OperatorMode;
  const accounts = accountDirectory({}, { clock });
  const access = new OperatorAccess({ mode, accounts, clock, sessions: () => [], log: silentLog });
  const decision = access.authenticate({}, peerWith());
  return { now, accounts, identity, key, decision, release, lookups: () => lookups };
}

Deno.test("an account that changes while it is looked up is served as it is then", async () => {
  const { now, accounts, identity, key, decision, release, lookups } = world();
  await new VirtualClock().settle();
  Object.assign(now, { token: "2", limit: 2 });
  release();
  assertEquals(await decision, identity);
  assertEquals(accounts.get(key)?.limits, { max_connections: 2 });
  assertEquals(lookups(), 2);
});

Deno.test("a user who is revoked while the account is looked up is not let in", async () => {
  const { now, decision, release } = world();
  await new VirtualClock().settle();
  now.eviction = { reason: "the user was revoked", text: "User Authentication Revoked" };
  release();
  const refusal = await decision;
  assertInstanceOf(refusal, Refusal);
  assertEquals([refusal.reason, refusal.text], [
    "the user was revoked",
    "User Authentication Revoked",
  ]);
});
