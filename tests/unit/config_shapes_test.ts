/** What the schema makes of accounts and users: the shapes that claims of JWTs are brought into too. */
import { assertEquals } from "@std/assert";
import {
  type AccountConfig,
  type AccountDefinition,
  type AuthorizationConfig,
  type Config,
  loadConfig,
  type PermissionsConfig,
  type PermissionSettings,
} from "../../src/config/mod.ts";

/** Type checks alone: a schema that left the shapes would not compile. */
const definitionOf = (account: AccountConfig): AccountDefinition => account;
const settingsOf = (permissions: PermissionsConfig): PermissionSettings => permissions;

function load(text: string): Promise<Config> {
  const files = { readText: () => Promise.reject(new Error("nothing to read")) };
  return loadConfig({ text, file: "a.yaml", env: () => undefined, files });
}

const userKey = "UDLUX4VUTBVSQJ2QC5FGZMYFVPLLB4XPLWWP5NQFQAHOUJKT7J5QRXHY";
const accountKey = "AAI634ADHJVFQTTEQOAZE2Y7GXDBWHMJLGA7SWCPMCITDK22DFU77T2J";
const operatorKey = "OAE2IDW7365Y3BB4TIUTRZCU7LDQTF7O6AARKIJZ4EHMVZA7RAWOEY25";
const curveKey = "XAJNURAG7BF5VG6V7IPCANSPDJ5ONQQKUTW3XCMXL7VWLU5FSMGC347F";

Deno.test("permissions of all forms end in one shape", async () => {
  const cases: [string, PermissionsConfig][] = [
    ["{publish: a}", { publish: { allow: ["a"] } }],
    ["{pub: [a, b.*], sub: 'c.>'}", {
      publish: { allow: ["a", "b.*"] },
      subscribe: { allow: ["c.>"] },
    }],
    ["{import: {deny: a}, export: {allow: [a, b q], deny: ['c.>  q']}}", {
      publish: { deny: ["a"] },
      subscribe: { allow: ["a", "b q"], deny: ["c.> q"] },
    }],
    // To nats-server an empty list is no list.
    ["{publish: [], subscribe: {allow: [], deny: []}}", {}],
    ["{}", {}],
    ["{allow_responses: true}", { allow_responses: { max: 1, expires: 120_000 } }],
    ["{allow_responses: false}", {}],
    ["{publish_allow_responses: {max: 5}}", { allow_responses: { max: 5, expires: 120_000 } }],
    ["{allow_responses: {max_msgs: -3, ttl: -1s}}", { allow_responses: { max: -1, expires: -1 } }],
    ["{allow_responses: {max: 0, expires: 0s}}", { allow_responses: { max: 1, expires: 120_000 } }],
    ["{allow_responses: {expires: 1m30s}}", { allow_responses: { max: 1, expires: 90_000 } }],
  ];
  for (const [text, expected] of cases) {
    const config = await load(`authorization: {users: [{user: a, permissions: ${text}}]}`);
    const [user] = config.authorization.users ?? [];
    assertEquals(settingsOf(user?.permissions ?? {}), expected, text);
  }
});

Deno.test("users have a name or a key, and share what an anchor names", async () => {
  const { authorization } = await load(`
authorization:
  users:
    - { user: a, password: b, permission: &p { publish: x } }
    - { nkey: ${userKey}, permissions: *p, allowed_connection_types: [standard, LEAFNODE] }
    - { username: c, authorization: *p, clients: mqtt_ws }
  permissions: { deny: null, publish: { deny: y } }
`.replace("deny: null, ", ""));
  const permissions = { publish: { allow: ["x"] } };
  const expected: AuthorizationConfig = {
    timeout: 2000,
    users: [
      { user: "a", password: "b", permissions },
      { nkey: userKey, permissions, allowed_connection_types: ["STANDARD", "LEAFNODE"] },
      { user: "c", permissions, allowed_connection_types: ["MQTT_WS"] },
    ],
    default_permissions: { publish: { deny: ["y"] } },
  };
  assertEquals(authorization, expected);
});

Deno.test("accounts may be a list of names", async () => {
  const { accounts } = await load("accounts: [A, B]");
  assertEquals(accounts, { A: { users: [] }, B: { users: [] } });
});

