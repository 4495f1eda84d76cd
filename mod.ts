/**
 * denats: a NATS server to run inside a program.
 *
 * ```ts
 * import { Broker } from "./mod.ts";
 *
 * await using broker = await Broker.start({ host: "127.0.0.1", port: -1 });
 * console.log(`listening on port ${broker.address.port}`);
 * ```
 *
 * @module
 */
export { Broker, type BrokerOptions, type CloseBrokerOptions } from "./src/broker.ts";
export {
  type Access,
  type AccessQuestion,
  AccessQuestionError,
  explain,
  type Explanation,
  type MappedAccess,
  type NamedRule,
  type NearestRule,
  type PermissionList,
} from "./src/auth/mod.ts";
export type { InterestStatus, PeerStatus, RouteStatus } from "./src/cluster/mod.ts";
export {
  type AccountConfig,
  type AccountConfigInput,
  type AccountLimitsConfig,
  type AccountLimitsConfigInput,
  type AuthCalloutConfig,
  type AuthCalloutConfigInput,
  type AuthorizationConfig,
  type AuthorizationConfigInput,
  type Change,
  type ChangePart,
  type ClusterAuthorization,
  type ClusterAuthorizationInput,
  type ClusterConfig,
  type ClusterConfigInput,
  type ClusterPermissions,
  type ClusterPermissionsInput,
  type ClusterTlsConfig,
  type ClusterTlsConfigInput,
  type CompressionConfig,
  type CompressionConfigInput,
  type Config,
  ConfigError,
  type ConfigInput,
  type ConnectionType,
  type Effect,
  type ExportConfig,
  type ExportConfigInput,
  type ImportConfig,
  type ImportConfigInput,
  type ImportSourceConfig,
  type ImportSourceConfigInput,
  type LatencyConfig,
  type LatencyConfigInput,
  type LogConfig,
  type LogConfigInput,
  type MappedTo,
  type MappedToInput,
  type Path,
  type PermissionsConfig,
  type PermissionsConfigInput,
  type Plan,
  type PlannedChange,
  type Problem,
  type ResolverConfig,
  type ResolverConfigInput,
  type ResponsesConfig,
  type ResponsesConfigInput,
  type RouteUrl,
  type Step,
  type SubjectPermissions,
  type SubjectPermissionsInput,
  type TlsConfig,
  type TlsConfigInput,
  type UserConfig,
  type UserConfigInput,
} from "./src/config/mod.ts";
export { OperatorError } from "./src/auth/mod.ts";
export type { ReloadReport } from "./src/reload.ts";
export type { BrokerEvents, BrokerStatistics, ClientEvent, Totals } from "./src/monitor/mod.ts";
export {
  AcceptError,
  type AcceptErrorOptions,
  type Address,
  type AppendFile,
  type Clock,
  type Connection,
  ConnectionError,
  type ConnectOptions,
  FileError,
  type Files,
  type Listener,
  ListenError,
  type ListenOptions,
  MemoryConnection,
  MemoryTransport,
  type Random,
  type StallDirection,
  type Timer,
  type Transport,
} from "./src/platform/mod.ts";
export { ScopeClosedError, type TaskInfo } from "./src/supervisor/mod.ts";
