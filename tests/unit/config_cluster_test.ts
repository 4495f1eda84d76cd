/** The block `cluster`: what it means, what is refused, and that no password is told. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type ClusterConfig,
  type Config,
  ConfigError,
  FlagError,
  jsonSchema,
  loadConfig,
  normaliseConfig,
  parseFlags,
  printConfig,
  type RouteUrl,
  showRouteUrl,
} from "../../src/config/mod.ts";

function load(text: string, ...args: string[]): Promise<Config> {
  const files = { readText: () => Promise.reject(new Error("nothing to read")) };
  const env = (name: string) => ({ PASSWORD: "p@ss", MODE: "best" })[name];
  return loadConfig({ text, file: "a.yaml", flags: parseFlags(args), env, files });
}

async function clusterOf(settings: string, ...args: string[]): Promise<ClusterConfig> {
  const { cluster } = await load(`cluster: {${settings}}`, ...args);
  assert(cluster !== undefined, "no cluster");
  return cluster;
}

/** What is wrong, without the place in the file. */
async function refusal(text: string): Promise<string[]> {
  const { problems, message } = await assertRejects(() => load(text), ConfigError);
  assert(!message.includes("sesame"), message);
  return problems.map(({ path, expected, found, hint }) => {
    const words = expected === undefined ? found : `expected ${expected}, found ${found}`;
    return `${path}: ${words}${hint === undefined ? "" : ` (${hint})`}`;
  });
}

const defaults: ClusterConfig = {
  host: "0.0.0.0",
  port: 6222,
  no_advertise: false,
  routes: [],
  connect_retries: 0,
  connect_backoff: false,
  pool_size: 3,
  accounts: [],
  compression: { mode: "accept", rtt_thresholds: [10, 50, 100] },
  authorization: { timeout: 2000 },
  ping_interval: 30_000,
  ping_max: 2,
  write_deadline: 10_000,
};

Deno.test("without the block, or with every line of it commented out, there is no cluster", async () => {
  for (const text of ["", "cluster:\n", "cluster:\n#  port: 1\n"]) {
    assertEquals((await load(text)).cluster, undefined);
  }
  assertEquals(normaliseConfig().cluster, undefined);
});

Deno.test("an empty block is a cluster with every default", async () => {
  assertEquals(await clusterOf(""), defaults);
  assertEquals(normaliseConfig({ cluster: {} }).cluster, defaults);
});

Deno.test("every setting, by nats-server's names", async () => {
  const text = `
cluster:
  name: "007"
  listen: "127.0.0.1:-1"
  cluster_advertise: example.com:6333
  no_advertise: yes
  routes: ["nats-route://a:b@one:1"]
  connect_retries: 5
  connect_backoff: on
  pool_size: 5
  accounts: [$G, $SYS]
  compression: s2_best
  authorization: { username: 0123, pass: 5e7, timeout: 3 }
  permissions: { import: "a.>", export: { allow: [b, "c.*"], deny: d } }
  ping_interval: 5s
  ping_max: 7
  write_deadline: 500ms
`;
  assertEquals((await load(text)).cluster, {
    name: "007",
    host: "127.0.0.1",
    port: -1,
    advertise: "example.com:6333",
    no_advertise: true,
    routes: [{ host: "one", port: 1, user: "a", password: "b" }],
    connect_retries: 5,
    connect_backoff: true,
    pool_size: 5,
    accounts: ["$G", "$SYS"],
    compression: { mode: "s2_best", rtt_thresholds: [10, 50, 100] },
    authorization: { user: "0123", password: "5e7", timeout: 3000 },
    permissions: { import: { allow: ["a.>"] }, export: { allow: ["b", "c.*"], deny: ["d"] } },
    ping_interval: 5000,
    ping_max: 7,
    write_deadline: 500,
  });
});

Deno.test("host and port are written in three ways", async () => {
  const cases: [string, string, number][] = [
    ["listen: 6333", "0.0.0.0", 6333],
    ["listen: '[::1]:6333'", "::1", 6333],
    ["host: a, port: 1", "a", 1],
    ["net: a", "a", 6222],
    ["listen: 'a:1', host: a, port: 1", "a", 1],
  ];
  for (const [text, host, port] of cases) {
    const cluster = await clusterOf(text);
    assertEquals([cluster.host, cluster.port], [host, port]);
    assert(!("listen" in cluster));
  }
  assertEquals(await refusal("cluster: {listen: 'a:1', port: 2}"), [
    "cluster.listen: expected listen and port to name the same port, or only one of them, found 1 and 2",
  ]);
});

