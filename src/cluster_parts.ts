/**
 * What a broker makes of the cluster's part of its configuration.
 *
 * @module
 */
import {
  Authenticator,
  GuessLimiter,
  type PasswordVerifier,
  type PeerFacts,
  Refusal,
} from "./auth/mod.ts";
import {
  Cluster,
  type ClusterFacts,
  type ClusterOptions,
  isKnownServer,
  namesUser,
  type RouteAuthentication,
  type RouteCredentials,
  type RouteSettings,
} from "./cluster/mod.ts";
import { routeOutboxSettings, type SlabPool, type WriteWatch } from "./connection/mod.ts";
import {
  type ClusterConfig,
  type Config,
  splitHostAndPort,
  systemAccountName,
} from "./config/mod.ts";
import {
  type Address,
  formatAddress,
  hostsOf,
  isLoopback,
  networkAddresses,
  runtimeVersion,
} from "./platform/mod.ts";
import { DENATS_VERSION, NATS_VERSION, type RouteInfo } from "./protocol/mod.ts";

/** Arguments of a route's control line may be so many times as long as a client's. */
const CONTROL_LINE_FACTOR = 16;
/** nats-server allows clients no more, and so no message between servers is larger. */
const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;
/** What a peer may announce over one connection: an endless list would take all memory. */
const MAX_INTERESTS = 8_000_000, MAX_INTEREST_BYTES = 1024 * 1024 * 1024;
/** How much one chunk of a route's may give rise to before that is sent out. */
const CHUNK_WORK_BYTES = 8 * 1024 * 1024;
/** Addresses that mean something only on one link. */
const LINK_LOCAL = /^(?:fe80:|169\.254\.)/i;

/** Only the password of a route counts. */
const PEER: PeerFacts = {
  id: 0,
  hostname: "",
  nonce: null,
  connectionType: "STANDARD",
  certificate: null,
  tls: null,
};

/** What a cluster takes from its broker, besides the configuration. */
export interface ClusterSurroundings extends
  Pick<
    ClusterOptions,
    | "listener"
    | "transport"
    | "accounts"
    | "root"
    | "clock"
    | "random"
    | "log"
    | "wheel"
    | "touched"
    | "nextId"
    | "changed"
    | "peerChanged"
    | "tls"
    | "refused"
  > {
  /** Who this server is. */
  readonly identity: { readonly id: string; readonly name: string };
  /** Where its clients connect to. */
  readonly address: Address;
  /** Checks passwords. */
  readonly verifier: PasswordVerifier;
  /** Buffers of outboxes. */
  readonly pool: SlabPool;
}

/** A broker's part in its cluster, and what watches the outboxes of its routes. */
export interface ClusterParts {
  /** Listens and dials. */
  readonly cluster: Cluster;
  /** To be looked at with the other deadlines. */
  readonly watch: WriteWatch;
}

/** Builds the cluster that the configuration describes; null when it describes none. */
export function createCluster(
  config: Config,
  { identity, address, verifier, pool, ...surroundings }: ClusterSurroundings,
): ClusterParts | null {
  const settings = config.cluster;
  if (settings === undefined) return null;
  const outboxSettings = routeOutboxSettings({ ...config, ...settings }, pool);
  const routeAddress = surroundings.listener.address;
  const cluster = new Cluster({
    ...surroundings,
    outboxSettings,
    ...clusterFacts(config, settings, {
      identity,
      address,
      verifier,
      clock: surroundings.clock,
      random: surroundings.random,
      routeAddress,
    }),
  });
  return { cluster, watch: outboxSettings.watch };
}

/** What a broker knows of itself, which its cluster is told. */
export interface ClusterOwner
  extends Pick<ClusterSurroundings, "identity" | "address" | "verifier" | "clock" | "random"> {
  /** Where other servers connect to. */
  readonly routeAddress: Address;
}

/** What a configuration says of the cluster, as far as it may be changed. */
export function clusterFacts(
  config: Config,
  settings: ClusterConfig,
  { identity, address, verifier, clock, random, routeAddress }: ClusterOwner,
): ClusterFacts {
  return {
    name: settings.name,
    settings: routeSettings(config, settings),
    routes: settings.routes,
    credentials: credentialsOf(settings.authorization),
    authenticate: routeAuthentication(settings, verifier, new GuessLimiter({ clock, random })),
    info: routeInfo(config, settings, identity, routeAddress),
    connectUrls: clientUrls(config, settings, address),
  };
}

