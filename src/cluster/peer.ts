/**
 * Another server of the cluster, and the connections to it.
 *
 * @module
 */
import type { RouteInfo } from "../protocol/mod.ts";
import type { RouteSession } from "./session.ts";
import type { RouteUrl } from "./settings.ts";

/** One other server. */
export class Peer {
  /** Its id, new at each of its starts. */
  readonly id: string;
  /** What it said of itself, last. */
  info: RouteInfo;
  /** Where to dial it; nowhere where the port is 0. */
  readonly url: RouteUrl;
  /** Whether there are several connections to it; if not, the one carries all accounts. */
  readonly pooled: boolean;
  /** The connections of the pool by their index; null where one is missing. */
  readonly slots: (RouteSession | null)[];
  /** The connections of single accounts. */
  readonly dedicated = new Map<string, RouteSession>();
  /** Accounts for which it takes no connection of their own. */
  readonly refused = new Set<string>();
  /** Whether this side has dialled it. */
  dialledFromHere = false;
  /** Whether it has dialled this side. */
  dialledFromThere = false;
  /** Whether it is one of the configured routes. */
  configured: boolean;
  /** Whether it was made known that there is a connection: only once the peer has accepted this side. */
  told = false;
  /** Whether it has said that it is about to go. */
  leaving = false;
  /** Since when connections have been missing, in monotonic milliseconds; null while none are. */
  incompleteSinceMs: number | null;
  /** Connections that are being dialled: one of the pool (""), and such of single accounts. */
  readonly dialling = new Set<string>();
  /** From 0 to 1: who waits for it waits as long as nobody else. */
  readonly chance: number;
  /** When there was a first connection, in monotonic milliseconds. */
  readonly sinceMs: number;
  /** When the next may be dialled, in monotonic milliseconds. */
  nextDialMs = 0;
  /** How many dialled connections in a row it has closed soon after they had their place here. */
  shortLived = 0;

  /** A peer without connections, which are missing since `nowMs`. */
  constructor(
    info: RouteInfo,
    url: RouteUrl,
    poolSize: number,
    nowMs: number,
    chance: number,
  ) {
    this.chance = chance;
    this.id = info.server_id;
    this.info = info;
    this.url = url;
    this.pooled = poolSize > 0;
    this.slots = new Array(Math.max(1, poolSize)).fill(null);
    this.configured = false;
    this.sinceMs = this.incompleteSinceMs = nowMs;
  }

  /**
   * Whether this side, whose id is `ownId`, dials what is missing: who has begun to dial does. Where
   * both have, nats-servers fill the pool from both sides, and of two denats the one with the lesser id.
   */
  isOurs(ownId: string): boolean {
    if (!this.dialledFromHere) return false;
    return !this.dialledFromThere || this.info.denats === undefined || ownId < this.id;
  }

  /** The first connection of the pool that there is, or null. */
  get first(): RouteSession | null {
    for (const session of this.slots) if (session !== null) return session;
    return null;
  }

  /** All connections. */
  *sessions(): IterableIterator<RouteSession> {
    for (const session of this.slots) if (session !== null) yield session;
    yield* this.dedicated.values();
  }

  /** Whether there is no connection left. */
  get gone(): boolean {
    return this.dedicated.size === 0 && this.first === null;
  }

  /** The lowest index without a connection; -1 when there is none. */
  get freeSlot(): number {
    return this.slots.indexOf(null);
  }

  /** What is missing: "" for a connection of the pool, and accounts of `pinned`. */
  *missing(pinned: ReadonlySet<string>): IterableIterator<string> {
    if (this.freeSlot >= 0) yield "";
    if (!this.pooled) return;
    for (const account of pinned) {
      if (!this.dedicated.has(account) && !this.refused.has(account)) yield account;
    }
  }
}
