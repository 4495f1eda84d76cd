import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { AuthenticatorConfig } from "../../src/auth/mod.ts";
import { UserTable } from "../../src/auth/user_table.ts";
import { authenticatorOf, HASH, outcome, peerWith } from "../support/identities.ts";

const ACCOUNTS = ["A", "B", "$G"] as const;
const IDS = ["one", "two", "three", "CN=four,O=x", "UKEY"] as const;

type Users = NonNullable<AuthenticatorConfig["users"]>;
type Account = { users: Users; default_permissions?: { publish: { allow: string[] } } };

const accounts = new Map<string, Account>();

/** An account; what says the same is the same object, as after a reload of a large file. */
function accountOf(ids: readonly string[], password: string, withDefaults: boolean): Account {
  const key = JSON.stringify([ids, password, withDefaults]);
  const users = ids.map((id) => id === "UKEY" ? { nkey: id } : { user: id, password });
  const made = accounts.get(key) ?? {
    users,
    ...(withDefaults && { default_permissions: { publish: { allow: ["x"] } } }),
  };
  accounts.set(key, made);
  return made;
}

/** Configurations in which each user is in one account, if in any. */
const config = fc.record({
  owners: fc.array(fc.constantFrom(...ACCOUNTS, null), { minLength: 5, maxLength: 5 }),
  passwords: fc.array(fc.constantFrom("p", "q", HASH), { minLength: 3, maxLength: 3 }),
  defaults: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  there: fc.array(fc.boolean(), { minLength: 2, maxLength: 2 }),
  callout: fc.constantFrom(undefined, "A", "B"),
  noAuthUser: fc.constantFrom(undefined, "one"),
}).map(({ owners, passwords, defaults, there, callout, noAuthUser }): AuthenticatorConfig => {
  const [a, b, { users, default_permissions }] = ACCOUNTS.map((account, i) =>
    accountOf(IDS.filter((_, user) => owners[user] === account), passwords[i]!, defaults[i]!)
  ) as [Account, Account, Account];
  return {
    users,
    default_permissions,
    accounts: { ...(there[0] && { A: a }), ...(there[1] && { B: b }) },
    no_auth_user: noAuthUser,
    ...(callout && { auth_callout: { issuer: "A", account: callout, auth_users: [...IDS] } }),
  };
});

Deno.test("after changes a table of users is what it would be if it were made anew", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(config, { minLength: 2, maxLength: 6 }), async (configs) => {
      const { authenticator } = authenticatorOf(configs[0]!);
      for (const config of configs) {
        authenticator.update(config);
        const fresh = authenticatorOf(config).authenticator;
        const facts = (one: typeof fresh) => [
          one.required,
          one.configured,
          one.nonceRequired,
          one.anonymous(),
        ];
        assertEquals(facts(authenticator), facts(fresh));
        for (const user of [...IDS, "nobody"]) {
          for (const pass of ["p", "pw", "no"]) {
            const decisions = [authenticator, fresh].map(async (one) =>
              outcome(await one.authenticate({ user, pass }, peerWith()))
            );
            const [changed, made] = await Promise.all(decisions);
            assertEquals(changed, made);
          }
        }
      }
    }),
    { numRuns: 100 },
  );
});

Deno.test("one of the hashes is known as long as there is one", () => {
  const hashOf = (config: AuthenticatorConfig) => table.changedTo(config, null).someHash?.hash;
  const users = (password: string) => ({ users: [{ user: "u", password }] });
  const table = new UserTable({ accounts: { A: users("p") } }, null);
  assertEquals(table.someHash, null);
  const b = users(HASH);
  assertEquals(hashOf({ accounts: { A: users(HASH), B: b } }), HASH);
  assertEquals(hashOf({ accounts: { A: users("p"), B: b } }), HASH);
  assertEquals(hashOf({ accounts: { A: users("p"), B: users("q") } }), undefined);
});