Deno.test("what is not given for routes is taken from the top level", async () => {
  const top = "ping_interval: 10s\nping_max: 4\nwrite_deadline: 3s\n";
  const inherited = (await load(`${top}cluster: {}`)).cluster;
  assertEquals(
    [inherited?.ping_interval, inherited?.ping_max, inherited?.write_deadline],
    [10_000, 4, 3000],
  );
  const own = await load(`${top}cluster: {ping_interval: 1s, ping_max: 1, write_deadline: 1s}`);
  assertEquals(
    [own.cluster?.ping_interval, own.cluster?.ping_max, own.cluster?.write_deadline],
    [1000, 1, 1000],
  );
  assertEquals((await load("ping_interval: 5m\ncluster: {}")).cluster?.ping_interval, 30_000);
  assertEquals((await clusterOf("ping_interval: 31s")).ping_interval, 30_000);
});

Deno.test("routes are URLs, and a scheme and a port need not be there", async () => {
  const cases: [string, RouteUrl][] = [
    ["nats-route://one:1", { host: "one", port: 1 }],
    ["nats://one:1/", { host: "one", port: 1 }],
    ["NATS://one", { host: "one", port: 6222 }],
    ["one:1", { host: "one", port: 1 }],
    ["one", { host: "one", port: 6222 }],
    [" one ", { host: "one", port: 6222 }],
    ["[::1]:1", { host: "::1", port: 1 }],
    ["nats://[::1]", { host: "::1", port: 6222 }],
    ["nats://[fe80::1%25eth0]:1", { host: "fe80::1%eth0", port: 1 }],
    ["nats://u@one", { host: "one", port: 6222, user: "u" }],
    ["u:p@one", { host: "one", port: 6222, user: "u", password: "p" }],
    ["nats://u:@one", { host: "one", port: 6222, user: "u", password: "" }],
    ["nats://u:5e7@one", { host: "one", port: 6222, user: "u", password: "5e7" }],
    ["nats://a%40b:p%3A%2F%25@one", {
      host: "one",
      port: 6222,
      user: "a@b",
      password: "p:/%",
    }],
    ["nats://u:p@q@one", { host: "one", port: 6222, user: "u", password: "p@q" }],
    ["nats://u:${PASSWORD}@one", { host: "one", port: 6222, user: "u", password: "p@ss" }],
  ];
  for (const [text, expected] of cases) {
    const { routes } = await clusterOf(`routes: [${JSON.stringify(text)}]`);
    assertEquals(routes, [expected], text);
  }
});

Deno.test("what cannot be connected to is refused, and not shown", async () => {
  const port = "a port is a number from 1 to 65535";
  const encode = "write %40 for @, %2F for / and so on in user and password";
  const cases: [string, string | undefined][] = [
    ["", undefined],
    ["nats://u:sesame@", "it has no host"],
    ["nats://", "it has no host"],
    ["nats://u:sesame@one:0", port],
    ["nats://u:sesame@one:65536", port],
    ["nats://u:sesame@one:-1", port],
    ["u:sesame", port],
    ["nats://u:sesame@[::1]:x", port],
    ["nats://u:sesame@::1:6222", undefined],
    ["nats://u:sesame@a b", undefined],
    ["tls://u:sesame@one", "tls:// is not supported by this version of denats"],
    ["http://u:sesame@one", "its scheme is nats-route or nats"],
    ["nats://one:1/sesame", "it ends with the port"],
    ["nats://u:se/same@one", encode],
    ["nats://u:se%zzsame@one", encode],
    ["nats://u:se%ffsame@one", encode],
    ["nats://:sesame@one", "the password has no user"],
  ];
  for (const [text, hint] of cases) {
    const found = text === "" ? "nothing (an empty text)" : "a text (not shown)";
    assertEquals(await refusal(`cluster: {routes: [${JSON.stringify(text)}]}`), [
      `cluster.routes[0]: expected a route such as "nats-route://host:6222", found ${found}` +
      (hint === undefined ? "" : ` (${hint})`),
    ]);
  }
  assertEquals(await refusal("cluster: {routes: sesame}"), [
    "cluster.routes: expected a list, found a text (not shown)",
  ]);
});

