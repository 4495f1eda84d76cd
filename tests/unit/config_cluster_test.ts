/** The block `cluster`: what it means, what is refused, and that no password is told. */
import { assert, assertEquals } from "@std/assert";
import {
  type ClusterConfig,
  jsonSchema,
  normaliseConfig,
  printConfig,
} from "../../src/config/mod.ts";
import { clusterDefaults, clusterOf, load, refusal } from "../support/cluster_settings.ts";

Deno.test("without the block, or with every line of it commented out, there is no cluster", async () => {
  for (const text of ["", "cluster:\n", "cluster:\n#  port: 1\n"]) {
    assertEquals((await load(text)).cluster, undefined);
  }
  assertEquals(normaliseConfig().cluster, undefined);
});

Deno.test("an empty block is a cluster with every default", async () => {
  assertEquals(await clusterOf(""), clusterDefaults);
  assertEquals(normaliseConfig({ cluster: {} }).cluster, clusterDefaults);
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
