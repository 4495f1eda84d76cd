import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  changedPath,
  changeLine,
  changeTable,
  type ConfigInput,
  formatPlan,
  normaliseConfig,
  obstacleText,
  planChange,
  planJson,
} from "../../src/config/mod.ts";
import { changesBetween, settingPatterns } from "../../src/config/changes.ts";
import { withChangeTable } from "../../src/config/change_table_text.ts";
import { ruleFor } from "../../src/config/change_table.ts";

function plan(before: ConfigInput, after: ConfigInput) {
  return planChange(normaliseConfig(before), normaliseConfig(after));
}

function changed(before: ConfigInput, after: ConfigInput): string[] {
  return plan(before, after).changes.map((change) => `${change.kind} ${changeLine(change)}`);
}

Deno.test("Every setting of the schema has a rule, and every rule a setting", () => {
  const patterns = settingPatterns();
  assert(patterns.length > 50, `only ${patterns.length} settings`);
  const used = new Set(patterns.map((setting) => ruleFor(setting)));
  assertEquals(patterns.filter((setting) => ruleFor(setting) === undefined), []);
  assertEquals(changeTable.filter((rule) => !used.has(rule)).map(({ setting }) => setting), []);
});

Deno.test("No setting has two rules, and what is applied says by whom", () => {
  const settings = changeTable.map(({ setting }) => setting);
  assertEquals(settings.length, new Set(settings).size);
  for (const { setting, effect, part, note, field } of changeTable) {
    assertEquals(part !== undefined, effect === "applied", setting);
    assertEquals(field === undefined, effect === "applied", setting);
    assert(note !== "", setting);
  }
});

Deno.test("Two configurations that say the same do not differ", () => {
  const config = { accounts: { A: { users: [{ user: "a", password: "x" }] } }, cluster: {} };
  assertEquals(plan(config, structuredClone(config)), { verdict: "unchanged", changes: [] });
  assertEquals(plan({ ping_interval: "120s" }, { ping_interval: "2m" }).verdict, "unchanged");
  assertEquals(formatPlan(plan({}, {})), "Nothing differs.\n");
});

Deno.test("A change tells the value as a person would write it", () => {
  assertEquals(
    changed({}, { max_payload: 2000, ping_interval: "10s", client_advertise: "x:1", debug: true }),
    [
      "added client_advertise = x:1",
      "changed max_payload = 2000",
      "changed ping_interval = 10s",
      "changed debug = true",
    ],
  );
});

Deno.test("Users are told apart by their names, whatever their order", () => {
  const users = (...names: string[]) => ({
    authorization: { users: names.map((user) => ({ user, password: `pw-${user}` })) },
  });
  assertEquals(changed(users("a", "b"), users("b", "a")), []);
  assertEquals(changed(users("a", "b"), users("b", "c")), [
    "removed authorization.users.a removed",
    "added authorization.users.c added",
  ]);
});

Deno.test("Accounts come, go and change one by one", () => {
  const of = (accounts: ConfigInput["accounts"]): ConfigInput => ({ accounts });
  const a = { users: [{ user: "a", password: "1" }] };
  const a2 = { users: [{ user: "a", password: "2" }, { user: "__proto__" }] };
  assertEquals(changed(of({ A: a, B: {} }), of({ A: a2, C: {} })), [
    "changed accounts.A.users.a.password = ***",
    "added accounts.A.users.__proto__ added",
    "removed accounts.B removed",
    "added accounts.C added",
  ]);
});

