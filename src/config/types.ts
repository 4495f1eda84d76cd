/**
 * The configuration as TypeScript: what a program may ask for, and what the broker then has.
 * Generated from the schema by `deno run -A src/config/generate.ts`; a test holds the two equal.
 *
 * @module
 */

import type { ConnectionType } from "./account_definition.ts";

import type { RouteUrl } from "./route_url.ts";

/** The configuration of a broker (as it is asked for). */
export interface ConfigInput {
  /** Name of this server, unique in its cluster, without spaces. Default: the server's id. */
  readonly server_name?: string | undefined;
  /**
   * Address to listen on for clients; 0.0.0.0 is every IPv4 interface, :: every interface. Default:
   * `"0.0.0.0"`.
   */
  readonly host?: string | undefined;
  /** Port to listen on for clients; -1 lets the system choose a free one. Default: `4222`. */
  readonly port?: number | undefined;
  /** host and port in one: host:port, or only a port. */
  readonly listen?: number | string | undefined;
  /** Address that clients are told to connect to, where it differs from host and port. */
  readonly client_advertise?: string | undefined;
  /**
   * Tags of this server, such as its region; kept for monitoring, which comes later. Default: `[]`.
   */
  readonly server_tags?: string | readonly string[] | undefined;
  /** Facts about this server by name; kept for monitoring, which comes later. Default: `{}`. */
  readonly server_metadata?: Readonly<Record<string, string>> | undefined;
  /** How many clients may be connected at once; 0 admits nobody. Default: `65536`. */
  readonly max_connections?: number | undefined;
  /** How many subscriptions a connection may have; 0 is without limit. Default: `0`. */
  readonly max_subscriptions?: number | undefined;
  /** How many tokens the subject of a subscription may have. Default: without limit. */
  readonly max_sub_tokens?: number | undefined;
  /**
   * Largest message, its headers included; not above max_pending. Bytes, or text such as "64MB"; K,
   * M, G and T are powers of 1000, KB/Ki/KiB and so on of 1024. Default: `"1MB"`.
   */
  readonly max_payload?: number | string | undefined;
  /**
   * Longest protocol line, CONNECT included, before a client is closed. Bytes, or text such as
   * "64MB"; K, M, G and T are powers of 1000, KB/Ki/KiB and so on of 1024. Default: `"4KB"`.
   */
  readonly max_control_line?: number | string | undefined;
  /**
   * How much may wait to be sent to a client before it is closed as a slow consumer. Bytes, or text
   * such as "64MB"; K, M, G and T are powers of 1000, KB/Ki/KiB and so on of 1024. Default:
   * `"64MB"`.
   */
  readonly max_pending?: number | string | undefined;
  /**
   * How long a write to a client may take before it is closed as a slow consumer. A duration such
   * as "2s", "1m30s" or "500ms"; a plain number is seconds. Default: `"10s"`.
   */
  readonly write_deadline?: number | string | undefined;
  /**
   * Drop messages for a consumer above 75 % of max_pending instead of slowing its producers.
   * Default: `false`.
   */
  readonly no_fast_producer_stall?: boolean | undefined;
  /** Refuse messages with headers. Default: `false`. */
  readonly no_header_support?: boolean | undefined;
  /**
   * How often a quiet client is pinged. A duration such as "2s", "1m30s" or "500ms"; a plain number
   * is seconds. Default: `"2m"`.
   */
  readonly ping_interval?: number | string | undefined;
  /** How many pings may go unanswered before a client is closed as stale. Default: `2`. */
  readonly ping_max?: number | undefined;
  /** Who may connect: anybody, unless a token, a user or a list of users is given. */
  readonly authorization?: AuthorizationConfigInput | undefined;
  /** The user that a client is taken for when it shows nothing. */
  readonly no_auth_user?: string | undefined;
  /** Accounts by name, beside $G for the users of authorization and $SYS for the system. */
  readonly accounts?: Readonly<Record<string, AccountConfigInput>> | readonly string[] | undefined;
  /** Subjects that messages of $G are mapped to, by the subject they are published to. */
  readonly mappings?:
    | Readonly<Record<string, string | MappedToInput | readonly (string | MappedToInput)[]>>
    | undefined;
  /** The account of the system, one of accounts. Default: $SYS. */
  readonly system_account?: string | undefined;
  /** Have no account of the system where none is named. Default: `false`. */
  readonly no_system_account?: boolean | undefined;
  /**
   * JWTs of operators, or the files that they are in: accounts and users are then known from JWTs.
   */
  readonly operator?: string | readonly string[] | undefined;
  /** Public keys of operators, instead of their JWTs. */
  readonly trusted_keys?: string | readonly string[] | undefined;
  /** Where the JWTs of accounts are found. */
  readonly resolver?: string | ResolverConfigInput | undefined;
  /** JWTs of accounts by the account's public key, which the resolver has from the start. */
  readonly resolver_preload?: Readonly<Record<string, string>> | undefined;
  /** The accounts whose users may connect here; those of all accounts where it is not given. */
  readonly resolver_pinned_accounts?: string | readonly string[] | undefined;
  /** JWT of a bearer that a client is taken for when it shows none, for callouts of accounts. */
  readonly default_sentinel?: string | undefined;
  /** TLS for clients. Without this block there is none. */
  readonly tls?: TlsConfigInput | undefined;
  /** Whether clients may leave TLS out where there is a tls block. Default: `false`. */
  readonly allow_non_tls?: boolean | undefined;
  /**
   * The cluster that this server is part of. Without this block it stands alone; an empty one ({})
   * has every default.
   */
  readonly cluster?: ClusterConfigInput | undefined;
  /** Log debug lines too. Default: `false`. */
  readonly debug?: boolean | undefined;
  /** Log every protocol line too; secrets in it are hidden. Default: `false`. */
  readonly trace?: boolean | undefined;
  /** Trace the system account too; implies trace. Default: `false`. */
  readonly trace_verbose?: boolean | undefined;
  /** How many bytes of a payload are traced; 0 is all of it. Default: `0`. */
  readonly max_traced_msg_len?: number | undefined;
  /** Begin every line with the time. Default: `true`. */
  readonly logtime?: boolean | undefined;
  /** Write times in UTC, not in local time. Default: `false`. */
  readonly logtime_utc?: boolean | undefined;
  /** File to log to. Default: standard error. */
  readonly log_file?: string | undefined;
  /**
   * Size at which the log file is put aside and a new one begun; 0 is never. Bytes, or text such as
   * "64MB"; K, M, G and T are powers of 1000, KB/Ki/KiB and so on of 1024. Default: `0`.
   */
  readonly log_size_limit?: number | string | undefined;
  /** How many log files are kept, the current one included; 0 is all of them. Default: `0`. */
  readonly log_max_num?: number | undefined;
  /** The form and the level of the log. */
  readonly log?: LogConfigInput | undefined;
  /** File to write the process id to. */
  readonly pid_file?: string | undefined;
  /** Folder to write nats-server_<pid>.ports to: the addresses really listened on, as JSON. */
  readonly ports_file_dir?: string | undefined;
  /**
   * Reload this file, and those that it includes, when they change; else only SIGHUP does. Default:
   * `false`.
   */
  readonly reload_on_change?: boolean | undefined;
  /**
   * Time that lame duck mode (SIGUSR2) takes, in which clients are closed one by one; at least 30s.
   * A duration such as "2s", "1m30s" or "500ms"; a plain number is seconds. Default: `"2m"`.
   */
  readonly lame_duck_duration?: number | string | undefined;
  /**
   * Time between announcing lame duck mode and closing the first client. A duration such as "2s",
   * "1m30s" or "500ms"; a plain number is seconds. Default: `"10s"`.
   */
  readonly lame_duck_grace_period?: number | string | undefined;
}

