/**
 * Compares the routes that there should be with those that there are, and dials the difference.
 *
 * @module
 */
import type { ShownCertificate } from "../connection/mod.ts";
import {
  type Connection,
  ConnectionError,
  formatAddress,
  type Transport,
} from "../platform/mod.ts";
import { GOSSIP, type RouteInfo } from "../protocol/mod.ts";
import { type Scope, ScopeClosedError } from "../supervisor/mod.ts";
import type { RouteEnvironment } from "./environment.ts";
import type { Peer } from "./peer.ts";
import { parseRouteUrl } from "./route_url.ts";
import { dialRouteTls } from "./route_tls.ts";
import { RouteSession } from "./session.ts";
import type { RouteCredentials, RouteUrl } from "./settings.ts";
import type { Solicitation } from "./solicitation.ts";
import type { Target } from "./target.ts";
import { Targets } from "./targets.ts";

/** How often {@link Dialler.reconcile} should be called, in milliseconds. */
export const RECONCILE_PERIOD_MS = 250;
/** How long dialling one address may take; nats-server's `DEFAULT_ROUTE_DIAL`. */
const DIAL_MS = 1000;
/** Most addresses of one host name that are tried in turn. */
const MAX_ADDRESSES = 16;
/** Until this side dials what the other side should have dialled, and up to so much more. */
const OTHERS_TURN_MS = 3000, OTHERS_TURN_JITTER_MS = 2000;
/** After a configured route is lost. */
const LOST_MS = 1000;
/** Until a connection to a known server is dialled again after that has failed. */
const RETRY_MS = 1000, RETRY_JITTER_MS = 100;
/**
 * A connection that does not last so long was none to the peer. How long to wait after the first of
 * those in a row; twice as long after each, up to {@link RETRY_MS}.
 */
const LASTING_MS = 5000, SHORT_LIVED_MS = 25;
/** Most addresses at which nobody was yet that are dialled at a time, and begun with in a period. */
const MAX_UNSURE = 64, UNSURE_PERIOD_MS = 250;
/** How long is remembered that somebody has told of a wrong address. */
const GIVEN_UP_MS = 60_000;
/** How often it is logged that the same address cannot be reached. */
const FAILURE_LOG_MS = 60_000;

/** Until a name is resolved again that is only this server's own. */
const OWN_MS = 5000;

/** All addresses of a host are this server's own. */
class OwnAddressError extends ConnectionError {}

/** What it needs besides the environment of sessions. */
export interface DiallerOptions {
  /** Dials. */
  readonly transport: Transport;
  /** Where sessions are tasks. */
  readonly scope: Scope;
  /** The configured routes. */
  readonly routes: readonly RouteUrl[];
  /** What to show to servers that are not configured but want credentials, as it is now. */
  readonly credentials: () => RouteCredentials | null;
  /** The id of the next connection. */
  readonly nextId: () => number;
}

/** Makes routes. */
export class Dialler {
  readonly #environment: RouteEnvironment;
  readonly #options: DiallerOptions;
  readonly #targets: Targets;
  /** Addresses, as host:port, at which this server has met itself. */
  readonly #own = new Set<string>();
  /** How many connections to unsure addresses were begun since when. */
  #unsure = 0;
  #unsureFromMs = -Infinity;
  #awake = false;
  #ended = false;

  /** Nothing is dialled before the first {@link reconcile}. */
  constructor(environment: RouteEnvironment, options: DiallerOptions) {
    this.#environment = environment;
    this.#options = options;
    this.#targets = new Targets(environment.settings, environment.random);
    for (const url of options.routes) this.#targets.configure(url);
  }

  /**
   * Other routes are configured: `removed` are not any more, `added` are.
   *
   * @returns the ids of the servers that were last at the removed ones, and are at none that stays.
   */
  configure(added: readonly RouteUrl[], removed: readonly RouteUrl[]): Set<string> {
    const lost = new Set<string>();
    for (const url of removed) {
      const id = this.#targets.unconfigure(url)?.peerId ?? null;
      if (id !== null) lost.add(id);
    }
    for (const url of added) this.#targets.configure(url);
    for (const [, { peerId, configured }] of this.#targets) {
      if (peerId !== null && configured) lost.delete(peerId);
    }
    for (const peer of this.#environment.mesh.peers.values()) {
      if (lost.has(peer.id)) peer.configured = false;
    }
    this.wake();
    return lost;
  }

