/**
 * What a broker shows of its cluster, in the terms of the checkers.
 *
 * @module
 */
import type { Broker } from "../../mod.ts";

/** Interest that a peer has announced. */
export interface InterestView {
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
  /** The ids of this side's connections by their place in the pool; null where one is missing. */
  readonly slots: readonly (number | null)[];
  /** What it has announced for the global account. */
  readonly interest: readonly InterestView[];
}

/** The peers of a broker. */
export function peersOf(broker: Broker): PeerView[] {
  const { routes } = broker as unknown as { routes?: () => PeerView[] };
  return routes === undefined ? [] : routes.call(broker);
}