/** The configuration of a broker (complete and checked). */
export interface Config {
  /** Name of this server, unique in its cluster, without spaces. Default: the server's id. */
  readonly server_name?: string | undefined;
  /** Address to listen on for clients; 0.0.0.0 is every IPv4 interface, :: every interface. */
  readonly host: string;
  /** Port to listen on for clients; -1 lets the system choose a free one. */
  readonly port: number;
  /** Address that clients are told to connect to, where it differs from host and port. */
  readonly client_advertise?: string | undefined;
  /** Tags of this server, such as its region; kept for monitoring, which comes later. */
  readonly server_tags: readonly string[];
  /** Facts about this server by name; kept for monitoring, which comes later. */
  readonly server_metadata: Readonly<Record<string, string>>;
  /** How many clients may be connected at once; 0 admits nobody. */
  readonly max_connections: number;
  /** How many subscriptions a connection may have; 0 is without limit. */
  readonly max_subscriptions: number;
  /** How many tokens the subject of a subscription may have. Default: without limit. */
  readonly max_sub_tokens?: number | undefined;
  /** Largest message, its headers included; not above max_pending. Bytes. */
  readonly max_payload: number;
  /** Longest protocol line, CONNECT included, before a client is closed. Bytes. */
  readonly max_control_line: number;
  /** How much may wait to be sent to a client before it is closed as a slow consumer. Bytes. */
  readonly max_pending: number;
  /** How long a write to a client may take before it is closed as a slow consumer. Milliseconds. */
  readonly write_deadline: number;
  /** Drop messages for a consumer above 75 % of max_pending instead of slowing its producers. */
  readonly no_fast_producer_stall: boolean;
  /** Refuse messages with headers. */
  readonly no_header_support: boolean;
  /** How often a quiet client is pinged. Milliseconds. */
  readonly ping_interval: number;
  /** How many pings may go unanswered before a client is closed as stale. */
  readonly ping_max: number;
  /** Who may connect: anybody, unless a token, a user or a list of users is given. */
  readonly authorization: AuthorizationConfig;
  /** The user that a client is taken for when it shows nothing. */
  readonly no_auth_user?: string | undefined;
  /** Accounts by name, beside $G for the users of authorization and $SYS for the system. */
  readonly accounts?: Readonly<Record<string, AccountConfig>> | undefined;
  /** Subjects that messages of $G are mapped to, by the subject they are published to. */
  readonly mappings?: Readonly<Record<string, readonly MappedTo[]>> | undefined;
  /** The account of the system, one of accounts. Default: $SYS. */
  readonly system_account?: string | undefined;
  /** Have no account of the system where none is named. */
  readonly no_system_account: boolean;
  /**
   * JWTs of operators, or the files that they are in: accounts and users are then known from JWTs.
   */
  readonly operator?: readonly string[] | undefined;
  /** Public keys of operators, instead of their JWTs. */
  readonly trusted_keys?: readonly string[] | undefined;
  /** Where the JWTs of accounts are found. */
  readonly resolver?: ResolverConfig | undefined;
  /** JWTs of accounts by the account's public key, which the resolver has from the start. */
  readonly resolver_preload?: Readonly<Record<string, string>> | undefined;
  /** The accounts whose users may connect here; those of all accounts where it is not given. */
  readonly resolver_pinned_accounts?: readonly string[] | undefined;
  /** JWT of a bearer that a client is taken for when it shows none, for callouts of accounts. */
  readonly default_sentinel?: string | undefined;
  /** TLS for clients. Without this block there is none. */
  readonly tls?: TlsConfig | undefined;
  /** Whether clients may leave TLS out where there is a tls block. */
  readonly allow_non_tls: boolean;
  /**
   * The cluster that this server is part of. Without this block it stands alone; an empty one ({})
   * has every default.
   */
  readonly cluster?: ClusterConfig | undefined;
  /** Log debug lines too. */
  readonly debug: boolean;
  /** Log every protocol line too; secrets in it are hidden. */
  readonly trace: boolean;
  /** Trace the system account too; implies trace. */
  readonly trace_verbose: boolean;
  /** How many bytes of a payload are traced; 0 is all of it. */
  readonly max_traced_msg_len: number;
  /** Begin every line with the time. */
  readonly logtime: boolean;
  /** Write times in UTC, not in local time. */
  readonly logtime_utc: boolean;
  /** File to log to. Default: standard error. */
  readonly log_file?: string | undefined;
  /** Size at which the log file is put aside and a new one begun; 0 is never. Bytes. */
  readonly log_size_limit: number;
  /** How many log files are kept, the current one included; 0 is all of them. */
  readonly log_max_num: number;
  /** The form and the level of the log. */
  readonly log: LogConfig;
  /** File to write the process id to. */
  readonly pid_file?: string | undefined;
  /** Folder to write nats-server_<pid>.ports to: the addresses really listened on, as JSON. */
  readonly ports_file_dir?: string | undefined;
  /** Reload this file, and those that it includes, when they change; else only SIGHUP does. */
  readonly reload_on_change: boolean;
  /**
   * Time that lame duck mode (SIGUSR2) takes, in which clients are closed one by one; at least 30s.
   * Milliseconds.
   */
  readonly lame_duck_duration: number;
  /** Time between announcing lame duck mode and closing the first client. Milliseconds. */
  readonly lame_duck_grace_period: number;
}

