/**
 * The cluster as its broker has it: a listener, a dialler, and regular jobs.
 *
 * @module
 */
import type { AccountDirectory } from "../account/mod.ts";
import type { OutboxSettings, TimerWheel, TouchedOutboxes, WriteWatch } from "../connection/mod.ts";
import type { Log } from "../log/mod.ts";
import {
  type Address,
  type Clock,
  formatAddress,
  isLoopback,
  isPrivate,
  type Listener,
  type Random,
  type Transport,
} from "../platform/mod.ts";
import type { RouteInfo } from "../protocol/mod.ts";
import { every, type Scope } from "../supervisor/mod.ts";
import { Announcer } from "./announcer.ts";
import { ClusterName } from "./cluster_name.ts";
import { Dialler, RECONCILE_PERIOD_MS } from "./dialler.ts";
import type { RouteAuthentication, RouteEnvironment, RouteStatistics } from "./environment.ts";
import { acceptRoutes } from "./listener.ts";
import { Mesh, type MeshOptions } from "./mesh.ts";
import type { RouteTls } from "./route_tls.ts";
import type { RouteCredentials, RouteSettings, RouteUrl } from "./settings.ts";
import { interestOf, type InterestStatus, type PeerStatus, peerStatus } from "./snapshot.ts";

/** How often queue groups' sizes and news for clients are passed on. */
const NEWS_PERIOD_MS = 100;
/** How often numbers of members that have changed are passed on. */
const WEIGHTS_PERIOD_MS = 50;

/** What of a cluster may be changed while it runs. */
export interface ClusterFacts {
  /** The configured name, if any. */
  readonly name: string | undefined;
  /** Limits and intervals. */
  readonly settings: RouteSettings;
  /** The configured routes. */
  readonly routes: readonly RouteUrl[];
  /** What to show to servers that are not configured but want credentials. */
  readonly credentials: RouteCredentials | null;
  /** See {@link RouteEnvironment}. */
  readonly authenticate: RouteAuthentication | null;
  /** What this server says of itself; without the cluster's name. */
  readonly info: Omit<RouteInfo, "cluster">;
  /** Where its own clients connect to; null where that is not to be told. */
  readonly connectUrls: readonly string[] | null;
}

/** What a cluster takes from its broker. */
export interface ClusterOptions extends ClusterFacts {
  /** See {@link RouteEnvironment.refused}. */
  readonly refused: RouteEnvironment["refused"];
  /** TLS as it is now; null without. */
  readonly tls: () => RouteTls | null;
  /** The accounts by name. */
  readonly accounts: AccountDirectory;
  /** Open. */
  readonly listener: Listener;
  /** Dials. */
  readonly transport: Transport;
  /** Where tasks are spawned. */
  readonly root: Scope;
  /** Time. */
  readonly clock: Clock;
  /** Chance. */
  readonly random: Random;
  /** Where routes are logged. */
  readonly log: Log;
  /** Deadlines. */
  readonly wheel: TimerWheel;
  /** Outboxes to flush. */
  readonly touched: TouchedOutboxes;
  /** For the outboxes of routes. */
  readonly outboxSettings: OutboxSettings;
  /** The id of the next connection. */
  readonly nextId: () => number;
  /** See {@link MeshOptions.peerChanged}. */
  readonly peerChanged: MeshOptions["peerChanged"];
  /** Clients are to be told where they may connect to, and the cluster's name. */
  readonly changed: (urls: readonly string[] | null, name: string) => Promise<void>;
}

/** One server's part in a cluster. */
export class Cluster {
  /** Where other servers connect to. */
  readonly address: Address;
  /** Sums over all routes. */
  readonly statistics: RouteStatistics = {
    inMessages: 0,
    inBytes: 0,
    outMessages: 0,
    outBytes: 0,
    totalRoutes: 0,
    staleRoutes: 0,
    slowRoutes: 0,
    dials: 0,
  };
  readonly #options: ClusterOptions;
  #facts: ClusterFacts;
  readonly #environment: RouteEnvironment;
  readonly #announcers: ReadonlyMap<string, Announcer>;
  readonly #mesh: Mesh;
  readonly #dialler: Dialler;
  readonly #clusterName: ClusterName;
  readonly #accepting: Scope;
  readonly #routes: Scope;
  #hasNews = false;
  /** Whether there has ever been another server to connect to: before, nats-server tells nothing. */
  #othersKnown = false;
  #saidLameDuck = false;

