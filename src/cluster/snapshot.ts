/**
 * The cluster as it is at one moment, for people and programs that look at it.
 *
 * @module
 */
import type { Address } from "../platform/mod.ts";
import type { Peer } from "./peer.ts";
import type { RouteSession } from "./session.ts";

/** One connection to another server. */
export interface RouteStatus {
  /** Its id, unique for the life of the server. */
  readonly id: number;
  /** Its index in the pool; -1 for one that is not in it. */
  readonly slot: number;
  /** The account that it is for alone, or null. */
  readonly account: string | null;
  /** Whether this side has dialled it. */
  readonly dialled: boolean;
  /** The other end. */
  readonly address: Address;
  /** The last measured round trip in milliseconds; 0 when there was none. */
  readonly rttMs: number;
  /** What is compressed with, or null. */
  readonly compression: string | null;
  /** Bytes that wait to be sent. */
  readonly pendingBytes: number;
  /** Messages received. */
  readonly inMessages: number;
  /** Messages sent. */
  readonly outMessages: number;
  /** How much interest the peer has announced on it. */
  readonly interests: number;
}

/** Another server of the cluster. */
export interface PeerStatus {
  /** Its id. */
  readonly id: string;
  /** Its name. */
  readonly name: string;
  /** The version that it says it has. */
  readonly version: string;
  /** Whether it is a configured route. */
  readonly configured: boolean;
  /** Whether it has said that it is about to go. */
  readonly leaving: boolean;
  /** How many connections its pool is to have; 1 for a server without. */
  readonly poolSize: number;
  /** How many connections are missing, those of single accounts included. */
  readonly missing: number;
  /** The connections. */
  readonly routes: readonly RouteStatus[];
}

/** Interest that another server has announced. */
export interface InterestStatus {
  /** The account. */
  readonly account: string;
  /** The subject, possibly with wildcards; a byte string. */
  readonly subject: string;
  /** The queue group, or null. */
  readonly queue: string | null;
  /** How many members it has there; 1 for plain interest. */
  readonly weight: number;
}

/** A peer as it is. */
export function peerStatus(peer: Peer, pinned: ReadonlySet<string>): PeerStatus {
  const { info } = peer;
  let missing = 0;
  for (const account of peer.missing(pinned)) {
    missing += account === "" ? peer.slots.filter((session) => session === null).length : 1;
  }
  return {
    id: peer.id,
    name: info.server_name,
    version: info.version,
    configured: peer.configured,
    leaving: peer.leaving,
    poolSize: peer.slots.length,
    missing,
    routes: [...peer.sessions()].map(routeStatus),
  };
}

function routeStatus(session: RouteSession): RouteStatus {
  let outMessages = 0;
  for (const remote of session.remotes.values()) outMessages += remote.outMessages;
  return {
    id: session.id,
    slot: session.account === "" ? session.slot : -1,
    account: session.account === "" ? null : session.account,
    dialled: session.solicited !== null,
    address: session.address,
    rttMs: session.keepalive.rttMs,
    compression: session.compression,
    pendingBytes: session.pending,
    inMessages: session.inMessages,
    outMessages,
    interests: session.interests,
  };
}

/** What a peer is interested in, over all its connections. */
export function* interestOf(peer: Peer): IterableIterator<InterestStatus> {
  for (const session of peer.sessions()) {
    for (const [account, { interests }] of session.remotes) {
      for (const { subject, queue, weight } of interests?.values() ?? []) {
        yield { account, subject, queue, weight };
      }
    }
  }
}
