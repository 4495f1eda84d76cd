import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { FileError } from "../../src/platform/mod.ts";
import {
  type Config,
  ConfigError,
  loadConfig,
  normaliseConfig,
  parseFlags,
  type Problem,
} from "../../src/config/mod.ts";

interface Given {
  readonly env?: Record<string, string>;
  readonly args?: string[];
}

function load(text: string, { env = {}, args = [] }: Given = {}): Promise<Config> {
  const files = {
    readText: (path: string) =>
      path === "denats.yaml"
        ? Promise.resolve(text)
        : Promise.reject(new FileError(`cannot read ${path}: no such file`)),
  };
  const flags = parseFlags(["-c", "denats.yaml", ...args]);
  return loadConfig({ flags, env: (name) => env[name], files });
}

async function refusal(text: string, given: Given = {}): Promise<string[]> {
  const error = await assertRejects(() => load(text, given), ConfigError);
  const lines = error.message.split("\n");
  return (error.problems.length === 1 ? lines : lines.slice(1)).map((line) => line.trim());
}

function problemsOf(input: unknown): readonly Problem[] {
  // What a program without types may pass.
  const untyped = normaliseConfig as (input: unknown) => Config;
  return assertThrows(() => untyped(input), ConfigError).problems;
}

Deno.test("an empty configuration is nats-server's defaults", async () => {
  const expected = {
    host: "0.0.0.0",
    port: 4222,
    server_tags: [],
    server_metadata: {},
    max_connections: 65_536,
    max_subscriptions: 0,
    max_payload: 1_048_576,
    max_control_line: 4096,
    max_pending: 67_108_864,
    write_deadline: 10_000,
    no_fast_producer_stall: false,
    no_header_support: false,
    no_system_account: false,
    ping_interval: 120_000,
    ping_max: 2,
    authorization: { timeout: 2000 },
    allow_non_tls: false,
    debug: false,
    trace: false,
    trace_verbose: false,
    max_traced_msg_len: 0,
    logtime: true,
    logtime_utc: false,
    log_size_limit: 0,
    log_max_num: 0,
    log: { format: "text" as const, level: "info" as const, levels: {} },
    reload_on_change: false,
    lame_duck_duration: 120_000,
    lame_duck_grace_period: 10_000,
  };
  assertEquals(normaliseConfig(), expected);
  assertEquals(await load(""), expected);
  assertEquals(await load("# nothing\n"), expected);
  assertEquals(await load("log:\n  # format: json\nauthorization:\n"), expected);
});

Deno.test("values are read in the forms that nats-server has", async () => {
  const config = await load(`
server_name: one
listen: "[::1]:-1"
max_conn: 10
max_payload: 64K
max_pending: 1MiB
write_deadline: 3
ping_interval: 1m30s
debug: YES
logtime: off
logfile: a.log
server_tags: eu
server_metadata: { rack: 07, floor: "3" }
authorization: { users: [{ username: alice, pass: 0123 }, { user: 1_000 }], timeout: 0.5 }
no_auth_user: 1_000
log: { format: json, levels: { client: debug } }
trace_verbose: on
`);
  assertEquals([config.host, config.port, config.max_connections], ["::1", -1, 10]);
  assertEquals([config.max_payload, config.max_pending], [64_000, 1_048_576]);
  assertEquals([config.write_deadline, config.ping_interval], [3000, 90_000]);
  assertEquals([config.debug, config.logtime, config.trace], [true, false, true]);
  assertEquals(config.log_file, "a.log");
  assertEquals(config.server_tags, ["eu"]);
  assertEquals(config.server_metadata, { rack: "07", floor: "3" });
  assertEquals(config.authorization, {
    users: [{ user: "alice", password: "0123" }, { user: "1_000" }],
    timeout: 500,
  });
  assertEquals(config.no_auth_user, "1_000");
  assertEquals(config.log, { format: "json", level: "info", levels: { client: "debug" } });
});

Deno.test("what looks like a number or a switch stays the text it is, where text belongs", async () => {
  for (const written of ["5e7", "0123", "1_000", "0x1F", "true", "null", "~", "1.0", "12:30:00"]) {
    const token = await load(`authorization: { token: ${written} }`);
    assertEquals(token.authorization.token, written);
    const user = await load(`authorization:\n  user: ${written}\n  password: ${written}\n`);
    assertEquals(user.authorization.user, written);
    assertEquals(user.authorization.password, written);
  }
});

