/**
 * The other servers of a cluster.
 *
 * @module
 */
export { Cluster, type ClusterFacts, type ClusterOptions } from "./cluster.ts";
export type { CompressionConfig, CompressionMode } from "./compression.ts";
export type { RouteStatistics } from "./environment.ts";
export type { RouteCredentials, RouteSettings, RouteUrl } from "./settings.ts";
export type { InterestStatus, PeerStatus, RouteStatus } from "./snapshot.ts";