/**
 * Who may connect: anybody, unless a token, a user or a list of users is given (as it is asked
 * for).
 */
export interface AuthorizationConfigInput {
  /** Token that every client must show, in the clear or as a bcrypt hash. */
  readonly token?: string | undefined;
  /** Name that every client must show, where one user is enough. */
  readonly user?: string | undefined;
  /** Password of that user, in the clear or as a bcrypt hash. */
  readonly password?: string | undefined;
  /** The users that may connect. */
  readonly users?: readonly UserConfigInput[] | undefined;
  /** What users without permissions of their own may do. */
  readonly default_permissions?: PermissionsConfigInput | undefined;
  /** A service that is asked about every client that connects. */
  readonly auth_callout?: AuthCalloutConfigInput | undefined;
  /**
   * How long a client may take to show who it is. With TLS the default is a second more than
   * tls.timeout. A duration such as "2s", "1m30s" or "500ms"; a plain number is seconds. Default:
   * `"2s"`.
   */
  readonly timeout?: number | string | undefined;
}

/**
 * Who may connect: anybody, unless a token, a user or a list of users is given (complete and
 * checked).
 */
export interface AuthorizationConfig {
  /** Token that every client must show, in the clear or as a bcrypt hash. */
  readonly token?: string | undefined;
  /** Name that every client must show, where one user is enough. */
  readonly user?: string | undefined;
  /** Password of that user, in the clear or as a bcrypt hash. */
  readonly password?: string | undefined;
  /** The users that may connect. */
  readonly users?: readonly UserConfig[] | undefined;
  /** What users without permissions of their own may do. */
  readonly default_permissions?: PermissionsConfig | undefined;
  /** A service that is asked about every client that connects. */
  readonly auth_callout?: AuthCalloutConfig | undefined;
  /**
   * How long a client may take to show who it is. With TLS the default is a second more than
   * tls.timeout. Milliseconds.
   */
  readonly timeout: number;
}

/** A user that may connect (as it is asked for). */
export interface UserConfigInput {
  /** Name of the user. */
  readonly user?: string | undefined;
  /** Password, in the clear or as a bcrypt hash. Without one only an empty password is accepted. */
  readonly password?: string | undefined;
  /** Public key of the user, who signs what the server asks, instead of a name and a password. */
  readonly nkey?: string | undefined;
  /** What the user may do; where it is not given, default_permissions hold. */
  readonly permissions?: PermissionsConfigInput | undefined;
  /** How the user may be connected; in any way where it is not given. */
  readonly allowed_connection_types?: ConnectionType | readonly ConnectionType[] | undefined;
}

/** A user that may connect (complete and checked). */
export interface UserConfig {
  /** Name of the user. */
  readonly user?: string | undefined;
  /** Password, in the clear or as a bcrypt hash. Without one only an empty password is accepted. */
  readonly password?: string | undefined;
  /** Public key of the user, who signs what the server asks, instead of a name and a password. */
  readonly nkey?: string | undefined;
  /** What the user may do; where it is not given, default_permissions hold. */
  readonly permissions?: PermissionsConfig | undefined;
  /** How the user may be connected; in any way where it is not given. */
  readonly allowed_connection_types?: readonly ConnectionType[] | undefined;
}

/**
 * What may be published and subscribed to: everything that is not restricted (as it is asked for).
 */
export interface PermissionsConfigInput {
  /** The subjects that may be published to. */
  readonly publish?: string | readonly string[] | SubjectPermissionsInput | undefined;
  /** The subjects that may be subscribed to; with a second word, in that queue group. */
  readonly subscribe?: string | readonly string[] | SubjectPermissionsInput | undefined;
  /**
   * Whether what is asked may be answered, though its reply subject is not among those of publish;
   * without a list there nothing else may be published then.
   */
  readonly allow_responses?: boolean | ResponsesConfigInput | undefined;
}

/**
 * What may be published and subscribed to: everything that is not restricted (complete and
 * checked).
 */
export interface PermissionsConfig {
  /** The subjects that may be published to. */
  readonly publish?: SubjectPermissions | undefined;
  /** The subjects that may be subscribed to; with a second word, in that queue group. */
  readonly subscribe?: SubjectPermissions | undefined;
  /**
   * Whether what is asked may be answered, though its reply subject is not among those of publish;
   * without a list there nothing else may be published then.
   */
  readonly allow_responses?: ResponsesConfig | undefined;
}

/**
 * Subjects that are allowed and denied; a subject or a list of them alone is allowed (as it is
 * asked for).
 */
export interface SubjectPermissionsInput {
  /** Only these; without it, or where it is empty, all but those denied. */
  readonly allow?: string | readonly string[] | undefined;
  /** All but these. */
  readonly deny?: string | readonly string[] | undefined;
}