  /** Nothing is dialled any more. */
  end(): void {
    this.#ended = true;
  }

  /** Something has changed: looks soon, once for however much changes now. */
  wake(): void {
    if (this.#awake || this.#ended) return;
    this.#awake = true;
    this.#environment.clock.setTimer(0, () => {
      this.#awake = false;
      this.reconcile();
    });
  }

  /** Dials what is missing and due. To be called now and then, too. */
  reconcile(): void {
    if (this.#ended) return;
    const { clock, mesh } = this.#environment, nowMs = clock.monotonic();
    const byAddress = new Map<string, Peer>();
    for (const peer of mesh.peers.values()) {
      byAddress.set(formatAddress({ hostname: peer.url.host, port: peer.url.port }), peer);
    }
    let connecting = 0;
    for (const [, target] of this.#targets) {
      if (target.connecting && target.isUnsure) connecting++;
    }
    if (nowMs - this.#unsureFromMs >= UNSURE_PERIOD_MS) {
      this.#unsureFromMs = nowMs;
      this.#unsure = 0;
    }
    for (const [key, target] of this.#targets) {
      const peer = (target.peerId === null ? undefined : mesh.peers.get(target.peerId)) ??
        byAddress.get(key);
      if (peer !== undefined) {
        target.connected(peer.id);
        if (target.configured) peer.configured = true;
        continue;
      }
      if (target.self || target.dialling || nowMs < target.nextMs) continue;
      if (target.givenUp) {
        if (nowMs - target.nextMs >= GIVEN_UP_MS) this.#targets.delete(target);
        continue;
      }
      if (target.isUnsure) {
        // Somebody may tell of thousands of addresses.
        if (connecting >= MAX_UNSURE || this.#unsure >= MAX_UNSURE) continue;
        connecting++;
        this.#unsure++;
      }
      this.#dialTarget(target);
    }
    for (const peer of mesh.peers.values()) this.#complete(peer, nowMs);
  }

  /** Dials what is missing of the connections to a server, one of the pool at a time. */
  #complete(peer: Peer, nowMs: number): void {
    const { mesh } = this.#environment;
    const missing = [...peer.missing(mesh.pinned)];
    if (missing.length === 0) {
      peer.incompleteSinceMs = null;
      return;
    }
    if (peer.incompleteSinceMs === null) peer.incompleteSinceMs = nowMs;
    if (nowMs < peer.nextDialMs || peer.url.port === 0) return;
    if (nowMs - peer.incompleteSinceMs < this.#othersTurnMs(peer)) return;
    // Only who was accepted once will be again.
    for (const session of peer.sessions()) if (!session.proven) return;
    for (const account of missing) {
      if (!peer.dialling.has(account)) this.#dialPeer(peer, account);
    }
  }

  /** INFO about a server that is not known, from `teller`, which is. */
  heard(info: RouteInfo, teller: Peer): void {
    const { mesh, info: own, clock } = this.#environment;
    if (info.server_id === own().server_id || info.server_id === "") return;
    if (mesh.peers.has(info.server_id)) return;
    const url = parseRouteUrl(info.ip ?? "");
    if (url === null) return;
    if (this.#targets.get(info.host, info.port)?.configured) return;
    const target = this.#targets.hear({
      ...url,
      ...this.#credentialsFor(info),
    }, teller.id);
    if (target === null || target.configured || target.dialling) return;
    target.gossipMode = info.gossip_mode ?? GOSSIP.default;
    target.heard(clock.monotonic());
    this.wake();
  }

  /** The last connection to a server is lost. */
  lost(peer: Peer): void {
    const nowMs = this.#environment.clock.monotonic();
    let isKnown = false;
    for (const [, target] of this.#targets) {
      if (target.peerId !== peer.id) continue;
      if (peer.leaving && !target.configured) {
        this.#targets.delete(target);
        continue;
      }
      isKnown = true;
      target.gossipMode = GOSSIP.override;
      target.lost(nowMs, target.configured ? LOST_MS : this.#othersTurnMs(peer));
    }
    if (isKnown || peer.leaving || peer.url.port === 0) return;
    const target = this.#targets.remember({
      ...peer.url,
      ...this.#credentialsFor(peer.info),
    });
    if (target === null) return;
    target.connected(peer.id);
    // Whoever came while it was out of reach is to hear of it, and it of them.
    target.gossipMode = GOSSIP.override;
    target.lost(nowMs, this.#othersTurnMs(peer));
  }

  /** What to show to a server that is not configured; null where it wants nothing or there is nothing. */
  #credentialsFor(info: RouteInfo): RouteCredentials | null {
    return info.auth_required ? this.#options.credentials() : null;
  }

  /** Whoever has dialled does so again; the other side leaves it to it for a while. */
  #othersTurnMs(peer: Peer): number {
    return peer.isOurs(this.#environment.info().server_id)
      ? 0
      : OTHERS_TURN_MS + peer.chance * OTHERS_TURN_JITTER_MS;
  }

  // --- Dialling ---------------------------------------------------------------------------------

  #dialTarget(target: Target): void {
    const { clock, settings, log } = this.#environment, { url } = target;
    const address = formatAddress({ hostname: url.host, port: url.port });
    target.begun(clock.monotonic());
    let isOver = false, dialled = url.host;
    const over = (hasFailed: boolean) => {
      if (isOver) return;
      isOver = true;
      target.dialling = target.connecting = false;
      if (!hasFailed) return;
      target.failed(clock.monotonic());
      // Nobody was ever there: somebody has told the wrong address.
      target.givenUp = target.isUnsure && target.failures > settings.connectRetries;
    };
    const complain = (why: string) =>
      log.limited(`dial ${target.configured ? address : "implicit"}`, FAILURE_LOG_MS)?.error(
        `Error trying to connect to route (attempt ${target.failures}): ${why}`,
      );
    this.#dial(url, {
      account: "",
      gossipMode: target.configured ? GOSSIP.default : target.gossipMode,
      configured: target.configured,
      user: url.user,
      password: url.password,
      registered: (info) => {
        target.connected(info.server_id);
        over(false);
      },
      closed: (reason, info) => {
        const { mesh, info: own } = this.#environment;
        const isSelf = info !== null && info.server_id === own().server_id;
        const isThere = info !== null && mesh.peers.has(info.server_id);
        if (isThere) target.connected(info.server_id);
        over(!isSelf && !isThere);
        if (isSelf) this.#metItself(target, dialled);
        else if (info === null && reason === "clientClosed") {
          complain(
            `${address} hung up before it said who it is, as a server does that requires TLS or ` +
              "refuses the certificate",
          );
        }
      },
    }, (error) => {
      over(true);
      if (error instanceof OwnAddressError) {
        target.lost(clock.monotonic(), OWN_MS);
        return;
      }
      complain(error.message);
    }, (hostname) => {
      dialled = hostname;
      target.connecting = false;
    });
  }

  /** An address is not dialled again; a name may have other ones, as that of all servers has. */
  #metItself(target: Target, hostname: string): void {
    const { host, port } = target.url;
    this.#own.add(formatAddress({ hostname, port }));
    target.self = hostname === host;
    this.#environment.log.debug(`Route ${formatAddress({ hostname, port })} is this server itself`);
    this.wake();
  }

  #dialPeer(peer: Peer, account: string): void {
    const { clock, random } = this.#environment;
    const target = this.#targets.ofPeer(peer.id), own = this.#credentialsFor(peer.info);
    const user = target?.url.user ?? own?.user;
    const password = target?.url.password ?? own?.password;
    peer.dialling.add(account);
    const fromMs = clock.monotonic();
    let isOver = false;
    const pause = (pauseMs: number) => {
      peer.nextDialMs = clock.monotonic() + pauseMs + random.next() * RETRY_JITTER_MS;
    };
    const over = (hasFailed: boolean) => {
      if (isOver) return;
      isOver = true;
      peer.dialling.delete(account);
      if (hasFailed) pause(RETRY_MS);
    };
    this.#dial(peer.url, {
      account,
      gossipMode: target?.gossipMode ?? GOSSIP.default,
      configured: peer.configured,
      user,
      password,
      registered: () => over(false),
      closed: (_reason, info) => {
        // It has no pool (any more): it never takes such a connection.
        if (account !== "" && info !== null && (info.route_pool_size ?? 0) <= 0) {
          peer.refused.add(account);
        }
        if (clock.monotonic() - fromMs >= LASTING_MS) peer.shortLived = 0;
        else if (isOver) {
          // The peer says nothing when it has another connection for the place, such as one that it
          // does not know to be broken yet.
          pause(Math.min(SHORT_LIVED_MS * 2 ** peer.shortLived++, RETRY_MS));
        }
        over(true);
      },
    }, () => over(true));
  }

  /** Dials in a task that then is the session. `failed` is called where there is no session. */
  #dial(
    url: RouteUrl,
    solicitation: Solicitation,
    failed: (error: Error) => void,
    connected: (hostname: string) => void = () => {},
  ): void {
    const environment = this.#environment, { nextId, scope } = this.#options;
    const id = nextId();
    environment.statistics.dials++;
    try {
      scope.spawn(`route:${id}`, async (task) => {
        const tls = environment.tls();
        let connection: Connection, hostname: string;
        let certificate: ShownCertificate | null = null;
        try {
          [connection, hostname] = await this.#connect(url, task.signal);
          if (tls !== null) {
            ({ connection, certificate } = await dialRouteTls(
              environment,
              tls,
              connection,
              url.host,
              task.signal,
            ));
          }
        } catch (error) {
          failed(error instanceof Error ? error : new Error(String(error)));
          if (error instanceof ConnectionError) return;
          throw error;
        }
        connected(hostname);
        await new RouteSession(environment, connection, id, solicitation, certificate).run(task);
      });
    } catch (error) {
      if (!(error instanceof ScopeClosedError)) throw error;
      failed(error);
    }
  }

  /** Tries the addresses of a host in turn, beginning anywhere; which one it was comes with it. */
  async #connect(url: RouteUrl, signal: AbortSignal): Promise<[Connection, string]> {
    const { transport } = this.#options, { random, clock } = this.#environment;
    const all = transport.resolve === undefined
      ? [url.host]
      : await withinMs(clock, DIAL_MS, signal, (limit) => transport.resolve!(url.host, limit));
    const others = all.filter((hostname) =>
      !this.#own.has(formatAddress({ hostname, port: url.port }))
    );
    if (others.length === 0 && all.length > 0) {
      throw new OwnAddressError(`${url.host} is this server itself`);
    }
    const addresses = others.slice(0, MAX_ADDRESSES);
    const first = addresses.length > 1 ? random.below(addresses.length) : 0;
    let last: unknown = new ConnectionError(`no address of ${url.host}`);
    for (let i = 0; i < addresses.length; i++) {
      const hostname = addresses[(first + i) % addresses.length]!;
      try {
        const connection = await withinMs(
          clock,
          DIAL_MS,
          signal,
          (limit) => transport.connect({ hostname, port: url.port, signal: limit }),
        );
        return [connection, hostname];
      } catch (error) {
        if (!(error instanceof ConnectionError) || signal.aborted) throw error;
        last = error;
      }
    }
    throw last;
  }
}

/** Runs `task` with a signal that is aborted with `signal`, or when it has taken too long. */
async function withinMs<T>(
  clock: RouteEnvironment["clock"],
  limitMs: number,
  signal: AbortSignal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  const timer = clock.setTimer(limitMs, () => controller.abort(new Error("i/o timeout")));
  try {
    return await task(controller.signal);
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", abort);
  }
}
