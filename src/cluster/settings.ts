/**
 * What routes are held to.
 *
 * @module
 */
import type { SubjectFilter } from "../protocol/mod.ts";
import type { CompressionConfig } from "./compression.ts";

/** Credentials that this server shows to others. */
export interface RouteCredentials {
  /** The user. */
  readonly user: string;
  /** The password. */
  readonly password: string;
}

/** Where another server is to be found. */
export interface RouteUrl {
  /** Host name or address. */
  readonly host: string;
  /** Port. */
  readonly port: number;
  /** User to show there, where the URL names one. */
  readonly user?: string | undefined;
  /** That user's password. */
  readonly password?: string | undefined;
}

/** Settings of all routes. Times in milliseconds. */
export interface RouteSettings {
  /** Connections to each peer besides those of single accounts; 0 for one without a pool. */
  readonly poolSize: number;
  /** Accounts with a connection of their own; the system account is one of them. */
  readonly pinned: ReadonlySet<string>;
  /** The name of the system account, in which other servers tell that they end. */
  readonly systemAccount: string;
  /** Compression. */
  readonly compression: CompressionConfig;
  /** How long others may take to show who they are. */
  readonly authTimeoutMs: number;
  /** Interest that is announced; all if null. */
  readonly importFilter: SubjectFilter | null;
  /** Interest that is taken from others; all if null. */
  readonly exportFilter: SubjectFilter | null;
  /** Time between PINGs. */
  readonly pingIntervalMs: number;
  /** PINGs without an answer after which a route is stale. */
  readonly pingMax: number;
  /** Longest argument part of a control line, in bytes. */
  readonly maxControlLine: number;
  /** Largest message that is taken from a peer, in bytes. */
  readonly maxPayload: number;
  /** Most interest that a peer may announce over one connection. */
  readonly maxInterests: number;
  /** How long its texts may be together, in bytes. */
  readonly maxInterestBytes: number;
  /** What one chunk may give rise to before that is sent out, in bytes delivered. */
  readonly chunkWork: number;
  /** How often an implicit route is dialled again before that is given up for the time being. */
  readonly connectRetries: number;
  /** Whether dialling an explicit route becomes rarer when it fails. */
  readonly connectBackoff: boolean;
}
