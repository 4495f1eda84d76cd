/**
 * What all route sessions of a broker share.
 *
 * @module
 */
import type { AccountDirectory } from "../account/mod.ts";
import type { PeerSessionSettings, ShownCertificate, TimerWheel } from "../connection/mod.ts";
import type { Log } from "../log/mod.ts";
import type { Address, Random } from "../platform/mod.ts";
import type { RouteInfo } from "../protocol/mod.ts";
import type { ClusterName } from "./cluster_name.ts";
import type { Mesh } from "./mesh.ts";
import type { RouteTls } from "./route_tls.ts";
import type { RouteSettings } from "./settings.ts";

/** What routes did, over all connections. */
export interface RouteStatistics {
  /** Messages received from other servers. */
  inMessages: number;
  /** Bytes of headers and payload received. */
  inBytes: number;
  /** Messages sent by connections that are closed; open ones count for themselves. */
  outMessages: number;
  /** Bytes sent by connections that are closed. */
  outBytes: number;
  /** Connections ever registered. */
  totalRoutes: number;
  /** Connections closed as stale. */
  staleRoutes: number;
  /** Connections closed because they did not take what was sent. */
  slowRoutes: number;
  /** Connections dialled, whatever came of it. */
  dials: number;
}

/** Whether a peer is let in, by the credentials and the certificate that it shows, and its address. */
export type RouteAuthentication = (
  user: string,
  password: string,
  certificate: ShownCertificate | null,
  hostname: string,
) => Promise<boolean>;

/** What a route session needs from its surroundings. */
export interface RouteEnvironment extends PeerSessionSettings {
  /** Limits and intervals. */
  readonly settings: RouteSettings;
  /** Chance. */
  readonly random: Random;
  /** Where routes are logged. */
  readonly log: Log;
  /** Deadlines of connections. */
  readonly wheel: TimerWheel;
  /** Sums over all connections. */
  readonly statistics: RouteStatistics;
  /** The accounts by name. */
  readonly accounts: AccountDirectory;
  /** The cluster's name. */
  readonly clusterName: ClusterName;
  /** The servers there are. */
  readonly mesh: Mesh;
  /** Whether a peer that shows these credentials is let in; null when none are needed. */
  readonly authenticate: RouteAuthentication | null;
  /** TLS as it is now; null without. */
  tls(): RouteTls | null;
  /**
   * A server that has connected here is turned away, for a reason in words; returns the id under which
   * that was made known.
   */
  readonly refused: (
    peer: { readonly id: number; readonly address: Address },
    reason: string,
  ) => string;
  /** What this server says of itself, without what depends on the connection. */
  info(): RouteInfo;
  /** Whether all sessions are about to end with the server. */
  readonly ending: boolean;
}