Deno.test("a configuration cannot be changed", () => {
  const config = normaliseConfig({ authorization: { users: [{ user: "a" }] }, server_tags: "x" });
  const parts = [
    config,
    config.authorization,
    config.authorization.users,
    config.authorization.users?.[0],
    config.server_tags,
    config.server_metadata,
    config.log,
    config.log.levels,
  ];
  for (const part of parts) assert(Object.isFrozen(part), JSON.stringify(part));
});

Deno.test("everything that is wrong is told at once, each with its place", async () => {
  assertEquals(
    await refusal(`port: http
max_payload: 100MB
max_pending: 1MB
authorization:
  token: s3cret
  users:
    - user: alice
      password: hunter2
    - user: bob
      password: [hunter2]
    - password: hunter2
  ping_interval: 3s
timeout: 3
log: hunter2
server_tags: [eu, { a: b }]
lame_duck_duration: 1s
`),
    [
      'denats.yaml:1:7: port: expected a port from 1 to 65535, or -1 for a random one, found "http"',
      "denats.yaml:2:1: max_payload: expected a max_payload no larger than max_pending, found 100MB and 1MB",
      "denats.yaml:5:3: authorization.token: expected only one of a token, a user and a list of users, found token and users",
      "denats.yaml:10:17: authorization.users[1].password: expected a password or its bcrypt hash, not empty, found a list of 1",
      "denats.yaml:11:7: authorization.users[2].user: expected a user name or an nkey, found nothing",
      "denats.yaml:12:3: authorization.ping_interval: that key does not belong here (it belongs at the top level)",
      "denats.yaml:13:1: timeout: that key does not belong here (it belongs under authorization)",
      "denats.yaml:14:6: log: expected a map (key: value), found a text (not shown)",
      "denats.yaml:15:19: server_tags[1]: expected a tag, found a map",
      'denats.yaml:16:21: lame_duck_duration: expected a duration such as "2s" or "1m30s", from 30s to 596h, found "1s"',
    ],
  );
});

Deno.test("unknown keys: what was meant, or that it is not supported yet", async () => {
  const cases: [string, string][] = [
    ["prot: 1", "prot: unknown key (did you mean port?)"],
    ["maxPayload: 1", "maxPayload: unknown key (did you mean max_payload?)"],
    ["zzzzzzzz: 1", "zzzzzzzz: unknown key"],
    ["users: []", "users: that key does not belong here (it belongs under authorization)"],
    ["pasword: a", "pasword: unknown key (did you mean authorization.password?)"],
    ["gateway: {}", "gateway: not supported by this version of denats"],
    [
      "jetstreem: {}",
      "jetstreem: unknown key (jetstream is not supported by this version of denats)",
    ],
    [
      "proxy_required: yes",
      "proxy_required: that key does not belong here " +
      "(it belongs under authorization, not supported by this version of denats)",
    ],
    ["__proto__: { port: 1 }", "__proto__: unknown key"],
    ["constructor: 1", "constructor: unknown key"],
  ];
  for (const [text, expected] of cases) {
    assertEquals(await refusal(text), [`denats.yaml:1:1: ${expected}`]);
  }
  assertEquals(await refusal("authorization: { users: [{ user: a, proxy_required: yes }] }"), [
    "denats.yaml:1:37: authorization.users[0].proxy_required: not supported by this version of denats",
  ]);
});

Deno.test("a level of a module that there is not is refused", async () => {
  assertEquals(await refusal("log:\n  levels: { clinet: debug, leaf: warn, accept: loud }"), [
    "denats.yaml:2:13: log.levels.clinet: unknown name (did you mean client?)",
    "denats.yaml:2:28: log.levels.leaf: unknown name (expected one of client, accept, auth, account, tls, route, supervisor)",
    'denats.yaml:2:48: log.levels.accept: expected one of error, warn, info, debug, trace, found "loud"',
  ]);
  const { log } = await load("log:\n  levels: { supervisor: error, auth: trace }");
  assertEquals(log.levels, { supervisor: "error", auth: "trace" });
});

Deno.test("a name that JavaScript would lose is refused rather than lost", async () => {
  assertEquals(await refusal("server_metadata: { __proto__: x }"), [
    "denats.yaml:1:20: server_metadata.__proto__: not a usable name",
  ]);
});

