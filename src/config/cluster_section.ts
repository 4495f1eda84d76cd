/**
 * The cluster: where other servers connect, and which ones this server connects to.
 *
 * @module
 */
import { passwordHasUser } from "./authorization_section.ts";
import { compressionField, resolveCompression } from "./compression.ts";
import {
  alwaysPresent,
  block,
  inputOnly,
  list,
  listOrOne,
  optional,
  type Rule,
  scalar,
  type ValuesOf,
  withDefault,
  withLateDefault,
} from "./fields.ts";
import { duration, integer, port } from "./number_kinds.ts";
import { resolveSubjects, subjectsBlock } from "./permissions_section.ts";
import { defaultClusterListen, type RouteUrl, routeUrl } from "./route_url.ts";
import { listenAgrees } from "./server_section.ts";
import { authenticationTimeout, clusterTls, resolveTls } from "./tls_section.ts";
import {
  advertisedAddress,
  boolean,
  host,
  listenAddress,
  password,
  subject,
  text,
  userName,
} from "./text_kinds.ts";

/** What nats-server keeps in a signed 32-bit number. */
const max31 = 2 ** 31 - 1;

/** How many connections a pool has when nothing is said. */
const defaultPoolSize = 3;

/** Routes are pinged at least this often: nats-server's own limit. */
const longestPingInterval_ms = 30_000;

const noResponses = "cluster permissions do not support dynamic responses";

const permissions = block({
  import: optional(
    subjectsBlock(subject()),
    undefined,
    "The subjects that the other servers are asked for.",
  ),
  export: optional(
    subjectsBlock(subject()),
    undefined,
    "The subjects that the other servers may ask for.",
  ),
}, {
  typeName: "ClusterPermissions",
  doc: "Which subjects cross between this server and the others.",
  aliases: { publish: "import", pub: "import", subscribe: "export", sub: "export" },
  refused: { publish_allow_responses: noResponses, allow_responses: noResponses },
});

const authorization = block({
  user: optional(scalar(userName()), "route", "Name that other servers must show."),
  password: optional(
    scalar(password()),
    "secret",
    "Password of that name. In the clear it is also shown to servers that are learnt of.",
  ),
  timeout: withLateDefault(
    scalar(duration({ min: 1 })),
    "2s",
    "How long another server may take to show who it is. With TLS the default is a second more " +
      "than tls.timeout.",
  ),
}, {
  typeName: "ClusterAuthorization",
  doc: "What other servers must show: nothing, unless a user is given.",
  aliases: { username: "user", pass: "password" },
  unsupported: ["default_permission", "default_permissions", "permissions", "proxy_required"],
  refused: {
    users: "cluster authorization does not allow multiple users",
    nkeys: "cluster authorization does not allow multiple users",
    token: "cluster authorization does not support tokens",
    auth_callout: "cluster authorization does not support callouts",
    auth_hook: "cluster authorization does not support callouts",
  },
  rules: [passwordHasUser],
});

/** The settings that {@link poolsAgree} compares. */
interface Pools {
  readonly pool_size: number;
  readonly accounts: readonly string[];
}

/** Without a pool there is one connection, for all accounts. */
const poolsAgree: Rule<Pools> = ({ pool_size: size, accounts = [] }, report) => {
  if (size !== -1 || accounts.length === 0) return;
  report([["pool_size"], ["accounts"]], {
    expected: "a pool_size of 1 or more where accounts have connections of their own",
    found: "-1",
  });
};

const accountsDiffer: Rule<Pools> = ({ accounts = [] }, report) => {
  const seen = new Map<string, number>();
  accounts.forEach((name, index) => {
    const first = seen.get(name);
    if (first === undefined) {
      seen.set(name, index);
      return;
    }
    report([["accounts", index]], {
      expected: "every account once",
      found: `${JSON.stringify(name)}, which accounts[${first}] is already`,
    });
  });
};