/**
 * Subjects that are allowed and denied; a subject or a list of them alone is allowed (complete and
 * checked).
 */
export interface SubjectPermissions {
  /** Only these; without it, or where it is empty, all but those denied. */
  readonly allow?: readonly string[] | undefined;
  /** All but these. */
  readonly deny?: readonly string[] | undefined;
}

/**
 * How often, and how long, what is asked may be answered; true has the defaults (as it is asked
 * for).
 */
export interface ResponsesConfigInput {
  /** Most messages to one reply subject; negative for no limit. Default: `1`. */
  readonly max?: number | undefined;
  /**
   * How long a request may be answered; negative for no limit. A duration such as "2m", negative
   * for no limit; a plain number is seconds. Default: `"2m"`.
   */
  readonly expires?: number | string | undefined;
}

/**
 * How often, and how long, what is asked may be answered; true has the defaults (complete and
 * checked).
 */
export interface ResponsesConfig {
  /** Most messages to one reply subject; negative for no limit. */
  readonly max: number;
  /**
   * How long a request may be answered; negative for no limit. Milliseconds; negative for no limit.
   */
  readonly expires: number;
}

/** A service that is asked about every client that connects (as it is asked for). */
export interface AuthCalloutConfigInput {
  /** Public key of an account, with which the answers of the service are signed. */
  readonly issuer: string;
  /** The account of the service. Default: `"$G"`. */
  readonly account?: string | undefined;
  /** Users that the service itself connects as: they are not asked about. */
  readonly auth_users: readonly string[];
  /** The accounts whose users it is asked about; those of all where it is not given. */
  readonly allowed_accounts?: readonly string[] | undefined;
  /** Public curve key of the service: what it is asked is encrypted with it. */
  readonly xkey?: string | undefined;
}

/** A service that is asked about every client that connects (complete and checked). */
export interface AuthCalloutConfig {
  /** Public key of an account, with which the answers of the service are signed. */
  readonly issuer: string;
  /** The account of the service. */
  readonly account: string;
  /** Users that the service itself connects as: they are not asked about. */
  readonly auth_users: readonly string[];
  /** The accounts whose users it is asked about; those of all where it is not given. */
  readonly allowed_accounts?: readonly string[] | undefined;
  /** Public curve key of the service: what it is asked is encrypted with it. */
  readonly xkey?: string | undefined;
}

/** An account: clients in different ones do not hear each other (as it is asked for). */
export interface AccountConfigInput {
  /** The users whose account this is. Default: `[]`. */
  readonly users?: readonly UserConfigInput[] | undefined;
  /** What other accounts may have. */
  readonly exports?: readonly ExportConfigInput[] | undefined;
  /** What the account has of others. */
  readonly imports?: readonly ImportConfigInput[] | undefined;
  /** Subjects that messages of the account are mapped to, by the subject they are published to. */
  readonly mappings?:
    | Readonly<Record<string, string | MappedToInput | readonly (string | MappedToInput)[]>>
    | undefined;
  /** What users without permissions of their own may do. */
  readonly default_permissions?: PermissionsConfigInput | undefined;
  /** What its clients are held to. */
  readonly limits?: AccountLimitsConfigInput | undefined;
  /**
   * Whether its clients may use JetStream of the other servers of the cluster, which set its
   * limits.
   */
  readonly jetstream?: boolean | "enabled" | "disabled" | undefined;
  /** Public key of the account. */
  readonly nkey?: string | undefined;
}

/** An account: clients in different ones do not hear each other (complete and checked). */
export interface AccountConfig {
  /** The users whose account this is. */
  readonly users: readonly UserConfig[];
  /** What other accounts may have. */
  readonly exports?: readonly ExportConfig[] | undefined;
  /** What the account has of others. */
  readonly imports?: readonly ImportConfig[] | undefined;
  /** Subjects that messages of the account are mapped to, by the subject they are published to. */
  readonly mappings?: Readonly<Record<string, readonly MappedTo[]>> | undefined;
  /** What users without permissions of their own may do. */
  readonly default_permissions?: PermissionsConfig | undefined;
  /** What its clients are held to. */
  readonly limits?: AccountLimitsConfig | undefined;
  /**
   * Whether its clients may use JetStream of the other servers of the cluster, which set its
   * limits.
   */
  readonly jetstream?: boolean | undefined;
  /** Public key of the account. */
  readonly nkey?: string | undefined;
}

/** What an account lets others have: a stream or a service (as it is asked for). */
export interface ExportConfigInput {
  /** Subjects whose messages other accounts may receive. */
  readonly stream?: string | undefined;
  /** Subjects that other accounts may send requests to. */
  readonly service?: string | undefined;
  /** The accounts that may import it; all of them where it is not given. */
  readonly accounts?: readonly string[] | undefined;
  /** How many answers a request of the service has: singleton (one), stream or chunked. */
  readonly response_type?: "singleton" | "stream" | "chunked" | undefined;
  /**
   * How long answers are waited for; 2m where it is not given. A duration such as "2s", "1m30s" or
   * "500ms"; a plain number is seconds.
   */
  readonly response_threshold?: number | string | undefined;
  /** Which token of the subject, from 1, is the name of the importing account; it must be a *. */
  readonly account_token_position?: number | undefined;
  /** Whether and where the service is measured. */
  readonly latency?: string | LatencyConfigInput | undefined;
}

/** What an account lets others have: a stream or a service (complete and checked). */
export interface ExportConfig {
  /** Subjects whose messages other accounts may receive. */
  readonly stream?: string | undefined;
  /** Subjects that other accounts may send requests to. */
  readonly service?: string | undefined;
  /** The accounts that may import it; all of them where it is not given. */
  readonly accounts?: readonly string[] | undefined;
  /** How many answers a request of the service has: singleton (one), stream or chunked. */
  readonly response_type?: "singleton" | "stream" | "chunked" | undefined;
  /** How long answers are waited for; 2m where it is not given. Milliseconds. */
  readonly response_threshold?: number | undefined;
  /** Which token of the subject, from 1, is the name of the importing account; it must be a *. */
  readonly account_token_position?: number | undefined;
  /** Whether and where the service is measured. */
  readonly latency?: LatencyConfig | undefined;
}

