/** The settings `accounts` and `system_account`: what they mean and what is refused. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  accountNames,
  type Config,
  ConfigError,
  loadConfig,
  normaliseConfig,
  parseFlags,
  printConfig,
  systemAccountName,
} from "../../src/config/mod.ts";

function load(text: string, ...args: string[]): Promise<Config> {
  const files = { readText: () => Promise.reject(new Error("nothing to read")) };
  const env = (name: string) => ({ PASSWORD: "5e7" })[name];
  return loadConfig({ text, file: "a.yaml", flags: parseFlags(args), env, files });
}

async function refusal(text: string, ...args: string[]): Promise<string> {
  const { message } = await assertRejects(() => load(text, ...args), ConfigError);
  assert(!message.includes("sesame"), message);
  return message.replaceAll("a.yaml:", "");
}

Deno.test("accounts have users, whose passwords stay as they are written", async () => {
  const { accounts } = await load(`
accounts:
  A:
    users:
      - { user: 0123, password: "\${PASSWORD}" }
      - { username: b, pass: no }
      - user: c
  "5e7": {}
  C:
`);
  assertEquals(accounts, {
    A: {
      users: [
        { user: "0123", password: "5e7" },
        { user: "b", password: "no" },
        { user: "c" },
      ],
    },
    "5e7": { users: [] },
    C: { users: [] },
  });
});

Deno.test("the global account and the system account are always there", async () => {
  const cases: [string, string[], string][] = [
    ["", ["$G", "$SYS"], "$SYS"],
    ["accounts: {A: {}, B: {}}", ["$G", "A", "B", "$SYS"], "$SYS"],
    ["accounts: {$SYS: {}, A: {}}", ["$G", "$SYS", "A"], "$SYS"],
    ["accounts: {A: {}, B: {}}\nsystem_account: B", ["$G", "A", "B"], "B"],
    ["accounts: {A: {}}\nsystem: A", ["$G", "A"], "A"],
    ["system_account: $SYS", ["$G", "$SYS"], "$SYS"],
  ];
  for (const [text, names, system] of cases) {
    const config = await load(text);
    assertEquals([accountNames(config), systemAccountName(config)], [names, system], text);
  }
});

Deno.test("a user is in one account", async () => {
  const a = "A: {users: [{user: u, password: sesame}]}";
  assertEquals(
    await refusal(`accounts: {${a}, "b c d": {users: [{user: v}, {user: u}]}}`),
    'the configuration has 2 problems:\n  1:55: accounts["b c d"]: expected a name without ' +
      "spaces, found one with spaces\n" +
      '  1:85: accounts["b c d"].users[1].user: expected every user once, in one account, found ' +
      '"u", which accounts.A.users[0] is already',
  );
  assertEquals(
    await refusal(`authorization: {users: [{user: v}, {user: u}]}\naccounts: {${a}}`),
    '2:25: accounts.A.users[0].user: expected every user once, in one account, found "u", which ' +
      "authorization.users[1] is already",
  );
  await load(`authorization: {users: [{user: v}]}\naccounts: {${a}}`);
});

Deno.test("users of accounts and one token or user for everybody exclude each other", async () => {
  const accounts = "accounts: {A: {users: [{user: u, password: sesame}]}}";
  const both =
    "expected users of accounts or one token or user for everybody, not both, found both";
  assertEquals(
    await refusal(`${accounts}\nauthorization: {token: sesame}`),
    `1:16: accounts.A.users: ${both}, with authorization.token`,
  );
  const hint = "(make the user one of authorization.users)";
  assertEquals(
    await refusal(`${accounts}\nauthorization: {user: x, password: sesame}`),
    `1:16: accounts.A.users: ${both}, with authorization.user ${hint}`,
  );
  // nats-server refuses flags like that too.
  assertEquals(
    await refusal(accounts, "--auth", "sesame"),
    `1:16: accounts.A.users: ${both}, with authorization.token`,
  );
  assertEquals(
    await refusal(accounts, "--user", "x", "--pass", "sesame"),
    `1:16: accounts.A.users: ${both}, with authorization.user ${hint}`,
  );
  await load("accounts: {A: {}}\nauthorization: {token: sesame}");
});

Deno.test("names of accounts and of users are of what there is", async () => {
  const cases: [string, string][] = [
    [
      "accounts: {$G: {}}",
      '1:12: accounts["$G"]: expected another name than $G, which is reserved, found an account ' +
      "of that name (the users of authorization are in it)",
    ],
    [
      "accounts: {'': {}}",
      '1:12: accounts[""]: expected a name without spaces, found an empty one',
    ],
    [
      "accounts: {A: {}}\nsystem_account: B",
      '2:1: system_account: expected the name of one of accounts, or $SYS, found "B"',
    ],
    [
      "system: $G",
      '1:1: system: expected the name of one of accounts, or $SYS, found "$G"',
    ],
    [
      "accounts: {A: {users: [{user: u}]}}\nno_auth_user: v",
      "2:1: no_auth_user: expected the name of a user of authorization.users or of an account, " +
      'found "v"',
    ],
    [
      "accounts: {A: {}}\ncluster: {accounts: [A, B]}",
      '2:25: cluster.accounts[1]: expected the name of an account, found "B" (there are $G, A, $SYS)',
    ],
    [
      "accounts: {A: {}}\nsystem_account: A\ncluster: {accounts: [$SYS]}",
      '3:22: cluster.accounts[0]: expected the name of an account, found "$SYS" (there are $G, A)',
    ],
  ];
  for (const [text, expected] of cases) assertEquals(await refusal(text), expected);
  const { no_auth_user } = await load("accounts: {A: {users: [{user: u}]}}\nno_auth_user: u");
  assertEquals(no_auth_user, "u");
  assertEquals((await load("accounts: {A: {}}\ncluster: {accounts: [A]}")).cluster?.accounts, [
    "A",
  ]);
  // What is wrong with an account is not told again of whoever names it.
  const wrong = "accounts: {A: {users: x}}\nsystem_account: A\nno_auth_user: u\n" +
    "cluster: {accounts: [A]}";
  assertEquals(
    await refusal(wrong),
    "1:23: accounts.A.users: expected a list, found a text (not shown)",
  );
});

Deno.test("the rest of nats-server's accounts is refused by name", async () => {
  for (const key of ["msg_trace", "trace_dest"]) {
    assertEquals(
      await refusal(`accounts: {A: {${key}: {}}}`),
      `1:16: accounts.A.${key}: not supported by this version of denats`,
    );
  }
  assertEquals(
    await refusal(
      "accounts: {A: {jetstream: {max_mem: 1}, exports: [{service: a, allow_trace: true}]}}",
    ),
    "the configuration has 2 problems:\n" +
      "  1:16: accounts.A.jetstream: not supported by this version of denats\n" +
      "  1:64: accounts.A.exports[0].allow_trace: not supported by this version of denats",
  );
  // What asks for nothing is taken.
  await load("accounts: {A: {jetstream: disabled, exports: [{service: a, allow_trace: false}]}}");
});

Deno.test("what stands where a password was meant is not shown", async () => {
  const cases: [string, string][] = [
    [
      "accounts: {A: sesame}",
      "1:15: accounts.A: expected a map (key: value), found a text (not shown)",
    ],
    ["accounts: {A: {sesame: 1}}", "1:16: accounts.A: unknown key (not shown)"],
    [
      "accounts: {A: {users: [{user: a, sesame}]}}",
      "1:34: accounts.A.users[0]: unknown key (not shown)",
    ],
    [
      "accounts: {A: {users: [{user: a, password: $2a$10$sesame}]}}",
      "1:44: accounts.A.users[0].password: expected a whole bcrypt hash (60 characters), found a " +
      "text (not shown) (it starts like one, but nobody could ever log in with it)",
    ],
  ];
  for (const [text, expected] of cases) assertEquals(await refusal(text), expected);
});

Deno.test("printed accounts have no passwords and are read back", async () => {
  const config = normaliseConfig({
    accounts: { A: { users: [{ user: "a", password: "sesame" }] }, "01": {} },
    system_account: "A",
  });
  const text = printConfig(config);
  assert(!text.includes("sesame"), text);
  const again = await load(text);
  assertEquals(printConfig(again), text);
  assertEquals(again.accounts?.A?.users, [{ user: "a", password: "***" }]);
  assertEquals(accountNames(again).toSorted(), ["$G", "01", "A"]);
});