Deno.test("no text makes the reader of routes throw, and a shown route hides its password", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    try {
      normaliseConfig({ cluster: { routes: [text, `nats://u:${text}@one`] } });
    } catch (error) {
      assert(error instanceof ConfigError, String(error));
    }
  }));
  assertEquals(
    showRouteUrl({ host: "::1", port: 1, user: "a@b", password: "sesame" }),
    "nats-route://a%40b:***@[::1]:1",
  );
  assertEquals(showRouteUrl({ host: "one", port: 1, user: "u" }), "nats-route://u@one:1");
});

Deno.test("the same route twice is one route", async () => {
  const { routes } = await clusterOf(
    "routes: ['nats://one:6222', 'nats-route://ONE', 'nats://u:p@one', 'nats://one:6223']",
  );
  assertEquals(routes.map(({ port, user }) => [port, user]), [
    [6222, undefined],
    [6222, "u"],
    [6223, undefined],
  ]);
});

Deno.test("the words for compression are nats-server's, in any case", async () => {
  const words = {
    off: "off disabled false OFF",
    accept: "accept",
    s2_fast: "on enabled true s2_fast fast On",
    s2_better: "s2_better better",
    s2_best: "s2_best best ${MODE}",
    s2_auto: "s2_auto auto",
  };
  for (const [mode, written] of Object.entries(words)) {
    for (const word of written.split(" ")) {
      for (const text of [`compression: '${word}'`, `compression: {mode: '${word}'}`]) {
        assertEquals((await clusterOf(text)).compression.mode, mode, text);
      }
    }
  }
  for (const [switched, mode] of [[true, "s2_fast"], [false, "off"]] as const) {
    const { cluster } = normaliseConfig({ cluster: { compression: switched } });
    assertEquals(cluster?.compression.mode, mode);
  }
  assertEquals(await refusal("cluster: {compression: zip}"), [
    "cluster.compression: expected one of off, accept, s2_fast, s2_better, s2_best, s2_auto " +
    '(also on for s2_fast), found "zip"',
  ]);
});

Deno.test("thresholds of compression: ascending, at most four, zeros leave a level out", async () => {
  const thresholds = async (text: string) =>
    (await clusterOf(`compression: {mode: auto, rtt_thresholds: ${text}}`)).compression
      .rtt_thresholds;
  assertEquals(await thresholds("[]"), [10, 50, 100]);
  assertEquals(await thresholds("[1ms]"), [1]);
  assertEquals(await thresholds("[0, 10ms, 10ms, 20ms]"), [0, 10, 10, 20]);
  assertEquals(await thresholds("[1ms, 0s, 2ms, 0s, 0s]"), [1, 0, 2]);
  for (const alias of ["thresholds", "rtts", "rtt"]) {
    const { compression } = await clusterOf(`compression: {mode: auto, ${alias}: [1ms]}`);
    assertEquals(compression.rtt_thresholds, [1]);
  }
  const cases: [string, string][] = [
    ["[2ms, 1ms]", "expected thresholds in ascending order, found [2ms, 1ms]"],
    ["[2ms, 0, 1ms]", "expected thresholds in ascending order, found [2ms, 0s, 1ms]"],
    ["[0, 0]", "expected at least one threshold above 0, found [0s, 0s]"],
    [
      "[1ms, 2ms, 3ms, 4ms, 5ms]",
      "expected no more than 4 thresholds, found [1ms, 2ms, 3ms, 4ms, 5ms]",
    ],
  ];
  for (const [text, words] of cases) {
    const block = `{mode: auto, rtt_thresholds: ${text}}`;
    assertEquals(await refusal(`cluster: {compression: ${block}}`), [
      `cluster.compression.rtt_thresholds: ${words}`,
    ]);
    // As in nats-server, nobody looks at them in another mode.
    await clusterOf(`compression: {mode: fast, rtt_thresholds: ${text}}`);
  }
});