Deno.test("No secret is in a plan, in whatever form", () => {
  const secrets = ["s3cr3t-one", "s3cr3t-two"];
  const [one = "", two = ""] = secrets;
  const pairs: [ConfigInput, ConfigInput][] = [
    [{ authorization: { token: one } }, { authorization: { token: two } }],
    [{ authorization: { user: "u", password: one } }, {
      authorization: { user: "u", password: two },
    }],
    [{ authorization: { users: [{ user: "u", password: one }] } }, {
      authorization: { users: [{ user: "u", password: two }] },
    }],
    [{ accounts: { A: { users: [{ user: "u", password: one }] } } }, {
      accounts: { A: { users: [{ user: "u", password: two }] } },
    }],
    [{ cluster: { authorization: { user: "r", password: one } } }, {
      cluster: { authorization: { user: "r", password: two } },
    }],
    [{ cluster: { routes: [`nats-route://r:${one}@h:1`] } }, {
      cluster: { routes: [`nats-route://r:${two}@h:1`] },
    }],
  ];
  for (const [before, after] of pairs) {
    for (const [from, to] of [[before, after], [after, before], [before, {}], [{}, after]]) {
      const result = plan(from!, to!);
      assert(result.changes.length > 0);
      const text = JSON.stringify([result, planJson(result)]) + formatPlan(result) +
        obstacleText(result) + result.changes.map(changeLine);
      for (const secret of secrets) assertFalse(text.includes(secret), text);
    }
  }
});

Deno.test("One change that cannot be made is enough for none to be", () => {
  const result = plan({}, { max_payload: 2000, max_pending: "32MB" });
  assertEquals(result.verdict, "restart");
  assertEquals(
    obstacleText(result),
    "config reload not supported for MaxPending: old=67108864, new=33554432",
  );
  assertEquals(
    obstacleText(plan({}, { server_name: "abc", cluster: {} })),
    "config reload not supported for ServerName: old=, new=abc",
  );
  const user = { accounts: { A: { users: [{ user: "a" }] } } };
  const refused = plan(user, { ...user, no_auth_user: "a", server_name: "abc" });
  assertEquals(refused.verdict, "refused");
  assertEquals(obstacleText(refused), "config reload not supported for NoAuthUser: old=, new=a");
  assertEquals(obstacleText(plan({}, { max_payload: 2000 })), null);
});

Deno.test("A block that comes or goes is one change", () => {
  const permissions = { import: { allow: ["a"] } };
  assertEquals(changed({}, { cluster: { permissions } }), ["added cluster added"]);
  assertEquals(changed({ cluster: {} }, { cluster: { permissions } }), [
    "added cluster.permissions added",
  ]);
  assertEquals(
    changed({ cluster: { permissions } }, {
      cluster: { permissions: { import: { allow: ["a", "b"] }, export: { deny: ["c"] } } },
    }),
    [
      "changed cluster.permissions.import.allow = [a, b]",
      "added cluster.permissions.export added",
    ],
  );
});

Deno.test("What is the same object is not looked into", () => {
  const before = normaliseConfig({ accounts: { A: {}, B: {} } });
  const trap = new Proxy({}, {
    get() {
      throw new Error("looked into");
    },
    ownKeys() {
      throw new Error("looked into");
    },
  }) as { users: [] };
  const shared = { ...before, accounts: { ...before.accounts, B: trap } };
  const after = { ...shared, accounts: { ...shared.accounts, C: { users: [] } } };
  assertEquals(changesBetween(shared, after).map(changedPath), ["accounts.C"]);
});

Deno.test("A plan for people has every change under what becomes of it", () => {
  const text = formatPlan(plan({ debug: true }, {
    max_payload: 2000,
    server_name: "x",
    client_advertise: "h:1",
  }));
  assertEquals(
    text,
    `Needs a restart:
  + server_name: x
      other servers and tools know this one by it

Applied while it runs:
  + client_advertise: h:1
      clients and servers are told
  ~ max_payload: 1048576 -> 2000
      at once; clients are told by INFO
  ~ debug: true -> false
      at once, for connected clients too

A running server changes nothing before it is restarted with this.
`,
  );
});

Deno.test("the table in the documentation is in step", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/operations.md", import.meta.url));
  assertEquals(withChangeTable(page), page, "run deno run -A src/config/generate.ts");
  assert(page.includes("| `max_payload`"));
});
