/**
 * The other servers that there are, and which connections to them count.
 *
 * @module
 */
import { formatAddress } from "../platform/mod.ts";
import {
  byteString,
  type ClientMessage,
  GOSSIP,
  type RouteInfo,
  routeInfoFrame,
} from "../protocol/mod.ts";
import { type Announcer, Pace } from "./announcer.ts";
import { type Contest, judge } from "./contest.ts";
import type { Dialler } from "./dialler.ts";
import type { RouteEnvironment } from "./environment.ts";
import { gossipModes, originOf } from "./gossip.ts";
import { Peer } from "./peer.ts";
import {
  badPoolIndex,
  DUPLICATE,
  noDedicatedRoutes,
  notDedicated,
  poolSizeMismatch,
  poolTooLarge,
  type Refusal,
  unknownAccount,
} from "./refusal.ts";
import type { RouteSession } from "./session.ts";
import type { RouteUrl } from "./settings.ts";
import { parseRouteUrl } from "./route_url.ts";
import { accountSlot } from "./account_slot.ts";
import { WaitingRoom } from "./waiting_room.ts";

/** What comes of registering a connection. */
export type Registration = "registered" | Refusal;

/**
 * For how long a server counts as one that not all others may know yet. Two that join at the same time
 * by different servers would never hear of each other if news of servers that were learnt of went no
 * further at all.
 */
const RECENT_MS = 10_000;
/** The largest pool that is taken part in, which is also the largest that can be configured. */
const MAX_POOL_SIZE = 256;
/** Most addresses of one server that clients are told, and how long each may be. */
const MAX_URLS = 64, MAX_URL_LENGTH = 263;
/** The last port there is. */
const LAST_PORT = 65_535;
/** Servers that insist on pools of the same size. */
const EQUAL_POOLS = /^2\.10\./;

/** How well a server is connected to: at all, by everything that there is to be, not any more. */
export type PeerState = "connected" | "complete" | "lost";

/** What the mesh needs besides the environment of its sessions. */
export interface MeshOptions {
  /** Announces the interest of each account. */
  readonly announcers: ReadonlyMap<string, Announcer>;
  /** What other servers' clients may connect to has changed. */
  readonly urlsChanged: () => void;
  /** There is a first connection to a server, or all that there are to be, or none any more. */
  readonly peerChanged: (peer: Peer, state: PeerState) => void;
}

/** All other servers of the cluster. */
export class Mesh {
  /** The servers with at least one connection, by id. */
  readonly peers = new Map<string, Peer>();
  /** All open connections. */
  readonly sessions = new Set<RouteSession>();
  /** Accounts that have a connection of their own: those configured and those that a peer asked for. */
  readonly pinned: Set<string>;
  /** Dials what is missing. Set once. */
  dialler!: Dialler;
  readonly #environment: Omit<RouteEnvironment, "mesh">;
  readonly #options: MeshOptions;
  readonly #waiting: WaitingRoom;
  /** Connections over which all interest is being told, and whether once more after that. */
  readonly #telling = new WeakMap<RouteSession, boolean>();