Deno.test("permissions are a subject, a list, or what is allowed and denied", async () => {
  const cases: [string, ClusterConfig["permissions"]][] = [
    ["{}", {}],
    ["{import: a}", { import: { allow: ["a"] } }],
    ["{export: [a.*, '>']}", { export: { allow: ["a.*", ">"] } }],
    ["{import: {deny: a}}", { import: { deny: ["a"] } }],
    ["{pub: a, sub: b}", { import: { allow: ["a"] }, export: { allow: ["b"] } }],
    ["{publish: a, subscribe: b}", { import: { allow: ["a"] }, export: { allow: ["b"] } }],
    // To nats-server an empty list is no list.
    ["{import: [], export: {allow: [], deny: [a]}}", { import: {}, export: { deny: ["a"] } }],
  ];
  for (const [text, expected] of cases) {
    assertEquals((await clusterOf(`permissions: ${text}`)).permissions, expected, text);
  }
  const written = { import: "a", export: ["b"] };
  assertEquals(normaliseConfig({ cluster: { permissions: written } }).cluster?.permissions, {
    import: { allow: ["a"] },
    export: { allow: ["b"] },
  });
  const words =
    `expected a subject: tokens without spaces parted by single dots, ">" only as the last`;
  assertEquals(await refusal("cluster: {permissions: {import: a..b, export: [a, b c]}}"), [
    `cluster.permissions.import: ${words}, found "a..b"`,
    `cluster.permissions.export[1]: ${words}, found "b c"`,
  ]);
  assertEquals(await refusal("cluster: {permissions: {import: {allow: '>.a', deny: [b, '']}}}"), [
    `cluster.permissions.import.allow: ${words}, found ">.a"`,
    "cluster.permissions.import.deny[1]: expected a subject, found nothing (an empty text) " +
    "(quote it: YAML takes an unquoted > for the start of a block of text)",
  ]);
  assertEquals(await refusal("cluster: {permissions: {allow_responses: true}}"), [
    "cluster.permissions.allow_responses: cluster permissions do not support dynamic responses",
  ]);
});

Deno.test("a cluster has one user and no token", async () => {
  const cases: [string, string][] = [
    ["users: []", "users: cluster authorization does not allow multiple users"],
    ["token: sesame", "token: cluster authorization does not support tokens"],
    ["auth_callout: {}", "auth_callout: cluster authorization does not support callouts"],
    ["permissions: {}", "permissions: not supported by this version of denats"],
    [
      "password: sesame",
      "password: expected a user beside the password, found a password alone " +
      "(without a user nobody would be asked for it)",
    ],
  ];
  for (const [text, words] of cases) {
    assertEquals(await refusal(`cluster: {authorization: {${text}}}`), [
      `cluster.authorization.${words}`,
    ]);
  }
  assertEquals(await refusal("cluster: {authorization: {user: a, sesame}}"), [
    "cluster.authorization: unknown key (not shown)",
  ]);
  assertEquals(await refusal("cluster: {authorization: sesame}"), [
    "cluster.authorization: expected a map (key: value), found a text (not shown)",
  ]);
  const { authorization } = await clusterOf("authorization:");
  assertEquals(authorization, { timeout: 2000 });
});

