import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  type Config,
  ConfigError,
  type ConfigWarning,
  convertConfig,
  formatProblem,
  loadConfig,
} from "../../src/config/mod.ts";
import { FileError } from "../../src/platform/mod.ts";

/** A configuration in files, the first of which is `nats.conf` or `nats.yaml`. */
function sourcesOf(
  text: string,
  { file = "nats.conf", env = {}, others = {} }: {
    readonly file?: string;
    readonly env?: Record<string, string>;
    readonly others?: Record<string, string>;
  } = {},
) {
  const texts: Record<string, string> = { [file]: text, ...others };
  const readText = (path: string) => {
    const found = texts[path];
    return found === undefined
      ? Promise.reject(new FileError(`cannot read ${path}`))
      : Promise.resolve(found);
  };
  return { file, env: (name: string) => env[name], files: { readText } };
}

type Options = Parameters<typeof sourcesOf>[1];

async function load(text: string, options?: Options): Promise<Config> {
  return await loadConfig(sourcesOf(text, options));
}

/** What is wrong with a text: a line for each problem. */
async function refusal(text: string, options?: Options): Promise<string[]> {
  const error = await assertRejects(() => load(text, options), ConfigError);
  return error.problems.map(formatProblem);
}

const example = `
# An example of nats-server's own format.
server_name: "n1"
PORT = 4333, Debug on
max_payload: 2MB; max_connections = 2k
WRITE_DEADLINE: "5s"
hash: "$2a$11$WHMSMCW3nLvRpbwYo5nZR.cX3QVzGJ9XcOr1gnzyvDZq.UMmFMkyG"
server_tags: [ east, "rack 1" ] // where it is
server_metadata { "Rack": "1", floor: two }
Authorization {
  timeout: 2.5
  users = [
    { user: bob, Pass: $hash }
    { username: "1234", PASSWORD: '007' }
  ]
}
cluster {
  name: c1, listen: 127.0.0.1:6333
  no_advertise: yes
  routes = [
    nats-route://a:b@localhost:6444
    nats-route://localhost:6555
  ]
}
`;

Deno.test("an existing configuration of nats-server is read into the same schema", async () => {
  const config = await load(example);
  assertEquals(
    config,
    await load(
      `
server_name: n1
port: 4333
debug: true
max_payload: 2MB
max_connections: 2000
write_deadline: 5s
server_tags: [east, rack 1]
server_metadata: { Rack: 1, floor: two }
authorization:
  timeout: 2.5
  users:
    - { user: bob, password: $2a$11$WHMSMCW3nLvRpbwYo5nZR.cX3QVzGJ9XcOr1gnzyvDZq.UMmFMkyG }
    - { user: 1234, password: 007 }
cluster:
  name: c1
  listen: 127.0.0.1:6333
  no_advertise: true
  routes: ["nats-route://a:b@localhost:6444", "nats-route://localhost:6555"]
`,
      { file: "nats.yaml" },
    ),
  );
  assertEquals(config.authorization.users?.[1]?.password, "007");
});

Deno.test("a file is in nats-server's format where its name ends in .conf, and else in YAML", async () => {
  assertEquals((await load("port = 1", { file: "a/b.CONF" })).port, 1);
  assertEquals((await load("port: 1", { file: "a.conf.yaml" })).port, 1);
  assertEquals((await refusal("port = 1", { file: "conf" })).length, 1);
});

Deno.test("flags override what such a file says", async () => {
  const flags = {
    configFile: "nats.conf",
    overrides: [{ source: "--port", path: ["port"], value: "5" }],
  };
  const { env, files } = sourcesOf("listen: 127.0.0.1:4222");
  const config = await loadConfig({ flags, env, files });
  assertEquals([config.host, config.port], ["127.0.0.1", 5]);
});

Deno.test("${ is text in it, and the environment is asked for with $", async () => {
  const env = { NAME: "n2", PORT: "4555", TAGS: "[a, b]" };
  const config = await load(
    "server_name: $NAME\nport: $PORT\nserver_tags: $TAGS\npid_file: '${NAME}'",
    {
      env,
    },
  );
  assertEquals([config.server_name, config.port, config.server_tags, config.pid_file], [
    "n2",
    4555,
    ["a", "b"],
    "${NAME}",
  ]);
});