Deno.test("an account has exports, imports, mappings and limits", async () => {
  const { accounts, mappings } = await load(`
accounts:
  A:
    nkey: ${accountKey}
    jetstream: disabled
    exports:
      - { stream: "s.>" }
      - { stream: "t.*", accounts: [B], account_token_position: 2 }
      - { service: q, response: single, threshold: 1.5s, latency: lat, allow_trace: false }
      - { service: "r.*", response_type: Chunk, accounts: [B] }
      - { service: t, latency: { sampling: 60%, subject: lat.r } }
      - { service: s, response_type: Singleton, latency: { sampling: Headers, subject: lat.s } }
    limits: { max_conn: 5, max_subs: -1, max_pay: 1KB, max_leafnodes: 0 }
  B:
    imports:
      - { stream: { account: A, subject: "s.>" }, prefix: from.a }
      - { service: { account: A, subject: "r.*" }, to: "my.$1", share: true }
    maps: { a: b, "c.*": { dest: "d.$1", weight: 40%, cluster: east }, e: [{ destination: f, weight: 0 }] }
    default_permissions: { subscribe: "a.>" }
mappings: { "x.*": "y.$1" }
`);
  const expected: Record<string, AccountDefinition> = {
    A: {
      exports: [
        { stream: "s.>" },
        { stream: "t.*", accounts: ["B"], account_token_position: 2 },
        {
          service: "q",
          response_type: "singleton",
          response_threshold: 1500,
          latency: { sampling: 100, subject: "lat" },
        },
        {
          service: "r.*",
          response_type: "chunked",
          accounts: ["B"],
        },
        { service: "t", latency: { sampling: 60, subject: "lat.r" } },
        {
          service: "s",
          response_type: "singleton",
          latency: { sampling: "headers", subject: "lat.s" },
        },
      ],
      limits: { max_connections: 5, max_subscriptions: -1, max_payload: 1024, max_leafnodes: 0 },
      jetstream: false,
    },
    B: {
      imports: [
        { stream: { account: "A", subject: "s.>" }, prefix: "from.a", share: false },
        { service: { account: "A", subject: "r.*" }, to: "my.$1", share: true },
      ],
      mappings: {
        a: [{ destination: "b", weight: 100 }],
        "c.*": [{ destination: "d.$1", weight: 40, cluster: "east" }],
        e: [{ destination: "f", weight: 0 }],
      },
      default_permissions: { subscribe: { allow: ["a.>"] } },
    },
  };
  const normalised: unknown = accounts;
  assertEquals(normalised, {
    A: { ...expected.A, jetstream: false, users: [], nkey: accountKey },
    B: { ...expected.B, users: [] },
  });
  assertEquals(Object.values(accounts ?? {}).map(definitionOf).length, 2);
  assertEquals(mappings, { "x.*": [{ destination: "y.$1", weight: 100 }] });
});

Deno.test("operators, resolvers and callouts keep what they are given", async () => {
  const cases: [string, Partial<Config>][] = [
    ["operator: a.jwt", { operator: ["a.jwt"] }],
    ["operators: [a.jwt, eyJ]", { operator: ["a.jwt", "eyJ"] }],
    ["resolver: MEMORY", { resolver: { type: "memory" } }],
    ["resolver: mem", { resolver: { type: "memory" } }],
    ["account_resolver: URL(http://a/b/)", { resolver: { type: "url", url: "http://a/b/" } }],
    ["resolver: 'url( \"https://a/b\" )'", { resolver: { type: "url", url: "https://a/b" } }],
    ["resolver: {type: full, dir: ./jwt, allow_delete: true, interval: 2m, limit: 5}", {
      resolver: { type: "full", dir: "./jwt", allow_delete: true, interval: 120_000, limit: 5 },
    }],
    ["resolver: {type: CACHE, dir: ./jwt, ttl: 1h, timeout: 1.9s}", {
      resolver: { type: "cache", dir: "./jwt", ttl: 3_600_000, timeout: 1900 },
    }],
    [`resolver_preload: {${accountKey}: eyJ}`, { resolver_preload: { [accountKey]: "eyJ" } }],
    [`resolver_pinned_accounts: ${accountKey}`, { resolver_pinned_accounts: [accountKey] }],
    [`trusted: [${operatorKey}]`, { trusted_keys: [operatorKey] }],
    ["operator: a.jwt\ndefault_sentinel: eyJ", { default_sentinel: "eyJ" }],
    ["no_sys_acc: true", { no_system_account: true }],
  ];
  for (const [text, expected] of cases) {
    const config = await load(text);
    for (const [key, value] of Object.entries(expected)) {
      assertEquals(Object.entries(config).find(([name]) => name === key)?.[1], value, text);
    }
  }
  const { authorization } = await load(
    `authorization: {users: [{user: a}], auth_callout: {issuer: ${accountKey}, auth_users: [a], ` +
      `key: ${curveKey}, allowed_accounts: [B]}}\naccounts: [B]`,
  );
  assertEquals(authorization.auth_callout, {
    issuer: accountKey,
    account: "$G",
    auth_users: ["a"],
    xkey: curveKey,
    allowed_accounts: ["B"],
  });
});