/** The settings of routes. */
export function routeSettings(config: Config, cluster: ClusterConfig): RouteSettings {
  const poolSize = Math.max(0, cluster.pool_size);
  return {
    poolSize,
    // nats-server does the same for its system account.
    pinned: new Set(poolSize > 0 ? [systemAccountName(config), ...cluster.accounts] : []),
    systemAccount: systemAccountName(config),
    compression: cluster.compression,
    authTimeoutMs: cluster.authorization.timeout,
    importFilter: cluster.permissions?.import ?? null,
    exportFilter: cluster.permissions?.export ?? null,
    pingIntervalMs: cluster.ping_interval,
    pingMax: cluster.ping_max,
    maxControlLine: CONTROL_LINE_FACTOR * config.max_control_line,
    maxPayload: Math.max(MAX_PAYLOAD_BYTES, config.max_payload),
    maxInterests: MAX_INTERESTS,
    maxInterestBytes: MAX_INTEREST_BYTES,
    chunkWork: CHUNK_WORK_BYTES,
    connectRetries: cluster.connect_retries,
    connectBackoff: cluster.connect_backoff,
  };
}

/** Checks what other servers show; null where they need not show anything. Never rejects. */
function routeAuthentication(
  cluster: ClusterConfig,
  verifier: PasswordVerifier,
  limiter: GuessLimiter,
): RouteAuthentication | null {
  const { authorization: { user, password }, tls, routes } = cluster;
  if (tls?.verify_cert_and_check_known_urls) {
    return (_user, _pass, shown) => Promise.resolve(shown !== null && isKnownServer(shown, routes));
  }
  // As in nats-server, nobody is mapped to a user who is not configured.
  if (tls?.verify_and_map) {
    return (_user, _pass, shown) =>
      Promise.resolve(shown !== null && user !== undefined && namesUser(shown, user));
  }
  if (user === undefined) return null;
  const authenticator = new Authenticator({ user, password }, verifier, { limiter });
  return async (user, pass, _shown, hostname) => {
    try {
      return !(await authenticator.authenticate({ user, pass }, { ...PEER, hostname }) instanceof
        Refusal);
    } catch {
      // A check that cannot be made lets nobody in, and the peer tries again.
      return false;
    }
  };
}

/** What a server says of itself to other servers. */
export function routeInfo(
  config: Config,
  cluster: ClusterConfig,
  identity: { readonly id: string; readonly name: string },
  address: Address,
): Omit<RouteInfo, "cluster"> {
  const advertised = cluster.advertise === undefined ? {} : splitHostAndPort(cluster.advertise);
  const host = advertised?.host ?? cluster.host, port = advertised?.port ?? address.port;
  const { permissions } = cluster;
  return {
    server_id: identity.id,
    server_name: identity.name,
    version: NATS_VERSION,
    // 3 would promise to trace messages.
    proto: 2,
    go: runtimeVersion(),
    host,
    port,
    headers: !config.no_header_support,
    ...(cluster.authorization.user !== undefined && { auth_required: true }),
    ...(cluster.tls !== undefined && { tls_required: true, tls_verify: true }),
    max_payload: config.max_payload,
    ...(cluster.advertise !== undefined && {
      ip: `nats-route://${formatAddress({ hostname: host, port })}/`,
    }),
    ...(permissions?.import !== undefined && { import: permissions.import }),
    ...(permissions?.export !== undefined && { export: permissions.export }),
    lnoc: true,
    lnocu: true,
    denats: DENATS_VERSION,
  };
}

/** Where clients connect to a server that listens on `address`; null where that is not to be told. */
function clientUrls(
  config: Config,
  cluster: ClusterConfig,
  address: Address,
): readonly string[] | null {
  if (cluster.no_advertise) return null;
  if (config.client_advertise !== undefined) {
    const { host = config.host, port = address.port } = splitHostAndPort(config.client_advertise) ??
      {};
    return [formatAddress({ hostname: host, port })];
  }
  const outer = () =>
    networkAddresses().filter((each) => !isLoopback(each) && !LINK_LOCAL.test(each));
  const hosts = hostsOf(address.hostname, outer);
  // A machine without a network still has clients of its own.
  const all = hosts.length > 0 ? hosts : ["127.0.0.1"];
  return all.map((hostname) => formatAddress({ hostname, port: address.port }));
}

/** What to show to servers that are not configured; null where nothing is. */
function credentialsOf(
  { user, password = "" }: ClusterConfig["authorization"],
): RouteCredentials | null {
  return user === undefined ? null : { user, password };
}
