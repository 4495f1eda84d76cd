/**
 * What all client sessions of a broker share.
 *
 * @module
 */
import type { Account } from "../account/mod.ts";
import type { Authenticator, Identity, Refusal } from "../auth/mod.ts";
import type { PeerSessionSettings, TimerWheel } from "../connection/mod.ts";
import type { Log } from "../log/mod.ts";
import type { Random } from "../platform/mod.ts";
import type { CloseReason, ServerInfo } from "../protocol/mod.ts";
import type { ClientLimits } from "./limits.ts";
import type { ClientTls } from "./opening.ts";
import type { ClientSession } from "./session.ts";

/** What clients did, over all connections. */
export interface ClientStatistics {
  /** Messages received. */
  inMessages: number;
  /** Bytes of headers and payload received. */
  inBytes: number;
  /** Messages delivered by connections that are closed; open ones count for themselves. */
  outMessages: number;
  /** Bytes delivered by connections that are closed. */
  outBytes: number;
  /** Connections ever accepted. */
  totalConnections: number;
  /** Connections closed as slow consumers. */
  slowConsumers: number;
  /** Connections closed as stale. */
  staleConnections: number;
  /** Connections that are being closed, and do not count any more. */
  closingConnections: number;
  /** Connections that have no session yet, since TLS comes first. */
  openingConnections: number;
}

/** What a session needs from its surroundings. */
export interface ClientEnvironment extends PeerSessionSettings {
  /** Limits and intervals. Others may take their place at any time. */
  limits: ClientLimits;
  /** Chance. */
  readonly random: Random;
  /** Where clients are logged. */
  readonly log: Log;
  /** Where it is logged who is not let in for want of room or file descriptors. */
  readonly acceptLog: Log;
  /** Where it is logged who is not let in for want of credentials. */
  readonly authLog: Log;
  /** Decides who may connect. */
  readonly authenticator: Authenticator;
  /** The account of an identity; null when there is none of its name (any more). */
  accountOf(identity: Identity): Account | null;
  /** The name of the system account; null where there is none. */
  readonly systemAccount: string | null;
  /** A session was refused for a reason; returns the id under which that was made known. */
  refused(session: ClientSession, refusal: Refusal): string;
  /** INFO as it is now. */
  info(): ServerInfo;
  /** Whether INFO has a nonce, for clients to sign. */
  readonly nonceRequired: boolean;
  /** TLS as it is now; null without. */
  tls(): ClientTls | null;
  /** Deadlines of connections. */
  readonly wheel: TimerWheel;
  /** Sums over all connections. */
  readonly statistics: ClientStatistics;
  /** Open sessions by id. */
  readonly sessions: Map<number, ClientSession>;
  /** Whether all sessions are about to end with the server. */
  readonly ending: boolean;
  /** A session has said CONNECT, and was let in. */
  connected(session: ClientSession): void;
  /** A session has ended. */
  disconnected(session: ClientSession, reason: CloseReason): void;
}