Deno.test("numbers and names are held to what can work", async () => {
  const cases: [string, string][] = [
    ["name: a b", 'name: expected a name without spaces, found "a b"'],
    ["name: 'a\tb'", 'name: expected a name without spaces, found "a\\tb"'],
    ["name: ''", "name: expected a name without spaces, found nothing (an empty text)"],
    ["port: 0", 'port: expected a port from 1 to 65535, or -1 for a random one, found "0"'],
    ["pool_size: -2", 'pool_size: expected a whole number from -1 to 256, found "-2"'],
    ["pool_size: 257", 'pool_size: expected a whole number from -1 to 256, found "257"'],
    [
      "connect_retries: -1",
      'connect_retries: expected a whole number from 0 to 2147483647, found "-1"',
    ],
    [
      "ping_interval: 0",
      'ping_interval: expected a duration such as "2s" or "1m30s", from 1ms to 596h, found "0"',
    ],
    ["ping_max: 0", 'ping_max: expected a whole number from 1 to 2147483647, found "0"'],
    ["advertise: ':1'", 'advertise: expected "host:port" or a host name, found ":1"'],
    ["no_advertise: 1", 'no_advertise: expected true or false (also yes, no, on, off), found "1"'],
    [
      "accounts: [$G, $SYS, $G]",
      'accounts[2]: expected every account once, found "$G", which accounts[0] is already',
    ],
    [
      "accounts: [A]",
      'accounts[0]: expected the name of an account, found "A" (there are $G, $SYS)',
    ],
    [
      "pool_size: -1, accounts: [$G]",
      "pool_size: expected a pool_size of 1 or more where accounts have connections of their " +
      "own, found -1",
    ],
    ["tls: {}", "tls: not supported by this version of denats"],
    ["write_timeout: close", "write_timeout: not supported by this version of denats"],
    ["rotues: []", "rotues: unknown key (did you mean routes?)"],
    [
      "no_advertise: true, cluster_advertise: a, advertise: b",
      "cluster_advertise: another name of advertise, which is given too",
    ],
  ];
  for (const [text, words] of cases) {
    assertEquals(await refusal(`cluster: {${text}}`), [`cluster.${words}`]);
  }
  assertEquals((await clusterOf("pool_size: 0")).pool_size, 3);
  assertEquals((await clusterOf("pool_size: -1")).pool_size, -1);
  assertEquals((await clusterOf("no_advertise: true, advertise: a")).advertise, "a");
});

Deno.test("clients and servers do not share a port", async () => {
  const expected = (found: number) =>
    "expected a port for the cluster that differs from the port for clients, " +
    `found ${found} for both`;
  const cases: [string, string][] = [
    ["cluster: {port: 4222}", `cluster.port: ${expected(4222)}`],
    ["cluster: {listen: 4222}", `cluster.listen: ${expected(4222)}`],
    ["port: 6222\ncluster: {}", `port: ${expected(6222)}`],
    ["listen: 127.0.0.1:1\ncluster: {port: 1}", `cluster.port: ${expected(1)}`],
    ["host: '::'\ncluster: {listen: '10.0.0.1:4222'}", `cluster.listen: ${expected(4222)}`],
    ["host: a\ncluster: {host: a, port: 4222}", `cluster.port: ${expected(4222)}`],
  ];
  for (const [text, words] of cases) assertEquals(await refusal(text), [words]);
  await load("host: 127.0.0.1\ncluster: {listen: '127.0.0.2:4222'}");
  await load("port: -1\ncluster: {port: -1}");
  // What is wrong already is told once.
  assertEquals((await refusal("port: x\ncluster: {port: 4222}")).length, 1);
});

Deno.test("flags make a cluster and override the file's", async () => {
  const { cluster } = await load(
    "",
    ..."--cluster nats://u:p%40ss@127.0.0.1:-1 -routes nats://a:sesame@one:1,two".split(" "),
    ..."--cluster_name east --no_advertise --connect_retries 3 --cluster_advertise c:1".split(" "),
  );
  assertEquals(cluster, {
    ...defaults,
    name: "east",
    host: "127.0.0.1",
    port: -1,
    advertise: "c:1",
    no_advertise: true,
    routes: [
      { host: "one", port: 1, user: "a", password: "sesame" },
      { host: "two", port: 6222 },
    ],
    connect_retries: 3,
    authorization: { user: "u", password: "p@ss", timeout: 2000 },
  });
  const file = "listen: 'a:1', routes: [one], no_advertise: true, name: west, " +
    "authorization: {user: u, password: p, timeout: 5s}";
  const over = await clusterOf(file, "-cluster_listen", "nats://b:2", "--no_advertise=false");
  assertEquals([over.host, over.port, over.name, over.no_advertise], ["b", 2, "west", false]);
  // As in nats-server, the flag's URL says that there are no credentials.
  assertEquals(over.authorization, { timeout: 5000 });
  const routes = (await clusterOf(file, "--routes", "two:2")).routes;
  assertEquals(routes, [{ host: "two", port: 2 }]);
  for (const url of [":7", "7", "nats://:7"]) {
    const bare = await clusterOf(file, "--cluster", url);
    assertEquals([bare.host, bare.port], ["0.0.0.0", 7]);
  }
});