const clusterBlock = block({
  name: optional(
    scalar(text({ expected: "a name without spaces", pattern: /^\S+$/ })),
    "east",
    "Name of the cluster, the same on all its servers. Default: the servers agree on one.",
  ),
  host: withLateDefault(
    scalar(host()),
    defaultClusterListen.host,
    "Address to listen on for other servers.",
  ),
  port: withLateDefault(
    scalar(port()),
    defaultClusterListen.port,
    "Port to listen on for other servers; -1 lets the system choose a free one.",
  ),
  listen: inputOnly(
    scalar(listenAddress()),
    "0.0.0.0:6222",
    "host and port in one: host:port, or only a port.",
  ),
  advertise: optional(
    scalar(advertisedAddress()),
    "route.example.com:6222",
    "Address that other servers are told to connect to, where it differs from host and port.",
  ),
  no_advertise: withDefault(
    scalar(boolean()),
    false,
    "Do not tell clients of the other servers the addresses of this one.",
  ),
  routes: withDefault(
    list(scalar(routeUrl())),
    [],
    "The servers to connect to, such as nats-route://user:password@host:6222; one is enough.",
  ),
  connect_retries: withDefault(
    scalar(integer({ min: 0, max: max31 })),
    0,
    "How often to try again to connect to a server that was learnt of from another.",
  ),
  connect_backoff: withDefault(
    scalar(boolean()),
    false,
    "Wait longer and longer, up to 30s, between tries to connect.",
  ),
  pool_size: withDefault(
    scalar(integer({ min: -1, max: 256 })),
    defaultPoolSize,
    "How many connections to have to each server, with accounts spread over them; 0 is the " +
      "default, -1 one connection, as servers before 2.10 have.",
  ),
  accounts: withDefault(
    listOrOne(scalar(text({ expected: "the name of an account" }))),
    [],
    "Accounts that have a connection of their own to each server.",
  ),
  compression: compressionField,
  authorization: alwaysPresent(authorization, {}),
  tls: optional(
    clusterTls,
    undefined,
    "TLS between the servers of the cluster; all of them have it, or none.",
  ),
  permissions: optional(
    permissions,
    { import: { allow: ["public.>"] }, export: { deny: ["private.>"] } },
    "Which subjects cross between this server and the others: import, what it asks them for, and " +
      "export, what they may ask it for.",
  ),
  ping_interval: withLateDefault(
    scalar(duration({ min: 1 })),
    "30s",
    "How often a quiet server is pinged; more than 30s is taken for 30s. " +
      "Where it is not given, the top-level one counts.",
  ),
  ping_max: withLateDefault(
    scalar(integer({ min: 1, max: max31 })),
    2,
    "How many pings may go unanswered before a connection is closed as stale. " +
      "Where it is not given, the top-level one counts.",
  ),
  write_deadline: withLateDefault(
    scalar(duration({ min: 1 })),
    "10s",
    "How long a write to another server may take before it is closed as a slow consumer. " +
      "Where it is not given, the top-level one counts.",
  ),
}, {
  typeName: "ClusterConfig",
  doc: "The cluster that this server is part of.",
  aliases: { net: "host", cluster_advertise: "advertise" },
  unsupported: ["write_timeout"],
  rules: [listenAgrees, poolsAgree, accountsDiffer],
});

/** The cluster; none when it is not given. */
export const clusterFields = {
  cluster: optional(
    clusterBlock,
    undefined,
    "The cluster that this server is part of. Without this block it stands alone; an empty " +
      "one ({}) has every default.",
  ),
};

/** The cluster as it was asked for, and what it inherits. */
interface Inherited {
  readonly cluster?: ValuesOf<typeof clusterFields>["cluster"];
  readonly ping_interval: number;
  readonly ping_max: number;
  readonly write_deadline: number;
}

type Resolved = ReturnType<typeof resolve>;

/** The setting `cluster` with nothing left to be looked up elsewhere. */
export function resolveCluster(values: Inherited): { readonly cluster?: Resolved | undefined } {
  return values.cluster === undefined ? {} : { cluster: resolve(values.cluster, values) };
}

function resolve(given: NonNullable<Inherited["cluster"]>, inherited: Inherited) {
  const { listen, host, port, permissions, tls, authorization, ...rest } = given;
  const urls = new Map(rest.routes.map((route) => [identityOf(route), route]));
  return Object.freeze({
    ...rest,
    host: host ?? listen?.host ?? defaultClusterListen.host,
    port: port ?? listen?.port ?? defaultClusterListen.port,
    routes: Object.freeze([...urls.values()]),
    pool_size: rest.pool_size === 0 ? defaultPoolSize : rest.pool_size,
    compression: resolveCompression(rest.compression),
    authorization: Object.freeze({
      ...authorization,
      timeout: authenticationTimeout(authorization.timeout, tls),
    }),
    ...resolveTls(tls),
    ping_interval: Math.min(
      rest.ping_interval ?? inherited.ping_interval,
      longestPingInterval_ms,
    ),
    ping_max: rest.ping_max ?? inherited.ping_max,
    write_deadline: rest.write_deadline ?? inherited.write_deadline,
    ...resolvePermissions(permissions),
  });
}

type Permissions = Pick<NonNullable<Inherited["cluster"]>, "permissions">;

function resolvePermissions(given: Permissions["permissions"]): Permissions {
  if (given === undefined) return {};
  const { import: imported, export: exported } = given;
  return {
    permissions: Object.freeze({
      ...(imported === undefined ? {} : { import: resolveSubjects(imported) ?? nothing }),
      ...(exported === undefined ? {} : { export: resolveSubjects(exported) ?? nothing }),
    }),
  };
}

const nothing = Object.freeze({});

function identityOf({ host, port, user, password }: RouteUrl): string {
  return JSON.stringify([host.toLowerCase(), port, user, password]);
}