/**
 * Whether and where a service is measured; a subject alone measures every request (as it is asked
 * for).
 */
export interface LatencyConfigInput {
  /**
   * Share of the requests that is measured, or headers for those whose headers ask for it. Percent,
   * such as 60 or "60%", or "headers". Default: `100`.
   */
  readonly sampling?: number | string | undefined;
  /** Subject of the measurements, in the exporting account. */
  readonly subject: string;
}

/**
 * Whether and where a service is measured; a subject alone measures every request (complete and
 * checked).
 */
export interface LatencyConfig {
  /**
   * Share of the requests that is measured, or headers for those whose headers ask for it. Percent,
   * or "headers".
   */
  readonly sampling: number | "headers";
  /** Subject of the measurements, in the exporting account. */
  readonly subject: string;
}

/** What an account takes from another: a stream or a service (as it is asked for). */
export interface ImportConfigInput {
  /** Messages to receive. */
  readonly stream?: ImportSourceConfigInput | undefined;
  /** Where to send requests. */
  readonly service?: ImportSourceConfigInput | undefined;
  /** Subject here, the one there where it is not given; $1 is what the first * stands for. */
  readonly to?: string | undefined;
  /** Tokens before the subject of a stream here, instead of to. */
  readonly prefix?: string | undefined;
  /** Let the exporter of the service know who asks. Default: `false`. */
  readonly share?: boolean | undefined;
}

/** What an account takes from another: a stream or a service (complete and checked). */
export interface ImportConfig {
  /** Messages to receive. */
  readonly stream?: ImportSourceConfig | undefined;
  /** Where to send requests. */
  readonly service?: ImportSourceConfig | undefined;
  /** Subject here, the one there where it is not given; $1 is what the first * stands for. */
  readonly to?: string | undefined;
  /** Tokens before the subject of a stream here, instead of to. */
  readonly prefix?: string | undefined;
  /** Let the exporter of the service know who asks. */
  readonly share: boolean;
}

/** A subject of another account (as it is asked for). */
export interface ImportSourceConfigInput {
  /** Name of the exporting account. */
  readonly account: string;
  /** Subject there. */
  readonly subject: string;
}

/** A subject of another account (complete and checked). */
export interface ImportSourceConfig {
  /** Name of the exporting account. */
  readonly account: string;
  /** Subject there. */
  readonly subject: string;
}

/** A subject that messages are mapped to; a subject alone has all of them (as it is asked for). */
export interface MappedToInput {
  /** Subject, with $1 or functions such as {{wildcard(1)}} and {{partition(3,1)}}. */
  readonly destination: string;
  /** Share of the messages. Percent, such as 60 or "60%". */
  readonly weight: number | string;
  /** Only on servers of the cluster of this name. */
  readonly cluster?: string | undefined;
}

/**
 * A subject that messages are mapped to; a subject alone has all of them (complete and checked).
 */
export interface MappedTo {
  /** Subject, with $1 or functions such as {{wildcard(1)}} and {{partition(3,1)}}. */
  readonly destination: string;
  /** Share of the messages. Percent. */
  readonly weight: number;
  /** Only on servers of the cluster of this name. */
  readonly cluster?: string | undefined;
}

/**
 * What the clients of an account are held to; -1 and what is not given are without limit (as it is
 * asked for).
 */
export interface AccountLimitsConfigInput {
  /** Most connections of clients. */
  readonly max_connections?: number | undefined;
  /** Most subscriptions of one connection. */
  readonly max_subscriptions?: number | undefined;
  /**
   * Largest message of its clients, its headers included. Bytes, or text such as "64MB"; K, M, G
   * and T are powers of 1000, KB/Ki/KiB and so on of 1024.
   */
  readonly max_payload?: number | string | undefined;
  /** Most leaf nodes; kept for when there are any. */
  readonly max_leafnodes?: number | undefined;
}

/**
 * What the clients of an account are held to; -1 and what is not given are without limit (complete
 * and checked).
 */
export interface AccountLimitsConfig {
  /** Most connections of clients. */
  readonly max_connections?: number | undefined;
  /** Most subscriptions of one connection. */
  readonly max_subscriptions?: number | undefined;
  /** Largest message of its clients, its headers included. Bytes. */
  readonly max_payload?: number | undefined;
  /** Most leaf nodes; kept for when there are any. */
  readonly max_leafnodes?: number | undefined;
}

/** Where the JWTs of accounts are found (as it is asked for). */
export interface ResolverConfigInput {
  /**
   * memory (of resolver_preload), url, full (all accounts, in a folder) or cache (some of them).
   */
  readonly type: "memory" | "url" | "full" | "cache";
  /** Where JWTs of accounts are got, with the account's key behind it. */
  readonly url?: string | undefined;
  /** Folder of the JWTs of accounts. */
  readonly dir?: string | undefined;
  /** Whether accounts may be deleted by a message; their files are kept under another name. */
  readonly allow_delete?: boolean | undefined;
  /** Whether the files of deleted accounts are deleted too. */
  readonly hard_delete?: boolean | undefined;
  /** How many accounts the folder may hold. */
  readonly limit?: number | undefined;
  /**
   * How long a cache keeps an account that nobody asks for. A duration such as "2s", "1m30s" or
   * "500ms"; a plain number is seconds.
   */
  readonly ttl?: number | string | undefined;
  /**
   * How often servers compare their accounts. A duration such as "2s", "1m30s" or "500ms"; a plain
   * number is seconds.
   */
  readonly interval?: number | string | undefined;
  /**
   * How long other servers may take to answer for an account. A duration such as "2s", "1m30s" or
   * "500ms"; a plain number is seconds.
   */
  readonly timeout?: number | string | undefined;
}

