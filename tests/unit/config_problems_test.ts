/** What a configuration's problems say: enough to find them, no more than is safe, and in bounded time. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Config, ConfigError, loadConfig, parseFlags } from "../../src/config/mod.ts";
import { normaliseConfig } from "../../src/config/mod.ts";

function load(text: string, ...args: string[]): Promise<Config> {
  const files = { readText: () => Promise.reject(new Error("nothing to read")) };
  return loadConfig({ text, file: "a.yaml", flags: parseFlags(args), env: () => undefined, files });
}

async function problemsOf(text: string): Promise<ConfigError> {
  return await assertRejects(() => load(text), ConfigError);
}

async function messageOf(text: string): Promise<string> {
  return (await problemsOf(text)).message;
}

Deno.test("a key that may be a secret is shown up to its colon, or not at all", async () => {
  const cases: [string, string][] = [
    [
      "authorization: {user: a, password:sesame}",
      'a.yaml:1:26: authorization["password:..."]: unknown key (is a blank missing after the colon?)',
    ],
    [
      "authorization: {user: a, sesame}",
      "a.yaml:1:26: authorization: unknown key (not shown)",
    ],
    [
      "authorization: {users: [{user: a, pass=sesame: x}]}",
      "a.yaml:1:35: authorization.users[0]: unknown key (not shown)",
    ],
    [
      "root:$6$sesame:1:2:\n",
      'a.yaml:1:1: ["root:..."]: unknown key (is a blank missing after the colon?)',
    ],
    [
      `${"k".repeat(60)}sesame: 1\n`,
      `a.yaml:1:1: ["${"k".repeat(40)}..."]: unknown key`,
    ],
    [
      "log: {levels: {client:sesame}}",
      'a.yaml:1:16: log.levels["client:..."]: unknown name (is a blank missing after the colon?)',
    ],
  ];
  for (const [text, expected] of cases) {
    const error = await problemsOf(text);
    assertEquals(error.message, expected);
    assert(!JSON.stringify(error.problems).includes("sesame"));
  }
  const untyped = normaliseConfig as (input: unknown) => Config;
  const { message } = assertThrows(
    () => untyped({ authorization: { "token:sesame": null } }),
    ConfigError,
  );
  assert(!message.includes("sesame"), message);
});

Deno.test("the name of a variable is not told where it may be a piece of a secret", async () => {
  const literally = "(write $${ for the characters ${ themselves)";
  const cases: [string, string][] = [
    [
      "authorization:\n  user: a\n  password: ab${cd}ef\n",
      `a.yaml:3:13: authorization.password: the environment variable in it is not set ${literally}`,
    ],
    [
      "authorization: {user: a, password: ab${cd}ef}",
      'a.yaml:1:38: a ${ inside [ ] or { } that is not quoted (quote the value: "${NAME}")',
    ],
    [
      "authorization: ab${cd}ef",
      `a.yaml:1:16: authorization: the environment variable in it is not set ${literally}`,
    ],
    // These cannot be anything but names.
    [
      "authorization:\n  token: ${TOKEN}\n",
      "a.yaml:2:10: authorization.token: the environment variable TOKEN is not set",
    ],
    ["pid_file: /run/${X}.pid", "a.yaml:1:11: pid_file: the environment variable X is not set"],
    ["server_tags: a-${X}", "a.yaml:1:14: server_tags: the environment variable X is not set"],
  ];
  for (const [text, expected] of cases) assertEquals(await messageOf(text), expected);
});

Deno.test("what is no YAML is told once, in its line, with a reason", async () => {
  const cases: [string, string][] = [
    [
      " port: 1\nhost: a\ndebug: true\n",
      "a.yaml:2:1: this is not valid YAML: Unexpected scalar at node end " +
      "(the first key is indented; keys that belong together start in one column)",
    ],
    [
      "host: a\n\n   port: 1\n",
      "a.yaml:3:8: a key that is indented deeper than the one above it, which has a value already",
    ],
    [
      "a: }",
      "a.yaml:1:4: this is not valid YAML: Unexpected flow-map-end token in YAML stream",
    ],
    ['a: "\\q"', "a.yaml:1:5: this is not valid YAML: Invalid escape sequence"],
    ["port:4222\nhost: a\n", "a.yaml:1:1: no blank after the colon"],
    ["authorization:\n  user: a\n  password:sesame\n", "a.yaml:3:3: no blank after the colon"],
    [
      "port:4222\n",
      "a.yaml:1:1: expected a map of settings (key: value), found a text (not shown) " +
      "(is a blank missing after the colon?)",
    ],
    [
      "authorization:\n  password:sesame\n",
      "a.yaml:2:3: authorization: expected a map (key: value), found a text (not shown) " +
      "(is a blank missing after the colon?)",
    ],
  ];
  for (const [text, expected] of cases) assertEquals(await messageOf(text), expected);
});

Deno.test("of very many problems the first are told and the others counted", async () => {
  const unknown = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1\n`).join("");
  const cases = [
    unknown,
    `server_metadata: {${unknown.replaceAll(": 1\n", ": ${X}, ")}}`.replaceAll("${X}", "'${X}'"),
    `server_tags: [${"'', ".repeat(20_000)}]`,
  ];
  for (const text of cases) {
    const { message, problems } = await problemsOf(text);
    const lines = message.split("\n");
    assertEquals(lines[0], "the configuration has 20000 problems:");
    assertEquals([problems.length, lines.length], [50, 52]);
    assertEquals(lines.at(-1), "  and 19950 more");
    assert(problems.every(({ line }) => line !== undefined));
  }
  const twice = await problemsOf(unknown + unknown);
  assertEquals(twice.message, "a.yaml:20001:1: this is not valid YAML: duplicated mapping key");
});

Deno.test("what is nested without end is refused and not walked", async () => {
  for (const text of ["[".repeat(20_000), "{a: ".repeat(20_000), "- ".repeat(20_000)]) {
    assertEquals(
      await messageOf(`server_tags:\n  ${text}`),
      "a.yaml: lists or maps are nested too deeply",
    );
  }
});

/** What nats-server 2.15.1 lets in for flags over a file was asked of it. */
Deno.test("flags for credentials over a file's mean what they mean to nats-server", async () => {
  const users = "authorization: { users: [{ user: a, password: b }] }";
  const list = [{ user: "a", password: "b" }];
  const cases: [string, string[], object][] = [
    [users, ["--auth", "tok"], { token: "tok", users: list }],
    [users, ["--user", "u", "--pass", "p"], { users: list }],
    [users, ["--pass", "p"], { users: list }],
    [users, ["--user", "u", "--pass", "p", "--auth", "tok"], { token: "tok", users: list }],
    ["authorization: { token: t }", ["--user", "u", "--pass", "p"], { token: "t" }],
    ["authorization: { token: t }", ["--auth", "tok"], { token: "tok" }],
    ["authorization: { user: a, password: b }", ["--auth", "tok"], { token: "tok" }],
    ["authorization: { user: a, password: b }", ["--pass", "p"], { user: "a", password: "p" }],
  ];
  for (const [text, flags, expected] of cases) {
    const { authorization } = await load(text, ...flags);
    assertEquals(authorization, { ...expected, timeout: 2000 }, `${text} ${flags}`);
    assert(Object.isFrozen(authorization));
  }
});

Deno.test("a flag that turns tracing off turns the file's verbose tracing off too", async () => {
  for (const flag of ["--trace=false", "-V=false", "-DV=false", "-DVV=false", "-VV=false"]) {
    const { trace, trace_verbose } = await load("trace_verbose: true", flag);
    assertEquals([trace, trace_verbose], [false, false], flag);
  }
  const { trace } = await load("trace_verbose: true", "-D");
  assertEquals(trace, true);
});