Deno.test("everything that is wrong is told with its file, line and column", async () => {
  const text = `
prot: 4222
Authorization {
    Users: [
      { user: bob, PASS: 1234 }
      { user: 12, passwrd: sesame }
    ]
}
max_payload: "1MB"
ping_interval: 5m
port: "4222"
debug: "yes"
unused: 1
include "more.conf"
cluster { name: $CLUSTER, port: 70000 }
`;
  const others = { "more.conf": "\n  server_name: [ x ]\n  max_connections: -1" };
  assertEquals(await refusal(text, { others }), [
    "more.conf:2:16: server_name: expected a name without spaces, found a list of 1",
    'more.conf:3:20: max_connections: expected a whole number from 0 to 2147483647, found "-1"',
    "nats.conf:2:1: prot: unknown key (did you mean port?)",
    "nats.conf:5:26: authorization.users[0].pass: expected a password or its bcrypt hash, not " +
    "empty, found a number (not shown) (quote it to make it a text)",
    "nats.conf:6:15: authorization.users[1].user: expected a user name, found the number 12 " +
    "(quote it to make it a text)",
    "nats.conf:6:19: authorization.users[1].passwrd: unknown key (did you mean password?)",
    'nats.conf:9:14: max_payload: expected a size such as "64MB" or "4KiB", from 1 to 2147483647, ' +
    'found the text "1MB" (take its quotes away)',
    'nats.conf:10:16: ping_interval: expected a duration such as "2s" or "1m30s", from 1ms to ' +
    '596h, found 5m, which is the number 5000000 where it is not quoted (write "5m")',
    "nats.conf:11:7: port: expected a port from 1 to 65535, or -1 for a random one, found the " +
    'text "4222" (take its quotes away)',
    "nats.conf:12:8: debug: expected true or false (also yes, no, on, off), found the text " +
    '"yes" (take its quotes away)',
    "nats.conf:13:1: unused: unknown key",
    "nats.conf:15:17: the variable CLUSTER is neither a key given before nor in the environment " +
    "(a text that begins with $ must be quoted)",
    'nats.conf:15:33: cluster.port: expected a port from 1 to 65535, or -1 for a random one, found "70000"',
  ]);
});

Deno.test("where the syntax is wrong that alone is told, and nothing secret", async () => {
  assertEquals(await refusal("password: geheim geheim\nprot: 1\nuser: .geheim"), [
    "nats.conf:1:18: more behind the value (a text with blanks or special characters must be " +
    "quoted, and entries need a line end, a comma or a semicolon between them)",
    "nats.conf:3:7: a value that begins with a dot (a text must be quoted)",
  ]);
  for (const value of ["geheim geheim", '"geheim\\q"', "123geheim.1.2 x", "-geheim", "'geheim"]) {
    const lines = await refusal(`authorization {\n token: ${value}\n}`);
    assert(!lines.some((line) => line.includes("geheim")), lines.join("\n"));
  }
});

Deno.test("keys are known in any case, and one setting by one name", async () => {
  assertEquals(
    (await load("Net: 127.0.0.1\nLOGFILE_SIZE_LIMIT: 1k\nlogfile: x")).log_size_limit,
    1000,
  );
  assertEquals(await refusal("Port: 1\nport: 2\nhost: a\nNET: b"), [
    "nats.conf:2:1: port: another spelling of port, which is given too",
    "nats.conf:4:1: net: another name of host, which is given too",
  ]);
});

Deno.test("a key that only a variable stands for need not be a setting", async () => {
  const config = await load(
    "p: 4000\nus { user: a, pass: b }\nport: $p\naccounts { A { users: [$us ] } }",
  );
  assertEquals([config.port, config.accounts?.A?.users[0]?.user], [4000, "a"]);
  assertEquals(await refusal("jetstream: on\ndebug: $jetstream"), [
    "nats.conf:1:1: jetstream: not supported by this version of denats",
  ]);
});

Deno.test("a variable may be called as a password is, where no user stands beside it", async () => {
  const users = "users = [ { user: a, password: $PASS }, { user: b, password: $PASS } ]";
  const config = await load(`authorization { PASS: abc, ${users} }`);
  assertEquals(config.authorization.password, undefined);
  assertEquals(config.authorization.users?.map(({ password }) => password), ["abc", "abc"]);
  assertEquals((await refusal(`authorization { PASS: abc }`)).length, 1);
  assertEquals((await refusal(`authorization { user: c, PASS: abc, ${users} }`)).length, 1);
});

const unsupportedText = `
port: 4333
JetStream { store_dir: /tmp }
gateway {
  name: g
}
accounts {
  A { msg_trace: a.b
      users: [ { user: a, pass: b, proxy_required: true } ] }
  B { jetstream: off }
}
`;

/** What is ignored in a text. */
async function ignored(text: string, options: Options & { readonly flag?: boolean }) {
  const warnings: ConfigWarning[] = [];
  const config = await loadConfig({
    ...sourcesOf(text, options),
    flags: { overrides: [], ignoreUnsupported: options.flag ?? false },
    onWarning: (warning) => warnings.push(warning),
  });
  return { config, warnings: warnings.map((item) => `${item.kind}: ${formatProblem(item)}`) };
}