Deno.test("without a cluster, flags for one have no effect, and routes are refused", async () => {
  const flags = "--cluster_name east --no_advertise --connect_retries 3 --cluster_advertise c:1";
  assertEquals((await load("", ...flags.split(" "))).cluster, undefined);
  const { problems, message } = await assertRejects(
    () => load("cluster:\n", "--routes", "nats://u:sesame@one"),
    ConfigError,
  );
  assertEquals(
    message,
    "--routes: cluster: expected a cluster for the routes, found none " +
      "(give --cluster too, or cluster in the file)",
  );
  assertEquals(problems.length, 1);
});

Deno.test("what is wrong with a flag of the cluster is said without the password", () => {
  const route = `expected a route such as "nats-route://host:6222", found a text (not shown)`;
  const url = `flag --cluster: expected a URL such as "nats://host:6222", found a text (not shown)`;
  const port = "(a port is a number from 1 to 65535)";
  const cases: [string[], string][] = [
    [["--routes", "one,nats://u:sesame@two:0"], `flag --routes: ${route} ${port}`],
    [["--routes", "one,,two"], `flag --routes: ${route}`],
    [["--cluster", "nats://u:sesame@one"], `${url} (it has no port)`],
    [["--cluster", "nats://sesame@one:1"], `${url} (the user has no password)`],
    [["--cluster", "nats://u:sesame@one:0"], `${url} ${port}`],
    [
      ["--cluster_listen", "tls://u:sesame@one:1"],
      `${url} (tls:// is not supported by this version of denats)`,
    ],
    [["--cluster_name", "a b"], 'flag --cluster_name: expected a name without spaces, found "a b"'],
    [["--cluster="], "flag --cluster needs a value: <url>"],
  ];
  for (const [args, expected] of cases) {
    assertEquals(assertThrows(() => parseFlags(args), FlagError).message, expected);
  }
});

Deno.test("a problem that a flag makes is told of the flag", async () => {
  const { message } = await assertRejects(
    () => load("", "--cluster", "nats://u:sesame@0.0.0.0:4222"),
    ConfigError,
  );
  assertEquals(
    message,
    "--cluster: cluster.port: expected a port for the cluster that differs from the port for " +
      "clients, found 4222 for both",
  );
});

Deno.test("a printed cluster is read back as itself but for its passwords", async () => {
  const text = `
accounts: { A: {} }
cluster:
  name: "5e7"
  host: "::1"
  routes: [nats://a%40b:sesame@one:1, "nats://[fe80::1%25eth0]", nats://u@two]
  accounts: [A, $SYS]
  compression: { mode: auto, rtt_thresholds: [0, 1500us] }
  authorization: { user: u, password: sesame }
  permissions: { import: "a.>", export: { deny: [b] } }
`;
  const config = await load(text);
  const printed = printConfig(config);
  assert(!printed.includes("sesame"), printed);
  const masked = await load(
    text.replaceAll("sesame", "***").replace("password: ***", "password: '***'"),
  );
  assertEquals(await load(printed), masked);
  assertEquals(printConfig(await load(printed)), printed);
});

Deno.test("a cluster cannot be changed", async () => {
  const frozen = (value: unknown): boolean =>
    typeof value !== "object" || value === null ||
    (Object.isFrozen(value) && Object.values(value).every(frozen));
  const cluster = await clusterOf(
    "routes: [one], permissions: {import: a}, compression: {mode: auto, rtt_thresholds: [1s, 0]}",
  );
  assert(frozen(cluster) && frozen(await clusterOf("")));
});

Deno.test("the JSON Schema has the short forms of blocks", () => {
  const properties = jsonSchema().properties as Record<string, Record<string, unknown>>;
  const cluster = properties.cluster?.properties as Record<string, Record<string, unknown>>;
  const { anyOf } = cluster.compression as { anyOf: Record<string, unknown>[] };
  assertEquals(anyOf.map(({ type }) => type), [undefined, "object"]);
  assert(JSON.stringify(anyOf[0]).includes("s2_better"));
  assertEquals(typeof cluster.compression?.description, "string");
  const permissions = cluster.permissions?.properties as Record<string, unknown>;
  const { anyOf: forms } = permissions.import as { anyOf: Record<string, unknown>[] };
  assert(JSON.stringify(forms[0]).includes(`"array"`), JSON.stringify(forms));
});