Deno.test("settings that do not go together are refused", async () => {
  const cases: [string, string][] = [
    [
      "listen: 1.2.3.4:5\nport: 6",
      "listen: expected listen and port to name the same port, or only one of them, found 5 and 6",
    ],
    [
      "listen: 1.2.3.4:5\nhost: 1.2.3.5",
      "listen: expected listen and host to name the same address, or only one of them, found 1.2.3.4 and 1.2.3.5",
    ],
    [
      "lame_duck_duration: 30s\nlame_duck_grace_period: 30s",
      "lame_duck_grace_period: expected a lame_duck_grace_period shorter than lame_duck_duration, found 30s and 30s",
    ],
    [
      "no_auth_user: bob\nauthorization: { users: [{ user: alice }] }",
      'no_auth_user: expected the name of a user of authorization.users or of an account, found "bob"',
    ],
    [
      "max_pending: 1KB",
      "max_pending: expected a max_payload no larger than max_pending, found 1MB and 1KB",
    ],
    ["ping_max: 0", 'ping_max: expected a whole number from 1 to 2147483647, found "0"'],
    [
      "authorization: { password: a }",
      "authorization.password: expected a user beside the password, found a password alone (without a user nobody would be asked for it)",
    ],
    [
      "authorization: { token: a, user: b }",
      "authorization.token: expected only one of a token, a user and a list of users, found token and user",
    ],
    [
      "authorization: { user: a, users: [{ user: b }] }",
      "authorization.user: expected only one of a token, a user and a list of users, found user and users (make the user one of the list)",
    ],
    [
      "authorization: { users: [{ user: a }, { user: a }] }",
      'authorization.users[1].user: expected every user once, found "a", which users[0] is already',
    ],
    [
      "authorization: { users: [] }",
      "authorization.users: expected at least one user, found an empty list",
    ],
    ["logfile: a\nlog_file: b", "logfile: another name of log_file, which is given too"],
  ];
  for (const [text, expected] of cases) {
    const [line = "", ...others] = await refusal(text);
    assertEquals(others, []);
    assertEquals(line.replace(/^denats.yaml:\d+:\d+: /, ""), expected);
  }
  const agreeing = await load("listen: 1.2.3.4:5\nhost: 1.2.3.4\nport: 5");
  assertEquals([agreeing.host, agreeing.port], ["1.2.3.4", 5]);
});

Deno.test("empty credentials never open the door", async () => {
  for (const text of ["token: ''", "token:", "token: ${EMPTY}", "user: a\n  password: ${EMPTY}"]) {
    const [line = ""] = await refusal(`authorization:\n  ${text}\n`, { env: { EMPTY: "" } });
    assertStringIncludes(line, "not empty");
  }
});

Deno.test("what is not YAML is told with its place, and without the text around it", async () => {
  const cases: [string, string[]][] = [
    ["port: 1\nport: 2\ndebug: on\ndebug: off", [
      "denats.yaml:2:1: the key is given twice",
      "denats.yaml:4:1: the key is given twice",
    ]],
    ["port: [1", [
      "denats.yaml:1:9: the indentation does not fit the lines above, or a bracket is not closed",
    ]],
    ["authorization:\n\ttoken: hunter2", [
      "denats.yaml:2:1: a tab in the indentation; YAML wants spaces",
    ]],
    ["authorization: { token: *hunter2 }", [
      'denats.yaml:1:25: no anchor of that name; a value that begins with "*" must be quoted',
    ]],
    ["authorization: { token: !hunter2 x }", [
      'denats.yaml:1:25: a tag; a value that begins with "!" must be quoted',
    ]],
    ["authorization: {token: ${TOK}}", [
      'denats.yaml:1:24: a ${ inside [ ] or { } that is not quoted (quote the value: "${TOK}")',
    ]],
    ["port: 1\nport: 2\nauthorization: {\n  token: x-${TOK}-y,\n  timeout: ${T}\n}\nhost: ${H}\n", [
      "denats.yaml:2:1: the key is given twice",
      'denats.yaml:4:12: a ${ inside [ ] or { } that is not quoted (quote the value: "${NAME}")',
      'denats.yaml:5:12: a ${ inside [ ] or { } that is not quoted (quote the value: "${T}")',
    ]],
    ["server_tags: [${A}, '${B}', ${hunter 2}] # ${C}", [
      'denats.yaml:1:15: a ${ inside [ ] or { } that is not quoted (quote the value: "${A}")',
      'denats.yaml:1:29: a ${ inside [ ] or { } that is not quoted (quote the value: "${NAME}")',
    ]],
    ["log:\n\tformat: json", ["denats.yaml:2:1: a tab in the indentation; YAML wants spaces"]],
    ["port: 1\n---\nport: 2", ["denats.yaml:2:1: a second document (---); a configuration is one"]],
    ["- port: 1", ["denats.yaml:1:1: expected a map of settings (key: value), found a list of 1"]],
    ["hunter2", [
      "denats.yaml:1:1: expected a map of settings (key: value), found a text (not shown)",
    ]],
  ];
  for (const [text, expected] of cases) assertEquals(await refusal(text), expected);
});

