/**
 * The cluster as its broker has it: a listener, a dialler, and regular jobs.
 *
 * @module
 */
import type { AccountDirectory } from "../account/mod.ts";
import type { OutboxSettings, TimerWheel, TouchedOutboxes } from "../connection/mod.ts";
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
import type { RouteEnvironment, RouteStatistics } from "./environment.ts";
import { acceptRoutes } from "./listener.ts";
import { Mesh, type MeshOptions } from "./mesh.ts";
import type { RouteCredentials, RouteSettings, RouteUrl } from "./settings.ts";
import { interestOf, type InterestStatus, type PeerStatus, peerStatus } from "./snapshot.ts";

/** How often queue groups' sizes and news for clients are passed on. */
const NEWS_PERIOD_MS = 100;
/** How often numbers of members that have changed are passed on. */
const WEIGHTS_PERIOD_MS = 50;

/** What a cluster takes from its broker. */
export interface ClusterOptions {
  /** The configured name, if any. */
  readonly name: string | undefined;
  /** Limits and intervals. */
  readonly settings: RouteSettings;
  /** The configured routes. */
  readonly routes: readonly RouteUrl[];
  /** What to show to servers that are not configured but want credentials. */
  readonly credentials: RouteCredentials | null;
  /** See {@link RouteEnvironment}. */
  readonly authenticate: ((user: string, password: string) => Promise<boolean>) | null;
  /** The accounts by name. */
  readonly accounts: AccountDirectory;
  /** What this server says of itself; without the cluster's name. */
  readonly info: Omit<RouteInfo, "cluster">;
  /** Where its own clients connect to; null where that is not to be told. */
  readonly connectUrls: readonly string[] | null;
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
    this.#options = options;
    this.address = options.listener.address;
    const clusterName = this.#clusterName = new ClusterName(options.name, random);
    const announcers = new Map<string, Announcer>();
    const routes = this.#routes = root.child("routes");
    const base: Omit<RouteEnvironment, "mesh"> = {
      settings,
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
      info: () => ({
        ...options.info,
        cluster: clusterName.name,
        ...(clusterName.dynamic && { cluster_dynamic: true }),
        ...(options.connectUrls !== null && { connect_urls: options.connectUrls }),
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
    const environment: RouteEnvironment = Object.assign(base, { mesh });
    const { transport, credentials, nextId, listener } = options;
    const dialler = this.#dialler = new Dialler(environment, {
      transport,
      credentials,
      nextId,
      scope: routes,
      routes: options.routes,
    });
    mesh.dialler = dialler;
    accounts.onCreated((account) => {
      const announcer = new Announcer(account, settings.importFilter);
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

  /** Logs what there is to know of it at the start. */
  announce(): void {
    const { log, connectUrls, info } = this.#options;
    log.info(`Cluster name is ${this.name}`);
    if (this.#clusterName.dynamic) {
      log.warn("Cluster name was dynamically generated, consider setting one");
    }
    log.info(`Listening for route connections on ${formatAddress(this.address)}`);
    if (this.#options.authenticate === null && !isLoopback(this.address.hostname)) {
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
    const own = this.#options.connectUrls;
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