/** Where the JWTs of accounts are found (complete and checked). */
export interface ResolverConfig {
  /**
   * memory (of resolver_preload), url, full (all accounts, in a folder) or cache (some of them).
   */
  readonly type: "memory" | "url" | "full" | "cache";
  /** Where JWTs of accounts are got, with the account's key behind it. */
  readonly url?: string | undefined;
  /** Folder of the JWTs of accounts. */
  readonly dir?: string | undefined;
  /** Whether accounts may be deleted by a message; their files are kept under another name. */
  readonly allow_delete?: boolean | undefined;
  /** Whether the files of deleted accounts are deleted too. */
  readonly hard_delete?: boolean | undefined;
  /** How many accounts the folder may hold. */
  readonly limit?: number | undefined;
  /** How long a cache keeps an account that nobody asks for. Milliseconds. */
  readonly ttl?: number | undefined;
  /** How often servers compare their accounts. Milliseconds. */
  readonly interval?: number | undefined;
  /** How long other servers may take to answer for an account. Milliseconds. */
  readonly timeout?: number | undefined;
}

/** TLS for clients (as it is asked for). */
export interface TlsConfigInput {
  /**
   * File with the certificate and those between it and its authority, PEM. Read again when it
   * changes.
   */
  readonly cert_file: string;
  /** File with its private key, PEM, without a passphrase. */
  readonly key_file: string;
  /** File with the authorities that certificates of others are verified against, PEM. */
  readonly ca_file?: string | undefined;
  /** Whether clients must show a certificate. Other servers always must. Default: `false`. */
  readonly verify?: boolean | undefined;
  /** The same, and the user is whoever the certificate names. Default: `false`. */
  readonly verify_and_map?: boolean | undefined;
  /**
   * How long a handshake may take; 0 is the default. A duration such as "2s", "1m30s" or "500ms"; a
   * plain number is seconds. Default: `"2s"`.
   */
  readonly timeout?: number | string | undefined;
  /**
   * Whether the handshake comes before INFO: true, false, or auto for where a client begins with it
   * within 50ms (or another duration). Between servers it always does. Default: `false`.
   */
  readonly handshake_first?: boolean | string | undefined;
  /**
   * SHA-256 of the public keys (SubjectPublicKeyInfo, DER) that are let in, in hex; any if empty.
   * Default: `[]`.
   */
  readonly pinned_certs?: readonly string[] | undefined;
  /** The oldest version of TLS that is spoken, in quotes. Default: `"1.2"`. */
  readonly min_version?: "1.2" | "1.3" | undefined;
  /** How many handshakes with clients may begin in a second; 0 is without limit. Default: `0`. */
  readonly connection_rate_limit?: number | undefined;
  /**
   * Believe every server that this one connects to. Not for anything but tests. Default: `false`.
   */
  readonly insecure?: boolean | undefined;
}

/** TLS for clients (complete and checked). */
export interface TlsConfig {
  /**
   * File with the certificate and those between it and its authority, PEM. Read again when it
   * changes.
   */
  readonly cert_file: string;
  /** File with its private key, PEM, without a passphrase. */
  readonly key_file: string;
  /** File with the authorities that certificates of others are verified against, PEM. */
  readonly ca_file?: string | undefined;
  /** Whether clients must show a certificate. Other servers always must. */
  readonly verify: boolean;
  /** The same, and the user is whoever the certificate names. */
  readonly verify_and_map: boolean;
  /** How long a handshake may take; 0 is the default. Milliseconds. */
  readonly timeout: number;
  /**
   * Whether the handshake comes before INFO: true, false, or auto for where a client begins with it
   * within 50ms (or another duration). Between servers it always does. Milliseconds where it is a
   * number.
   */
  readonly handshake_first: boolean | number;
  /**
   * SHA-256 of the public keys (SubjectPublicKeyInfo, DER) that are let in, in hex; any if empty.
   */
  readonly pinned_certs: readonly string[];
  /** The oldest version of TLS that is spoken, in quotes. */
  readonly min_version: "1.2" | "1.3";
  /** How many handshakes with clients may begin in a second; 0 is without limit. */
  readonly connection_rate_limit: number;
  /** Believe every server that this one connects to. Not for anything but tests. */
  readonly insecure: boolean;
}

/** The cluster that this server is part of (as it is asked for). */
export interface ClusterConfigInput {
  /** Name of the cluster, the same on all its servers. Default: the servers agree on one. */
  readonly name?: string | undefined;
  /** Address to listen on for other servers. Default: `"0.0.0.0"`. */
  readonly host?: string | undefined;
  /** Port to listen on for other servers; -1 lets the system choose a free one. Default: `6222`. */
  readonly port?: number | undefined;
  /** host and port in one: host:port, or only a port. */
  readonly listen?: number | string | undefined;
  /** Address that other servers are told to connect to, where it differs from host and port. */
  readonly advertise?: string | undefined;
  /** Do not tell clients of the other servers the addresses of this one. Default: `false`. */
  readonly no_advertise?: boolean | undefined;
  /**
   * The servers to connect to, such as nats-route://user:password@host:6222; one is enough.
   * Default: `[]`.
   */
  readonly routes?: readonly string[] | undefined;
  /**
   * How often to try again to connect to a server that was learnt of from another. Default: `0`.
   */
  readonly connect_retries?: number | undefined;
  /** Wait longer and longer, up to 30s, between tries to connect. Default: `false`. */
  readonly connect_backoff?: boolean | undefined;
  /**
   * How many connections to have to each server, with accounts spread over them; 0 is the default,
   * -1 one connection, as servers before 2.10 have. Default: `3`.
   */
  readonly pool_size?: number | undefined;
  /** Accounts that have a connection of their own to each server. Default: `[]`. */
  readonly accounts?: string | readonly string[] | undefined;
  /** How what routes send is compressed; may be written as the mode alone. */
  readonly compression?: boolean | string | CompressionConfigInput | undefined;
  /** What other servers must show: nothing, unless a user is given. */
  readonly authorization?: ClusterAuthorizationInput | undefined;
  /** TLS between the servers of the cluster; all of them have it, or none. */
  readonly tls?: ClusterTlsConfigInput | undefined;
  /**
   * Which subjects cross between this server and the others: import, what it asks them for, and
   * export, what they may ask it for.
   */
  readonly permissions?: ClusterPermissionsInput | undefined;
  /**
   * How often a quiet server is pinged; more than 30s is taken for 30s. Where it is not given, the
   * top-level one counts. A duration such as "2s", "1m30s" or "500ms"; a plain number is seconds.
   * Default: `"30s"`.
   */
  readonly ping_interval?: number | string | undefined;
  /**
   * How many pings may go unanswered before a connection is closed as stale. Where it is not given,
   * the top-level one counts. Default: `2`.
   */
  readonly ping_max?: number | undefined;
  /**
   * How long a write to another server may take before it is closed as a slow consumer. Where it is
   * not given, the top-level one counts. A duration such as "2s", "1m30s" or "500ms"; a plain
   * number is seconds. Default: `"10s"`.
   */
  readonly write_deadline?: number | string | undefined;
}