Deno.test("variables of the environment are filled in", async () => {
  const config = await load(
    "port: ${PORT}\nserver_name: a-${NAME}-${NAME}\nauthorization: { token: '$${NAME}' }",
    { env: { PORT: "5222", NAME: "x" } },
  );
  assertEquals(config.port, 5222);
  assertEquals(config.server_name, "a-x-x");
  assertEquals(config.authorization.token, "${NAME}");
  assertEquals(
    await refusal("port: ${PORT}\nhost: ${HOST}\nserver_name: a${b-c}\nserver_tags: ['${']\n"),
    [
      "denats.yaml:1:7: port: the environment variable PORT is not set",
      "denats.yaml:2:7: host: the environment variable HOST is not set",
      "denats.yaml:3:14: server_name: a ${ that does not begin a variable (write ${NAME} for a variable, $${ for the characters themselves)",
      "denats.yaml:4:15: server_tags[0]: a ${ that does not begin a variable (write ${NAME} for a variable, $${ for the characters themselves)",
    ],
  );
});

Deno.test("the value of a variable is text, whatever is in it", async () => {
  const values = fc.oneof(
    fc.string({ minLength: 1 }),
    fc.constantFrom(
      "x\nport: 1",
      "x }, port: 1, y: { z: ",
      "'\"",
      "${OTHER}",
      "$${OTHER}",
      "*a",
      "&a x",
      "!!js/function x",
      "# not a comment",
      "- 1",
      "5e7",
    ),
  ).filter((value) => !value.startsWith("$2"));
  await fc.assert(fc.asyncProperty(values, async (value) => {
    const env = { SECRET: value };
    for (
      const text of ["authorization: { token: '${SECRET}' }", "authorization:\n  token: ${SECRET}"]
    ) {
      const config = await load(text, { env });
      assertEquals(config.authorization.token, value);
      assertEquals(config.port, 4222);
    }
  }));
});

Deno.test("nothing is filled in for an embedding program", () => {
  const { authorization } = normaliseConfig({ authorization: { token: "${HOME}" } });
  assertEquals(authorization.token, "${HOME}");
});

Deno.test("flags override the file", async () => {
  const host = await load("listen: 1.2.3.4:5", { args: ["-p", "6"] });
  assertEquals([host.host, host.port], ["1.2.3.4", 6]);
  const debug = await load("debug: true\nlogtime: true", { args: ["-D=false", "-T=false"] });
  assertEquals([debug.debug, debug.logtime], [false, false]);
  const token = await load("authorization: { user: a, password: b, timeout: 9s }", {
    args: ["--auth", "t"],
  });
  assertEquals(token.authorization, { token: "t", timeout: 9000 });
  const password = await load("authorization: { user: a, password: b }", {
    args: ["--user", "u"],
  });
  assertEquals(password.authorization, { user: "u", password: "b", timeout: 2000 });
});

Deno.test("what a flag makes impossible is told of the flag", async () => {
  assertEquals(
    await refusal("authorization: { user: a }", { args: ["--auth", "t", "--user", "b"] }),
    [
      "--auth: authorization.token: expected only one of a token, a user and a list of users, found token and user",
    ],
  );
  assertEquals(await refusal("authorization: hunter2", { args: ["--auth", "t"] }), [
    "denats.yaml:1:16: authorization: expected a map (key: value), found a text (not shown)",
  ]);
});

