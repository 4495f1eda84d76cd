/**
 * What a broker shows of its cluster, in the terms of the checkers.
 *
 * @module
 */
import type { Broker } from "../../mod.ts";

/** Interest that a peer has announced. */
export interface InterestView {
  /** The account. */
  readonly account: string;
  /** The subject, perhaps with wildcards. */
  readonly subject: string;
  /** The queue group, or null. */
  readonly queue: string | null;
  /** Its members there; 1 for plain interest. */
  readonly weight: number;
}

/** Another server, as a broker sees it. */
export interface PeerView {
  /** Its server id. */
  readonly id: string;
  /** The ids of this side's connections, those of single accounts behind those of the pool. */
  readonly connections: readonly number[];
  /** How many are missing. */
  readonly missing: number;
}

/** The peers of a broker. */
export function peersOf(broker: Broker): PeerView[] {
  return broker.routes().map(({ id, missing, routes }) => ({
    id,
    missing,
    connections: routes.map((route) => route.id),
  }));
}

/** What a peer has announced. */
export function interestOf(broker: Broker, peer: string): InterestView[] {
  return broker.remoteInterest(peer);
}