  /** Nobody is there yet. */
  constructor(environment: Omit<RouteEnvironment, "mesh">, options: MeshOptions) {
    this.#environment = environment;
    this.#options = options;
    this.pinned = new Set(environment.settings.pinned);
    this.#waiting = new WaitingRoom(
      environment.clock,
      (session, info, challenged) => this.register(session, info, challenged),
    );
  }

  // --- Connections ------------------------------------------------------------------------------

  /** A connection was made. */
  opened(session: RouteSession): void {
    this.sessions.add(session);
    const { log } = this.#environment;
    if (log.debugOn) log.debug(`${session.label} - Route connection created`);
  }

  /** A connection begins to close: its place is free. */
  left(session: RouteSession): void {
    this.#waiting.leave(session);
    const peer = session.peer;
    if (peer === null) return;
    this.#vacate(peer, session);
    this.#waiting.freed(peer.id);
    if (!peer.gone) {
      peer.incompleteSinceMs ??= this.#environment.clock.monotonic();
    } else if (this.peers.get(peer.id) === peer) {
      this.peers.delete(peer.id);
      const { log, ending } = this.#environment;
      if (peer.told && !ending) log.info(`Route to ${peer.info.server_name} lost`, { id: peer.id });
      this.#options.urlsChanged();
      if (peer.told) this.#options.peerChanged(peer, "lost");
      this.dialler.lost(peer);
    }
    this.dialler.wake();
  }

  /** A connection is closed. */
  ended(session: RouteSession): void {
    this.sessions.delete(session);
  }

  #vacate(peer: Peer, session: RouteSession): void {
    if (session.slot >= 0 && peer.slots[session.slot] === session) peer.slots[session.slot] = null;
    if (peer.dedicated.get(session.account) === session) peer.dedicated.delete(session.account);
    for (const announcer of this.#options.announcers.values()) announcer.delete(session);
  }

  // --- Registration -----------------------------------------------------------------------------

  /**
   * Gives a connection its place among those of the server that said `info`, or turns it away. The
   * connection `challenged` has to go, where it is that which has the place.
   */
  register(
    session: RouteSession,
    info: RouteInfo,
    challenged: RouteSession | null = null,
  ): Registration | Promise<Registration> {
    const { settings, accounts, clock, random } = this.#environment, { solicited } = session;
    const poolSize = info.route_pool_size ?? 0;
    if (poolSize > MAX_POOL_SIZE) return poolTooLarge(poolSize, MAX_POOL_SIZE);
    const account = solicited?.account ?? info.route_account ?? "";
    const pooled = settings.poolSize > 0 && poolSize > 0;
    let peer = this.peers.get(info.server_id);
    // The first connection has decided.
    const size = pooled ? peer?.slots.length ?? Math.max(settings.poolSize, poolSize) : 0;
    if (account !== "") {
      if (!pooled) return noDedicatedRoutes(account);
      if (!accounts.has(account)) return unknownAccount(account);
      if (!this.pinned.has(account)) return notDedicated(account);
    } else if (pooled) {
      if (poolSize !== settings.poolSize && EQUAL_POOLS.test(info.version)) {
        return poolSizeMismatch(settings.poolSize, poolSize);
      }
      const index = info.route_pool_idx ?? 0;
      if (solicited === null && (index < 0 || index >= size)) return badPoolIndex(index, size);
    }
    if (peer !== undefined && peer.pooled !== pooled) {
      return { ...DUPLICATE, log: "Remote server has changed whether it has a pool" };
    }
    if (peer === undefined) {
      peer = new Peer(
        info,
        this.#urlOf(session, info),
        size,
        clock.monotonic(),
        random.next(),
      );
    }
    return this.#place(peer, session, info, account, challenged);
  }

  #place(
    peer: Peer,
    session: RouteSession,
    info: RouteInfo,
    account: string,
    challenged: RouteSession | null,
  ): Registration | Promise<Registration> {
    const { solicited } = session;
    let slot = -1, holder: RouteSession | undefined | null, replaced: RouteSession | null = null;
    if (account !== "") holder = peer.dedicated.get(account);
    else {
      slot = !peer.pooled ? 0 : solicited === null ? info.route_pool_idx ?? 0 : peer.freeSlot;
      if (slot < 0) return DUPLICATE;
      holder = peer.slots[slot];
    }
    if (holder !== undefined && holder !== null) {
      switch (this.#judge(peer, holder, session)) {
        case "keep":
          return DUPLICATE;
        case "wait":
          return this.#waiting.wait(session, info, null);
        case "challenge":
          if (challenged !== holder) return this.#waiting.wait(session, info, holder);
          replaced = holder;
          break;
        default:
          replaced = holder;
      }
    }
    this.peers.set(peer.id, peer);
    if (account !== "") peer.dedicated.set(account, session);
    else peer.slots[slot] = session;
    session.registered(peer, slot, account);
    // Only now: the place is not free for a moment, nor is the server gone.
    replaced?.refuse(DUPLICATE);
    return "registered";
  }

  /** Which of two connections for the same place stays. */
  #judge(peer: Peer, holder: RouteSession, session: RouteSession): Contest {
    return judge({
      holderAgeMs: this.#environment.clock.monotonic() - holder.registeredAtMs,
      holderDialled: holder.solicited !== null,
      dialled: session.solicited !== null,
      bothDenats: peer.info.denats !== undefined,
      ownIdIsLess: this.#environment.info().server_id < peer.id,
      canWait: this.#waiting.hasRoom,
    });
  }

  /** The peer has answered a PING. */
  answered(session: RouteSession): void {
    this.#waiting.answered(session);
  }

  /** Where a server is to be dialled; with port 0 where it does not say. */
  #urlOf(session: RouteSession, info: RouteInfo): RouteUrl {
    // What it was dialled by has worked, whatever it tells others to dial.
    if (session.solicited !== null) {
      const { hostname, port } = session.address;
      return { host: hostname, port };
    }
    const advertised = parseRouteUrl(info.ip ?? "");
    if (advertised !== null) return advertised;
    const { port } = info;
    return { host: session.address.hostname, port: port > 0 && port <= LAST_PORT ? port : 0 };
  }

  /** A connection has its place, and the peer knows: everything may pass. */
  established(session: RouteSession, info: RouteInfo): void {
    const peer = session.peer!, { log, statistics } = this.#environment;
    const { solicited } = session;
    const connections = [...peer.sessions()];
    const isFirst = connections.length === 1;
    const isFirstOfKind = session.account === ""
      ? peer.slots.filter((other) => other !== null).length === 1
      : true;
    peer.info = info;
    if (solicited?.configured) peer.configured = true;
    if (solicited === null) peer.dialledFromThere = true;
    else peer.dialledFromHere = true;
    statistics.totalRoutes++;
    if (!isFirst && log.debugOn) {
      const kind = session.account === "" ? `pool index ${session.slot}` : session.account;
      log.debug(`${session.label} - Route connection created for ${kind}`);
    }
    this.#announce(peer, session);
    if (isFirstOfKind) this.#gossip(peer, session, info);
    if (isFirst && info.connect_urls !== undefined) this.#options.urlsChanged();
    if (!this.#isIncomplete(peer)) {
      this.#tell(session);
      this.#options.peerChanged(peer, "complete");
    } else if (solicited !== null) session.probe();
    else this.#tell(session);
    this.dialler.wake();
  }

  /** Makes known that a server is connected: once, and not before it is certain. */
  #tell(session: RouteSession): void {
    const peer = session.peer!, { info } = peer;
    if (peer.told) return;
    peer.told = true;
    this.#environment.log.info(`${session.label} - Route connection created`, {
      name: info.server_name,
      ...(info.denats === undefined ? { version: info.version } : { denats: info.denats }),
      pool: peer.pooled ? peer.slots.length : 0,
    });
    this.#options.peerChanged(peer, "connected");
  }

  #isIncomplete(peer: Peer): boolean {
    return !peer.missing(this.pinned).next().done;
  }

  /** The peer has shown that it has accepted this side. */
  proven(session: RouteSession): void {
    this.#tell(session);
    this.dialler.wake();
  }

  /** The peer has said -ERR. */
  refusedBy(session: RouteSession, text: string): void {
    const account = session.solicited?.account ?? "";
    if (account === "" || !/route for account|lookup account/.test(text)) return;
    session.peer?.refused.add(account);
  }

  /** Begins to tell what the clients here are interested in, or does so once more. */
  #announce(peer: Peer, session: RouteSession): void {
    for (const [name, announcer] of this.#options.announcers) {
      if (this.carries(peer, session, name)) announcer.add(session);
    }
    // However often a peer wants to hear everything again: one at a time, and no faster than it reads.
    if (this.#telling.has(session)) this.#telling.set(session, true);
    else session.spawn("interest", () => this.#tellInterest(session));
  }

  /** One account after the other: the slices of a thousand would add up. */
  async #tellInterest(session: RouteSession): Promise<void> {
    const pace = new Pace(this.#environment.clock);
    do {
      this.#telling.set(session, false);
      for (const announcer of this.#options.announcers.values()) {
        if (!announcer.empty) await announcer.tellAll(session, pace);
      }
      await session.relief();
    } while (session.closing === null && this.#telling.get(session) === true);
    this.#telling.delete(session);
  }

  /** An account has come into use: from now on its interest is told. */
  accountCreated(name: string, announcer: Announcer): void {
    for (const peer of this.peers.values()) {
      for (const session of peer.sessions()) {
        if (this.carries(peer, session, name)) announcer.add(session);
      }
    }
  }

  /** Whether an account's interest goes to a peer over this connection. */
  carries(peer: Peer, session: RouteSession, account: string): boolean {
    if (session.account !== "") return session.account === account;
    if (!peer.pooled) return true;
    return !this.pinned.has(account) &&
      accountSlot(account, this.#environment.settings.poolSize) === session.slot;
  }

  // --- News -------------------------------------------------------------------------------------

  /** INFO that came later. */
  news(session: RouteSession, info: RouteInfo): void {
    const peer = session.peer!;
    if (info.route_acc_add_reqid !== undefined) return this.#accountAdded(session, info);
    if (info.server_id !== peer.id && info.server_id !== "") {
      return this.dialler.heard(info, peer);
    }
    const before = peer.info;
    peer.info = { ...before, ...info, server_id: peer.id };
    if (info.ldm === true && !peer.leaving) {
      peer.leaving = true;
      this.#environment.log.info(`${info.server_name} is in lame duck mode`);
      this.#options.urlsChanged();
    }
    if (JSON.stringify(before.export) !== JSON.stringify(info.export)) {
      // It may have ignored what it takes now. Telling it again what it has does no harm.
      for (const each of peer.sessions()) this.#announce(peer, each);
    }
    if (JSON.stringify(before.connect_urls) !== JSON.stringify(info.connect_urls)) {
      this.#options.urlsChanged();
    }
  }

  /** A message in the system account: a server that ends says so, and is not to be dialled again. */
  systemEvent(session: RouteSession, message: ClientMessage): void {
    const { slab, subjectStart, subjectEnd } = message, peer = session.peer!;
    const subject = byteString(slab.bytes, subjectStart, subjectEnd);
    if (subject === `$SYS.SERVER.${peer.id}.SHUTDOWN`) peer.leaving = true;
  }

  /** A peer gives an account a connection of its own from now on. */
  #accountAdded(session: RouteSession, info: RouteInfo): void {
    const { accounts, log } = this.#environment;
    const name = info.route_account, peer = session.peer!;
    if (name === undefined || !accounts.has(name)) return;
    if (!this.pinned.has(name)) {
      log.info(`Account ${name} has its own route from now on`, { peer: peer.info.server_name });
    }
    this.pinned.add(name);
    // Asking for it makes it, and with it its announcer.
    const account = accounts.get(name)!, announcer = this.#options.announcers.get(name)!;
    for (const each of peer.sessions()) {
      if (each.account !== "") continue;
      announcer.delete(each);
      const remote = each.forget(name);
      if (remote !== null) each.spawn(`forget ${name}`, () => account.removeAllRemote(remote));
    }
    const { route_account: _, ...answer } = info;
    session.send(routeInfoFrame(answer, true));
  }

  /** Tells the other servers of a new one; see {@link gossipModes}. */
  #gossip(peer: Peer, session: RouteSession, info: RouteInfo): void {
    const origin = info.gossip_mode === GOSSIP.disabled ? "gossip" : originOf(session);
    const recentFromMs = this.#environment.clock.monotonic() - RECENT_MS;
    const { nonce: _nonce, gossip_mode: _mode, ...rest } = info;
    const ip = info.ip !== undefined && info.ip !== ""
      ? info.ip
      : `nats-route://${formatAddress({ hostname: peer.url.host, port: info.port })}/`;
    for (const other of this.peers.values()) {
      if (other === peer) continue;
      let mode = gossipModes(origin, other.configured);
      if (mode === null && other.sinceMs >= recentFromMs) mode = GOSSIP.disabled;
      const via = session.account === ""
        ? other.first
        : other.pooled
        ? other.dedicated.get(session.account)
        : undefined;
      if (mode === null || via === null || via === undefined) continue;
      via.send(routeInfoFrame({ ...rest, ip, ...(mode !== 0 && { gossip_mode: mode }) }, false));
    }
  }

  /** The cluster has got another name: only the server that it comes from may stay. */
  renamed(fromId: string): void {
    const { clusterName, log } = this.#environment;
    log.info(`Cluster name updated to ${clusterName.name}`);
    for (const session of [...this.sessions]) {
      if (session.peer !== null && session.peer.id !== fromId) session.close("clusterNameConflict");
    }
    this.#options.urlsChanged();
  }

  /** Where clients of the other servers connect to. */
  connectUrls(): string[] {
    const urls = new Set<string>();
    for (const { info, leaving } of this.peers.values()) {
      if (leaving) continue;
      for (const url of info.connect_urls?.slice(0, MAX_URLS) ?? []) {
        if (url.length <= MAX_URL_LENGTH) urls.add(url);
      }
    }
    return [...urls];
  }

  /** Closes what this side has dialled to servers, and does not dial them again by itself. */
  leave(ids: ReadonlySet<string>): void {
    for (const id of ids) {
      const peer = this.peers.get(id);
      if (peer === undefined) continue;
      const sessions = [...peer.sessions()];
      // One that has dialled this side as well stays.
      if (sessions.every(({ solicited }) => solicited !== null)) peer.leaving = true;
      for (const session of sessions) {
        if (session.solicited !== null) session.close("routeRemoved");
      }
    }
  }

  /** Closes connections; whoever has made them makes them anew. */
  renew(which: (session: RouteSession) => boolean): void {
    for (const session of [...this.sessions]) {
      if (which(session)) session.close("routeRemoved");
    }
    this.dialler.wake();
  }

  /** Tells every server, over one connection each, that this one is about to go. */
  sayLameDuck(): void {
    this.sayInfo({ ldm: true });
  }

  /** Tells every server, over one connection each, what this one says of itself now. */
  sayInfo(more: Partial<RouteInfo> = {}): void {
    const { info, settings } = this.#environment;
    for (const peer of this.peers.values()) {
      peer.first?.sendNow(routeInfoFrame({
        ...info(),
        ...more,
        ...(settings.poolSize > 0 && { route_pool_size: settings.poolSize }),
      }, true));
    }
  }
}
