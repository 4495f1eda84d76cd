/**
 * What a dialled connection is for.
 *
 * @module
 */
import type { CloseReason, RouteInfo } from "../protocol/mod.ts";

/** Why this side dialled. */
export interface Solicitation {
  /** The account that the connection is for alone; "" for one of the pool. */
  readonly account: string;
  /** What INFO says of how far news of this server are to travel; one of `GOSSIP`. */
  readonly gossipMode: number;
  /** Whether the address is a configured route. */
  readonly configured: boolean;
  /** Credentials to show. */
  readonly user: string | undefined;
  /** See {@link Solicitation.user}. */
  readonly password: string | undefined;
  /** It has become a connection of the peer that said `info`. Called once at most. */
  readonly registered: (info: RouteInfo) => void;
  /** It was closed; `info` is what the peer said of itself, null when it said nothing. */
  readonly closed: (reason: CloseReason, info: RouteInfo | null) => void;
}
