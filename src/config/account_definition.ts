/**
 * What there is to know of an account and of a user, wherever it is written down: a configuration and
 * the claims of a JWT are both brought into these shapes.
 *
 * @module
 */
import type { SubjectPermissions } from "./types.ts";

/** How often, and how long, a subscriber may answer where it may not publish otherwise. */
export interface ResponsePermission {
  /** Most messages to one reply subject; negative for no limit. */
  readonly max: number;
  /** Milliseconds from the request on; negative for no limit. */
  readonly expires: number;
}

/** What a user may do. What is absent is not restricted. */
export interface PermissionSettings {
  /** Subjects it may publish to. */
  readonly publish?: SubjectPermissions | undefined;
  /** Subjects it may subscribe to; an entry of two words is a subject and a queue group. */
  readonly subscribe?: SubjectPermissions | undefined;
  /** Whether it may answer what it is asked. Without `publish` it may publish nothing else then. */
  readonly allow_responses?: ResponsePermission | undefined;
}

/** How a client is connected. */
export type ConnectionType =
  | "STANDARD"
  | "WEBSOCKET"
  | "LEAFNODE"
  | "LEAFNODE_WS"
  | "MQTT"
  | "MQTT_WS"
  | "IN_PROCESS";

/** Every {@link ConnectionType}. */
export const CONNECTION_TYPES = [
  "STANDARD",
  "WEBSOCKET",
  "LEAFNODE",
  "LEAFNODE_WS",
  "MQTT",
  "MQTT_WS",
  "IN_PROCESS",
] as const satisfies readonly ConnectionType[];

/** What a user is held to, besides the server's and its account's limits. What is absent is not limited. */
export interface UserLimits {
  /** Most subscriptions of one connection. */
  readonly subscriptions?: number | undefined;
  /** Largest headers and payload of one message, in bytes. */
  readonly payload?: number | undefined;
  /** Bytes that one connection may send in all. */
  readonly data?: number | undefined;
}

/** A span of the day in which a user may be connected. */
export interface TimeRange {
  /** `hh:mm:ss`. */
  readonly start: string;
  /** `hh:mm:ss`; before `start` it is on the next day. */
  readonly end: string;
}

/** Where measurements of a service go. */
export interface LatencySettings {
  /** Share of the requests that is measured, 1-100 in percent, or those whose headers ask for it. */
  readonly sampling: number | "headers";
  /** Subject of the measurements, in the exporting account. */
  readonly subject: string;
}

/** What an account lets others have. Exactly one of `stream` and `service` is given. */
export interface ExportDefinition {
  /** Subjects whose messages others may receive. */
  readonly stream?: string | undefined;
  /** Subjects that others may send requests to. */
  readonly service?: string | undefined;
  /** Names of the accounts that may import it; everybody may where it is absent. */
  readonly accounts?: readonly string[] | undefined;
  /** Whether an import must show an activation token signed by the exporter (operator mode). */
  readonly token_required?: boolean | undefined;
  /** How many answers a request has; `"singleton"` when absent. */
  readonly response_type?: "singleton" | "stream" | "chunked" | undefined;
  /** Milliseconds after which no answer is expected any more. */
  readonly response_threshold?: number | undefined;
  /** Position, from 1, of the token of the subject that must be the importing account's name. */
  readonly account_token_position?: number | undefined;
  /** Whether and where the service is measured. */
  readonly latency?: LatencySettings | undefined;
  /** When activations of accounts were revoked: account key (or `*`) to seconds since 1970. */
  readonly revocations?: Readonly<Record<string, number>> | undefined;
}

/** A subject of another account. */
export interface ImportSource {
  /** Name of the exporting account. */
  readonly account: string;
  /** Subject there. */
  readonly subject: string;
}

/** What an account takes from another. Exactly one of `stream` and `service` is given. */
export interface ImportDefinition {
  /** Messages to receive. */
  readonly stream?: ImportSource | undefined;
  /** Where to send requests. */
  readonly service?: ImportSource | undefined;
  /** Subject here; may refer to wildcards of the source as `$1`. The source's when absent. */
  readonly to?: string | undefined;
  /** Tokens before the subject here, instead of `to`; streams only. */
  readonly prefix?: string | undefined;
  /** Whether the exporter learns who asks; services only. */
  readonly share?: boolean | undefined;
  /** Activation token (operator mode). */
  readonly token?: string | undefined;
}

/** One of the subjects that a subject is mapped to. */
export interface MappingDestination {
  /** Subject, possibly with functions such as `{{wildcard(1)}}` or `{{partition(3,1)}}`. */
  readonly destination: string;
  /** Share of the messages in percent, 0-100; 100 when absent. */
  readonly weight?: number | undefined;
  /** Only on servers of the cluster of this name. */
  readonly cluster?: string | undefined;
}

/** What all clients of an account are held to. Negative and absent: no limit. */
export interface AccountLimits {
  /** Most connections of clients. */
  readonly max_connections?: number | undefined;
  /** Most subscriptions of one connection. */
  readonly max_subscriptions?: number | undefined;
  /** Largest headers and payload of one message, in bytes. */
  readonly max_payload?: number | undefined;
  /** Most leaf nodes. */
  readonly max_leafnodes?: number | undefined;
}

/** An account, without its users. */
export interface AccountDefinition {
  /** What others may have. */
  readonly exports?: readonly ExportDefinition[] | undefined;
  /** What it has of others. */
  readonly imports?: readonly ImportDefinition[] | undefined;
  /** Subjects that published messages are mapped to, by subject; the first that matches counts. */
  readonly mappings?: Readonly<Record<string, readonly MappingDestination[]>> | undefined;
  /** What users without permissions of their own may do. */
  readonly default_permissions?: PermissionSettings | undefined;
  /** What its clients are held to. */
  readonly limits?: AccountLimits | undefined;
  /** Whether its clients may use JetStream of other servers of the cluster. */
  readonly jetstream?: boolean | undefined;
}