Deno.test("a file that cannot be used is named", async () => {
  const sources = {
    env: () => undefined,
    files: { readText: (path: string) => Promise.reject(new FileError(`cannot read ${path}`)) },
  };
  const missing = await assertRejects(
    () => loadConfig({ file: "gone.yaml", ...sources }),
    ConfigError,
  );
  assertEquals(missing.message, "cannot read gone.yaml");
  const foreign = await assertRejects(
    () => loadConfig({ file: "gone.conf", ...sources }),
    ConfigError,
  );
  assertEquals(foreign.message, "cannot read gone.conf");
});

Deno.test("an embedding program gets the same checks, without places", () => {
  assertEquals(
    problemsOf({ port: 0.5, prot: 1, authorization: { token: 5 } }),
    [
      {
        source: undefined,
        path: "prot",
        expected: undefined,
        found: "unknown key",
        hint: "did you mean port?",
      },
      {
        source: undefined,
        path: "port",
        expected: "a port from 1 to 65535, or -1 for a random one",
        found: "0.5",
        hint: undefined,
      },
      {
        source: undefined,
        path: "authorization.token",
        expected: "a token or its bcrypt hash, not empty",
        found: "a number (not shown)",
        hint: undefined,
      },
    ].toSorted((a, b) => order.indexOf(a.path) - order.indexOf(b.path)),
  );
  assertEquals(normaliseConfig({ port: undefined, listen: 7 }).port, 7);
});

const order = ["port", "authorization.token", "prot"];

Deno.test("no object makes the check throw anything but its own error, or tell a secret", () => {
  const keys = fc.constantFrom(
    "port",
    "host",
    "listen",
    "authorization",
    "users",
    "user",
    "password",
    "token",
    "log",
    "levels",
    "server_tags",
    "server_metadata",
    "no_auth_user",
    "__proto__",
    "x",
  );
  const { tree } = fc.letrec<{ tree: unknown; map: unknown; list: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, undefined, true, NaN, 1n, "", "a", "1", -1, 4222),
      tie("map"),
      tie("list"),
    ),
    list: fc.array(tie("tree"), { maxLength: 3 }),
    map: fc.dictionary(keys, tie("tree"), { maxKeys: 6 }),
  }));
  fc.assert(fc.property(tree, (input) => {
    try {
      (normaliseConfig as (input: unknown) => Config)(input);
    } catch (error) {
      assert(error instanceof ConfigError, String(error));
      assert(error.problems.length > 0);
    }
  }));
  const secret = "hunter2";
  for (const where of ["token", "password", "users", "timeout"]) {
    for (const value of [[secret], { secret }, [[secret]]]) {
      for (const problem of problemsOf({ authorization: { [where]: value } })) {
        assert(!JSON.stringify(problem).includes(secret), JSON.stringify(problem));
      }
    }
  }
});

Deno.test("an anchor above a bracket is refused, whose aliases a parser would make empty", async () => {
  const users = (first: string, rest = "") =>
    `authorization:\n  users:\n    - user: a\n      permissions: ${first}\n` +
    `    - { user: b, permissions: *p }\n${rest}`;
  for (const rest of ["", "server_name: !!str x\n"]) {
    assertEquals(await refusal(users("&p # mine\n        { publish: x }", rest)), [
      "denats.yaml:4:20: an anchor above what it names (write it in the line of the bracket or the text)",
    ]);
    for (const good of ["&p { publish: x }", "&p\n        publish: x"]) {
      const { authorization } = await load(users(good, rest));
      assertEquals(authorization.users?.map(({ permissions }) => permissions), [
        { publish: { allow: ["x"] } },
        { publish: { allow: ["x"] } },
      ]);
    }
  }
});

Deno.test("aliases of YAML that grow without end cost nothing", async () => {
  const levels = Array.from({ length: 30 }, (_, i) => `x${i + 1}: &x${i + 1} [*x${i}, *x${i}]`);
  const lines = await refusal(`x0: &x0 [a]\n${levels.join("\n")}\nserver_tags: *x30\n`);
  assertEquals(lines.length, 33, "31 unknown keys and two tags that are lists");
  // Nor where the text is for the library, and its anchors stand in lines of their own.
  const lists = Array.from({ length: 30 }, (_, i) => `x${i + 1}: &x${i + 1}\n- *x${i}\n- *x${i}`);
  const below = await refusal(`x0: &x0\n- 😀\n${lists.join("\n")}\nserver_tags: *x30\n`);
  assertEquals(below.length, 33);
});