Deno.test("what denats does not support is refused, and on request a warning", async () => {
  const places = [
    "nats.conf:3:1: jetstream: not supported by this version of denats",
    "nats.conf:4:1: gateway: not supported by this version of denats",
    "nats.conf:8:7: accounts.A.msg_trace: not supported by this version of denats",
    "nats.conf:9:36: accounts.A.users[0].proxy_required: not supported by this version of denats",
  ];
  assertEquals(await refusal(unsupportedText), places);
  const expected = places.map((place) => `unsupported: ${place} (ignored)`);
  const byFlag = await ignored(unsupportedText, { flag: true });
  const byEnvironment = await ignored(unsupportedText, { env: { DENATS_IGNORE_UNSUPPORTED: "1" } });
  assertEquals([byFlag.warnings, byEnvironment.warnings], [expected, expected]);
  assertEquals([byFlag.config.port, Object.keys(byFlag.config.accounts ?? {})], [4333, ["A", "B"]]);
  assertEquals(await refusal(unsupportedText, { env: { DENATS_IGNORE_UNSUPPORTED: "0" } }), places);
});

Deno.test("the same holds for YAML, and only for what is not supported", async () => {
  const text = "port: 4333\njetstream: {}\ngateway:\n  name: g\nprot: 1\n";
  const options = { file: "a.yaml", flag: true };
  const error = await assertRejects(() => ignored(text, options), ConfigError);
  assertEquals(error.problems.map(formatProblem), [
    "a.yaml:5:1: prot: unknown key (did you mean port?)",
  ]);
  const { config, warnings } = await ignored(text.replace("prot: 1\n", ""), options);
  assertEquals([config.port, warnings], [4333, [
    "unsupported: a.yaml:2:1: jetstream: not supported by this version of denats (ignored)",
    "unsupported: a.yaml:3:1: gateway: not supported by this version of denats (ignored)",
  ]]);
});

Deno.test("very many unsupported settings are ignored as quickly as few", async () => {
  const accounts = Array.from({ length: 2000 }, (_, index) => `A${index} { msg_trace: t }`);
  const { warnings } = await ignored(`accounts {\n${accounts.join("\n")}\n}`, { flag: true });
  assertEquals(warnings.length, 2000);
  assertStringIncludes(warnings[1999] ?? "", "nats.conf:2001:");
});

Deno.test("a file is converted to YAML that says the same", async () => {
  const { yaml, warnings } = await convertConfig(sourcesOf(example));
  assertEquals(warnings, []);
  assertEquals(
    yaml,
    `# The server
server_name: "n1"
port: 4333
server_tags:
  - "east"
  - "rack 1"
server_metadata:
  Rack: "1"
  floor: "two"

# Limits
max_connections: 2000
max_payload: 2MB
write_deadline: 5s

# Who may connect
authorization:
  users:
    - user: "bob"
      password: "$2a$11$WHMSMCW3nLvRpbwYo5nZR.cX3QVzGJ9XcOr1gnzyvDZq.UMmFMkyG"
    - user: "1234"
      password: "007"
  timeout: 2.5

# The cluster
cluster:
  name: "c1"
  listen: "127.0.0.1:6333"
  no_advertise: yes
  routes:
    - "nats-route://a:b@localhost:6444"
    - "nats-route://localhost:6555"

# Logging
debug: on
`,
  );
  assertEquals(await load(yaml, { file: "a.yaml" }), await load(example));
});

Deno.test("a conversion names what it leaves out, and refuses what is wrong", async () => {
  const { yaml, warnings } = await convertConfig(sourcesOf(unsupportedText));
  assertEquals(warnings.map(({ kind, line, path }) => [kind, line, path]), [
    ["unsupported", 3, "jetstream"],
    ["unsupported", 4, "gateway"],
    ["unsupported", 8, "accounts.A.msg_trace"],
    ["unsupported", 9, "accounts.A.users[0].proxy_required"],
  ]);
  assert(!/store_dir|gateway|msg_trace|proxy/.test(yaml), yaml);
  await assertRejects(() => convertConfig(sourcesOf("prot: 1")), ConfigError);
  const odd = await convertConfig(sourcesOf("port: 1\nport: 2"));
  assertEquals([odd.yaml, odd.warnings.map(({ kind }) => kind)], ["# The server\nport: 2\n", [
    "strange",
  ]]);
});

Deno.test("a conversion keeps texts that YAML would take for something else", async () => {
  const secret = String.raw`"$${"{"}A} # \" \n: \\"`;
  const text =
    `authorization { user: "no", password: ${secret} }\nserver_metadata { "a: b": "- x" }`;
  const { yaml } = await convertConfig(sourcesOf(text));
  const config = await load(yaml, { file: "a.yaml" });
  assertEquals(config, await load(text));
  assertEquals(config.authorization.password, '${A} # " \n: \\');
});