  /** Listens and dials from now on. */
  constructor(options: ClusterOptions) {
    const { root, settings, accounts, clock, random, log, touched, wheel } = options;
    this.#options = this.#facts = options;
    this.address = options.listener.address;
    const clusterName = this.#clusterName = new ClusterName(options.name, random);
    const announcers = this.#announcers = new Map<string, Announcer>();
    const routes = this.#routes = root.child("routes");
    const base: Omit<RouteEnvironment, "mesh"> = {
      // Changed in its place.
      settings: { ...settings },
      clock,
      random,
      log,
      wheel,
      touched,
      accounts,
      clusterName,
      outboxSettings: options.outboxSettings,
      statistics: this.statistics,
      authenticate: options.authenticate,
      tls: options.tls,
      refused: options.refused,
      info: () => ({
        ...this.#facts.info,
        cluster: clusterName.name,
        ...(clusterName.dynamic && { cluster_dynamic: true }),
        ...(this.#facts.connectUrls !== null && { connect_urls: this.#facts.connectUrls }),
      }),
      get ending() {
        return routes.state !== "running";
      },
    };
    const mesh = this.#mesh = new Mesh(base, {
      announcers,
      urlsChanged: () => this.#hasNews = true,
      peerChanged: options.peerChanged,
    });
    const environment: RouteEnvironment = this.#environment = Object.assign(base, { mesh });
    const { transport, nextId, listener } = options;
    const dialler = this.#dialler = new Dialler(environment, {
      transport,
      credentials: () => this.#facts.credentials,
      nextId,
      scope: routes,
      routes: options.routes,
    });
    mesh.dialler = dialler;
    accounts.onCreated((account) => {
      const announcer = new Announcer(account, environment.settings.importFilter);
      announcers.set(account.name, announcer);
      account.observe(announcer);
      mesh.accountCreated(account.name, announcer);
    });
    this.#accepting = root.spawn(
      "accept:routes",
      (scope) => acceptRoutes(environment, { listener, routes, signal: scope.signal, nextId }),
      { onPanic: "escalate" },
    );
    every(root, "reconcile", RECONCILE_PERIOD_MS, () => dialler.reconcile());
    every(root, "interest weights", WEIGHTS_PERIOD_MS, () => {
      for (const announcer of announcers.values()) announcer.tellWeights();
      touched.flushAll();
    });
    every(root, "cluster news", NEWS_PERIOD_MS, () => this.#tellNews());
    root.onCancel(() => dialler.end());
    dialler.wake();
  }

  // --- Changes of the configuration ---------------------------------------------------------------

  /** What holds now. */
  get facts(): ClusterFacts {
    return this.#facts;
  }

  /** Goes by other facts from now on; what there is of connections stays until {@link Cluster.changed}. */
  use(facts: ClusterFacts): void {
    this.#facts = facts;
    const environment: { -readonly [K in keyof RouteEnvironment]: RouteEnvironment[K] } =
      this.#environment;
    environment.authenticate = facts.authenticate;
    // Held by many.
    Object.assign(this.#environment.settings, facts.settings);
    for (const announcer of this.#announcers.values()) {
      announcer.filter = facts.settings.importFilter;
    }
  }

  /**
   * Carries out what follows from other facts than `before`: closes the routes that are to be made anew,
   * dials what is new, and tells the other servers.
   */
  changed(before: ClusterFacts): void {
    const facts = this.#facts, { log } = this.#options, mesh = this.#mesh;
    const key = ({ host, port, user, password }: RouteUrl) =>
      JSON.stringify([host, port, user, password]);
    const old = new Set(before.routes.map(key)), now = new Set(facts.routes.map(key));
    const removed = before.routes.filter((url) => !now.has(key(url)));
    const added = facts.routes.filter((url) => !old.has(key(url)));
    if (removed.length > 0 || added.length > 0) {
      const lost = this.#dialler.configure(added, removed);
      for (const { host, port } of removed) {
        log.info(`Removed route ${formatAddress({ hostname: host, port })}`);
      }
      mesh.leave(lost);
    }
    if (facts.name !== before.name) {
      this.#clusterName.configure(facts.name);
      mesh.renamed("");
    }
    if (isRenewed(before.settings, facts.settings)) {
      mesh.pinned.clear();
      for (const name of facts.settings.pinned) mesh.pinned.add(name);
      mesh.renew(() => true);
    } else if (differ(before.credentials, facts.credentials)) {
      // Those that this side has dialled show credentials of their own.
      mesh.renew(({ solicited }) => solicited === null);
    }
    if (differ(before.info, facts.info) || differ(before.connectUrls, facts.connectUrls)) {
      mesh.sayInfo();
      this.#hasNews = true;
    }
  }

  /** What watches the outboxes of routes. */
  get watch(): WriteWatch {
    return this.#options.outboxSettings.watch;
  }

  /** Begins or ends to trace routes, as the log is now. */
  retrace(): void {
    for (const session of this.#mesh.sessions) session.retrace();
  }

  /** Logs what there is to know of it at the start. */
  announce(): void {
    const { log } = this.#options, { connectUrls, info } = this.#facts;
    log.info(`Cluster name is ${this.name}`);
    if (this.#clusterName.dynamic) {
      log.warn("Cluster name was dynamically generated, consider setting one");
    }
    log.info(`Listening for route connections on ${formatAddress(this.address)}`);
    const tls = this.#options.tls();
    if (tls !== null) log.info("TLS required for route connections");
    if (tls?.insecure) {
      log.warn(
        "TLS of routes is insecure: any server is believed to be the one that is dialled, and can " +
          "read and change all that crosses",
      );
    }
    if (this.#facts.authenticate === null && tls === null && !isLoopback(this.address.hostname)) {
      log.warn("No authorization is configured for routes: anybody who reaches the port may join");
    }
    const inside = (connectUrls ?? []).filter((url) =>
      isPrivate(url.replace(/:\d+$/, "").replace(/^\[|\]$/g, ""))
    );
    if (inside.length > 0) {
      log.warn(
        `Clients are told of addresses of a private or container network: ${inside.join(", ")}; ` +
          "set client_advertise or cluster no_advertise if they cannot reach those",
      );
    }
    if (info.ip !== undefined) log.info(`Advertised to other servers as ${info.ip}`);
  }

  async #tellNews(): Promise<void> {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    await this.#options.changed(this.connectUrls(), this.name);
  }

  /** The cluster's name. */
  get name(): string {
    return this.#clusterName.name;
  }

  /**
   * Where clients may connect to: to this server first, unless it is about to go; null where they are
   * not to be told.
   */
  connectUrls(): readonly string[] | null {
    const own = this.#facts.connectUrls;
    if (own === null) return null;
    const others = this.#mesh.connectUrls();
    if (others.length > 0) this.#othersKnown = true;
    if (!this.#othersKnown) return null;
    return [...new Set([...this.#saidLameDuck ? [] : own, ...others])];
  }

  /** The other servers and the connections to them. */
  routes(): PeerStatus[] {
    return [...this.#mesh.peers.values()].map((peer) => peerStatus(peer, this.#mesh.pinned));
  }

  /** What another server is interested in; empty when it is not known. */
  interestOf(peerId: string): InterestStatus[] {
    const peer = this.#mesh.peers.get(peerId);
    return peer === undefined ? [] : [...interestOf(peer)];
  }

  /** How many connections to other servers there are. */
  get routeCount(): number {
    let count = 0;
    for (const session of this.#mesh.sessions) if (session.peer !== null) count++;
    return count;
  }

  /** Reads from other servers that were held back for somebody who is behind. */
  get stalledReads(): number {
    return this.#options.outboxSettings.watch.waits;
  }

  /** Messages and bytes that were received from other servers and sent to them. */
  totals(): Pick<RouteStatistics, "inMessages" | "inBytes" | "outMessages" | "outBytes"> {
    let { inMessages, inBytes, outMessages, outBytes } = this.statistics;
    for (const session of this.#mesh.sessions) {
      for (const remote of session.remotes.values()) {
        outMessages += remote.outMessages;
        outBytes += remote.outBytes;
      }
    }
    return { inMessages, inBytes, outMessages, outBytes };
  }

  /** Lets go of what sessions remember of accounts that has changed. To be called now and then. */
  cleanUp(): void {
    for (const session of this.#mesh.sessions) {
      for (const remote of session.remotes.values()) {
        const match = remote.lastMatch;
        if (match === null) continue;
        const account = this.#options.accounts.get(remote.account);
        if (!account?.interest.isFresh(match)) remote.lastMatch = null;
      }
    }
  }

  /** Tells the other servers that this one is about to go. */
  sayLameDuck(): void {
    if (this.#saidLameDuck) return;
    this.#saidLameDuck = true;
    this.#mesh.sayLameDuck();
  }

  /** Accepts and dials nothing more. */
  async stop(): Promise<void> {
    this.#dialler.end();
    await this.#accepting.close();
  }

  /** Says good-bye, sends what is queued, and closes all routes. */
  async close(): Promise<void> {
    await this.stop();
    // So that nobody goes on dialling a server that has ended in order.
    this.sayLameDuck();
    await this.#routes.close();
  }
}

function differ(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) !== JSON.stringify(b);
}

/** Whether routes that were made by some settings are none by others. */
function isRenewed(before: RouteSettings, after: RouteSettings): boolean {
  return before.poolSize !== after.poolSize ||
    differ([...before.pinned].sort(), [...after.pinned].sort()) ||
    differ(before.compression, after.compression) ||
    differ(before.importFilter, after.importFilter) ||
    differ(before.exportFilter, after.exportFilter);
}