/** The cluster that this server is part of (complete and checked). */
export interface ClusterConfig {
  /** Name of the cluster, the same on all its servers. Default: the servers agree on one. */
  readonly name?: string | undefined;
  /** Address to listen on for other servers. */
  readonly host: string;
  /** Port to listen on for other servers; -1 lets the system choose a free one. */
  readonly port: number;
  /** Address that other servers are told to connect to, where it differs from host and port. */
  readonly advertise?: string | undefined;
  /** Do not tell clients of the other servers the addresses of this one. */
  readonly no_advertise: boolean;
  /** The servers to connect to, such as nats-route://user:password@host:6222; one is enough. */
  readonly routes: readonly RouteUrl[];
  /** How often to try again to connect to a server that was learnt of from another. */
  readonly connect_retries: number;
  /** Wait longer and longer, up to 30s, between tries to connect. */
  readonly connect_backoff: boolean;
  /**
   * How many connections to have to each server, with accounts spread over them; 0 is the default,
   * -1 one connection, as servers before 2.10 have.
   */
  readonly pool_size: number;
  /** Accounts that have a connection of their own to each server. */
  readonly accounts: readonly string[];
  /** How what routes send is compressed; may be written as the mode alone. */
  readonly compression: CompressionConfig;
  /** What other servers must show: nothing, unless a user is given. */
  readonly authorization: ClusterAuthorization;
  /** TLS between the servers of the cluster; all of them have it, or none. */
  readonly tls?: ClusterTlsConfig | undefined;
  /**
   * Which subjects cross between this server and the others: import, what it asks them for, and
   * export, what they may ask it for.
   */
  readonly permissions?: ClusterPermissions | undefined;
  /**
   * How often a quiet server is pinged; more than 30s is taken for 30s. Where it is not given, the
   * top-level one counts. Milliseconds.
   */
  readonly ping_interval: number;
  /**
   * How many pings may go unanswered before a connection is closed as stale. Where it is not given,
   * the top-level one counts.
   */
  readonly ping_max: number;
  /**
   * How long a write to another server may take before it is closed as a slow consumer. Where it is
   * not given, the top-level one counts. Milliseconds.
   */
  readonly write_deadline: number;
}

/** How what routes send is compressed; may be written as the mode alone (as it is asked for). */
export interface CompressionConfigInput {
  /**
   * off, accept (compress for those that ask for it), s2_fast, s2_better, s2_best, or s2_auto (by
   * round trip time); on is s2_fast. Default: `"accept"`.
   */
  readonly mode?: boolean | string | undefined;
  /**
   * With s2_auto, the round trip times up to which nothing is compressed, then fast, better, best;
   * 0 leaves a level out. Default: `["10ms","50ms","100ms"]`.
   */
  readonly rtt_thresholds?: readonly (number | string)[] | undefined;
}

/** How what routes send is compressed; may be written as the mode alone (complete and checked). */
export interface CompressionConfig {
  /**
   * off, accept (compress for those that ask for it), s2_fast, s2_better, s2_best, or s2_auto (by
   * round trip time); on is s2_fast.
   */
  readonly mode: "off" | "accept" | "s2_fast" | "s2_better" | "s2_best" | "s2_auto";
  /**
   * With s2_auto, the round trip times up to which nothing is compressed, then fast, better, best;
   * 0 leaves a level out.
   */
  readonly rtt_thresholds: readonly number[];
}

/** What other servers must show: nothing, unless a user is given (as it is asked for). */
export interface ClusterAuthorizationInput {
  /** Name that other servers must show. */
  readonly user?: string | undefined;
  /** Password of that name. In the clear it is also shown to servers that are learnt of. */
  readonly password?: string | undefined;
  /**
   * How long another server may take to show who it is. With TLS the default is a second more than
   * tls.timeout. A duration such as "2s", "1m30s" or "500ms"; a plain number is seconds. Default:
   * `"2s"`.
   */
  readonly timeout?: number | string | undefined;
}

/** What other servers must show: nothing, unless a user is given (complete and checked). */
export interface ClusterAuthorization {
  /** Name that other servers must show. */
  readonly user?: string | undefined;
  /** Password of that name. In the clear it is also shown to servers that are learnt of. */
  readonly password?: string | undefined;
  /**
   * How long another server may take to show who it is. With TLS the default is a second more than
   * tls.timeout. Milliseconds.
   */
  readonly timeout: number;
}

