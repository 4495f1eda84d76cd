/** `denats explain`, and the function behind it. */
import { assert, assertEquals, assertFalse, assertStringIncludes, assertThrows } from "@std/assert";
import { AccessQuestionError, explain } from "../../mod.ts";
import { runCommand } from "../../src/command/mod.ts";
import { MemoryFiles } from "../support/memory_files.ts";

const CONFIG = `
authorization:
  default_permissions: { publish: "default.>", subscribe: ["default.>", "_INBOX.>"] }
  users:
    - { user: plain, password: s3cr3t }
    - user: app
      password: s3cr3t
      permissions:
        publish: { allow: ["a.>", "b.*.done"], deny: ["a.secret"] }
        subscribe: { allow: ["s.*", "w.>", "q.x v1"], deny: ["w.no.*", "w.q dq"] }
    - user: answers
      permissions: { subscribe: svc, allow_responses: { max: 2, expires: 5s } }
accounts:
  OTHER:
    default_permissions: { publish: other }
    mappings:
      old.*: [{ destination: new.$1, weight: 60 }, { destination: secret.$1, weight: 40 }]
    users:
      - { user: other }
      - { user: mapped, permissions: { publish: { allow: ["new.>"] } } }
no_auth_user: plain
`;

async function run(...args: string[]) {
  const files = new MemoryFiles();
  await files.writeText("more.yaml", `http: 8222\n${CONFIG}`);
  await files.writeText("c.yaml", CONFIG);
  let stdout = "", stderr = "";
  const code = await runCommand(["explain", ...args], {
    stdout: (text) => (stdout += text, true),
    stderr: (text) => (stderr += text, true),
    files,
    env: () => undefined,
  });
  assertFalse(`${stdout}${stderr}`.includes("s3cr3t"));
  return { code, stdout, stderr };
}

const ask = (...args: string[]) => run("--config", "c.yaml", ...args);

Deno.test("an allowed message names the rule, and is exit code 0", async () => {
  assertEquals(await ask("--user", "app", "--publish", "a.x"), {
    code: 0,
    stdout: 'allowed: user "app" of the account "$G" may publish to "a.x"\n' +
      "  held to: permissions of the user\n" +
      '  rule: publish.allow "a.>"\n' +
      '  reason: publish.allow "a.>" matches it\n',
    stderr: "",
  });
});

Deno.test("what denats does not support yet is ignored where that is asked for", async () => {
  const question = ["--config", "more.yaml", "--user", "app", "--publish", "a.x"];
  const refused = await run(...question);
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, "http: not supported by this version of denats");
  const ignoring = await run(...question, "--ignore-unsupported");
  assertEquals([ignoring.code, ignoring.stderr], [0, ""]);
});

Deno.test("a refused message names the rule and the nearest one, and is exit code 1", async () => {
  assertEquals(await ask("--user", "app", "--publish", "b.x.open"), {
    code: 1,
    stdout: 'refused: user "app" of the account "$G" may not publish to "b.x.open"\n' +
      "  held to: permissions of the user\n" +
      "  rule: publish.allow\n" +
      "  reason: no entry of publish.allow matches it\n" +
      '  nearest: publish.allow "b.*.done", but token 3 is "open" instead of "done"\n',
    stderr: "",
  });
  const { code, stdout } = await ask("--user", "app", "--publish", "a.secret");
  assertEquals(code, 1);
  assertStringIncludes(stdout, '  rule: publish.deny "a.secret"\n');
  assertStringIncludes(
    stdout,
    '  nearest: publish.allow "a.>", but publish.deny "a.secret" overrules it\n',
  );
});

Deno.test("default permissions, of the block and of an account, hold for those without any", async () => {
  const plain = await ask("--user", "plain", "--publish", "x");
  assertEquals(plain.code, 1);
  assertStringIncludes(plain.stdout, "  held to: default_permissions\n");
  const other = await ask("--user", "other", "--publish", "other");
  assertEquals(other.code, 0);
  assertStringIncludes(other.stdout, 'of the account "OTHER"');
});

Deno.test("who is not named is no_auth_user", async () => {
  const { code, stdout } = await ask("--subscribe", "_INBOX.>");
  assertEquals(code, 0);
  assertStringIncludes(stdout, 'allowed: user "plain"');
});

