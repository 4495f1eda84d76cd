/**
 * How far news of a server travel.
 *
 * @module
 */
import { GOSSIP } from "../protocol/mod.ts";
import type { RouteSession } from "./session.ts";

/** Why there is a connection to a new server. */
export type Origin = "accepted" | "configured" | "gossip override" | "gossip";

/** Why this one was made. */
export function originOf(session: RouteSession): Origin {
  const { solicited } = session;
  if (solicited === null) return "accepted";
  if (solicited.configured) return "configured";
  return solicited.gossipMode === GOSSIP.override ? "gossip override" : "gossip";
}

/**
 * The `gossip_mode` with which a new server is made known to another; null for not at all.
 *
 * @param origin why there is a connection to the new one.
 * @param configured whether the other one is a configured route here.
 */
export function gossipModes(origin: Origin, configured: boolean): number | null {
  switch (origin) {
    case "accepted":
      return configured ? GOSSIP.override : GOSSIP.disabled;
    case "configured":
      return GOSSIP.override;
    case "gossip override":
      return GOSSIP.default;
    case "gossip":
      return null;
  }
}