/** TLS between the servers of a cluster; all of them have it, or none (as it is asked for). */
export interface ClusterTlsConfigInput {
  /**
   * File with the certificate and those between it and its authority, PEM. Read again when it
   * changes.
   */
  readonly cert_file: string;
  /** File with its private key, PEM, without a passphrase. */
  readonly key_file: string;
  /** File with the authorities that certificates of others are verified against, PEM. */
  readonly ca_file?: string | undefined;
  /** Whether clients must show a certificate. Other servers always must. Default: `false`. */
  readonly verify?: boolean | undefined;
  /** The same, and the user is whoever the certificate names. Default: `false`. */
  readonly verify_and_map?: boolean | undefined;
  /**
   * How long a handshake may take; 0 is the default. A duration such as "2s", "1m30s" or "500ms"; a
   * plain number is seconds. Default: `"2s"`.
   */
  readonly timeout?: number | string | undefined;
  /**
   * Whether the handshake comes before INFO: true, false, or auto for where a client begins with it
   * within 50ms (or another duration). Between servers it always does. Default: `false`.
   */
  readonly handshake_first?: boolean | string | undefined;
  /**
   * SHA-256 of the public keys (SubjectPublicKeyInfo, DER) that are let in, in hex; any if empty.
   * Default: `[]`.
   */
  readonly pinned_certs?: readonly string[] | undefined;
  /** The oldest version of TLS that is spoken, in quotes. Default: `"1.2"`. */
  readonly min_version?: "1.2" | "1.3" | undefined;
  /** How many handshakes with clients may begin in a second; 0 is without limit. Default: `0`. */
  readonly connection_rate_limit?: number | undefined;
  /**
   * Believe every server that this one connects to. Not for anything but tests. Default: `false`.
   */
  readonly insecure?: boolean | undefined;
  /**
   * Let in only servers whose certificate has a DNS name that one of the routes has. Default:
   * `false`.
   */
  readonly verify_cert_and_check_known_urls?: boolean | undefined;
}

/** TLS between the servers of a cluster; all of them have it, or none (complete and checked). */
export interface ClusterTlsConfig {
  /**
   * File with the certificate and those between it and its authority, PEM. Read again when it
   * changes.
   */
  readonly cert_file: string;
  /** File with its private key, PEM, without a passphrase. */
  readonly key_file: string;
  /** File with the authorities that certificates of others are verified against, PEM. */
  readonly ca_file?: string | undefined;
  /** Whether clients must show a certificate. Other servers always must. */
  readonly verify: boolean;
  /** The same, and the user is whoever the certificate names. */
  readonly verify_and_map: boolean;
  /** How long a handshake may take; 0 is the default. Milliseconds. */
  readonly timeout: number;
  /**
   * Whether the handshake comes before INFO: true, false, or auto for where a client begins with it
   * within 50ms (or another duration). Between servers it always does. Milliseconds where it is a
   * number.
   */
  readonly handshake_first: boolean | number;
  /**
   * SHA-256 of the public keys (SubjectPublicKeyInfo, DER) that are let in, in hex; any if empty.
   */
  readonly pinned_certs: readonly string[];
  /** The oldest version of TLS that is spoken, in quotes. */
  readonly min_version: "1.2" | "1.3";
  /** How many handshakes with clients may begin in a second; 0 is without limit. */
  readonly connection_rate_limit: number;
  /** Believe every server that this one connects to. Not for anything but tests. */
  readonly insecure: boolean;
  /** Let in only servers whose certificate has a DNS name that one of the routes has. */
  readonly verify_cert_and_check_known_urls: boolean;
}

/** Which subjects cross between this server and the others (as it is asked for). */
export interface ClusterPermissionsInput {
  /** The subjects that the other servers are asked for. */
  readonly import?: string | readonly string[] | SubjectPermissionsInput | undefined;
  /** The subjects that the other servers may ask for. */
  readonly export?: string | readonly string[] | SubjectPermissionsInput | undefined;
}

/** Which subjects cross between this server and the others (complete and checked). */
export interface ClusterPermissions {
  /** The subjects that the other servers are asked for. */
  readonly import?: SubjectPermissions | undefined;
  /** The subjects that the other servers may ask for. */
  readonly export?: SubjectPermissions | undefined;
}

/** The form and the level of the log (as it is asked for). */
export interface LogConfigInput {
  /** Lines as nats-server writes them, or one JSON object a line. Default: `"text"`. */
  readonly format?: "text" | "json" | undefined;
  /**
   * The least important lines that are logged: error, warn, info, debug or trace. Default:
   * `"info"`.
   */
  readonly level?: "error" | "warn" | "info" | "debug" | "trace" | undefined;
  /**
   * Levels of single modules, where they differ from level: client, accept, auth, account, tls,
   * route, supervisor. Default: `{}`.
   */
  readonly levels?: {
    readonly client?: "error" | "warn" | "info" | "debug" | "trace";
    readonly accept?: "error" | "warn" | "info" | "debug" | "trace";
    readonly auth?: "error" | "warn" | "info" | "debug" | "trace";
    readonly account?: "error" | "warn" | "info" | "debug" | "trace";
    readonly tls?: "error" | "warn" | "info" | "debug" | "trace";
    readonly route?: "error" | "warn" | "info" | "debug" | "trace";
    readonly supervisor?: "error" | "warn" | "info" | "debug" | "trace";
  } | undefined;
}

/** The form and the level of the log (complete and checked). */
export interface LogConfig {
  /** Lines as nats-server writes them, or one JSON object a line. */
  readonly format: "text" | "json";
  /** The least important lines that are logged: error, warn, info, debug or trace. */
  readonly level: "error" | "warn" | "info" | "debug" | "trace";
  /**
   * Levels of single modules, where they differ from level: client, accept, auth, account, tls,
   * route, supervisor.
   */
  readonly levels: {
    readonly client?: "error" | "warn" | "info" | "debug" | "trace";
    readonly accept?: "error" | "warn" | "info" | "debug" | "trace";
    readonly auth?: "error" | "warn" | "info" | "debug" | "trace";
    readonly account?: "error" | "warn" | "info" | "debug" | "trace";
    readonly tls?: "error" | "warn" | "info" | "debug" | "trace";
    readonly route?: "error" | "warn" | "info" | "debug" | "trace";
    readonly supervisor?: "error" | "warn" | "info" | "debug" | "trace";
  };
}