Deno.test("subscriptions: what is held back, groups, and what is wider than allowed", async () => {
  const held = await ask("--user", "app", "--subscribe", "w.>");
  assertEquals(held.code, 0);
  assertStringIncludes(held.stdout, '  held back: what matches subscribe.deny "w.no.*"\n');
  const group = await ask("--user", "app", "--subscribe", "--queue", "dq", "w.q");
  assertEquals(group.code, 1);
  assertStringIncludes(group.stdout, '  rule: subscribe.deny "w.q dq"\n');
  const wide = await ask("--user", "app", "--subscribe", "s.>");
  assertEquals(wide.code, 0);
  assertStringIncludes(wide.stdout, "  note: it is wider than what is allowed");
  const plain = await ask("--user", "app", "--subscribe", "q.x");
  assertEquals(plain.code, 1);
  assertStringIncludes(
    plain.stdout,
    'subscribe.allow "q.x v1", but it is for a queue group only\n',
  );
});

Deno.test("a message is judged under the subjects that it may be mapped to", async () => {
  const { code, stdout } = await ask("--user", "mapped", "--publish", "old.a");
  assertEquals(code, 1);
  assertStringIncludes(stdout, '  mapped to "new.a": allowed\n    rule: publish.allow "new.>"\n');
  assertStringIncludes(stdout, '  mapped to "secret.a": refused\n');
});

Deno.test("answers are mentioned where they are allowed", async () => {
  const { code, stdout } = await ask("--user", "answers", "--publish", "x");
  assertEquals(code, 1);
  assertStringIncludes(stdout, "  rule: allow_responses\n");
  assertStringIncludes(stdout, "up to 2 messages to the reply subject of a message it receives");
});

Deno.test("the answer as JSON", async () => {
  const { code, stdout } = await ask("--user", "app", "--publish", "a.x", "--json");
  assertEquals(code, 0);
  const { allowed, user, account, explanation } = JSON.parse(stdout);
  assertEquals([allowed, user, account], [true, "app", "$G"]);
  assertEquals(explanation.rule, { list: "publish.allow", entry: "a.>" });
});

Deno.test("questions that make no sense are exit code 2", async () => {
  for (
    const args of [
      ["--user", "app", "--publish", "a.x"],
      ["--config", "c.yaml", "--user", "app", "a.x"],
      ["--config", "c.yaml", "--user", "app", "--publish", "--subscribe", "a.x"],
      ["--config", "c.yaml", "--user", "app", "--publish"],
      ["--config", "c.yaml", "--user", "nobody", "--publish", "a"],
      ["--config", "c.yaml", "--user", "app", "--account", "OTHER", "--publish", "a"],
      ["--config", "c.yaml", "--user", "app", "--publish", "a b"],
      ["--config", "c.yaml", "--user", "app", "--publish", "--queue", "q", "a"],
      ["--config", "missing.yaml", "--user", "app", "--publish", "a"],
      ["--wrong"],
    ]
  ) {
    const { code, stdout, stderr } = await run(...args);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assert(/^denats: .+\n$/.test(stderr), stderr);
  }
});

Deno.test("the function takes what a broker takes", () => {
  const config = {
    authorization: { users: [{ user: "app", permissions: { publish: "orders.>" } }] },
  };
  assert(explain(config, { user: "app", publish: "orders.7" }).allowed);
  const refused = explain(config, { user: "app", publish: "bills.7" });
  assertFalse(refused.allowed);
  assertEquals(refused.explanation.nearest?.entry, "orders.>");
  assert(explain({}, { publish: "anything" }).allowed, "nobody is restricted by default");
  assertThrows(() => explain(config, { publish: "orders.7" }), AccessQuestionError);
  assertThrows(() => explain(config, { user: "app" }), AccessQuestionError);
  assertFalse(explain({}, { subscribe: "a..b" }).allowed);
});

Deno.test("nobody in the account of a callout's service may publish where it is asked", () => {
  const config = {
    accounts: {
      AUTH: { users: [{ user: "auth", password: "x" }] },
      APP: { users: [{ user: "app", password: "x" }] },
    },
    authorization: {
      auth_callout: {
        issuer: "ABJHLOVMPA4CI6R5KLNGOB4GSLNIY7IOUPAJC4YFNDLQVIOBYQGUWVLA",
        account: "AUTH",
        auth_users: ["auth"],
      },
    },
  };
  const asked = (user: string) => explain(config, { user, publish: "$SYS.REQ.USER.AUTH" });
  const { allowed, permissions, explanation } = asked("auth");
  assertEquals([allowed, permissions], [false, null]);
  assertStringIncludes(explanation.reason, "publish.deny");
  assert(asked("app").allowed);
  assert(explain(config, { user: "auth", publish: "other" }).allowed);
});
