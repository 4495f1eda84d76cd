/**
 * The other servers of a cluster.
 *
 * @module
 */
export { Cluster, type ClusterFacts, type ClusterOptions } from "./cluster.ts";
export type { CompressionConfig, CompressionMode } from "./compression.ts";
export type { RouteAuthentication, RouteStatistics } from "./environment.ts";
export { isKnownServer, namesUser, type RouteTls, tlsNameOf } from "./route_tls.ts";
export type { RouteCredentials, RouteSettings, RouteUrl } from "./settings.ts";
export type { InterestStatus, PeerStatus, RouteStatus } from "./snapshot.ts";
