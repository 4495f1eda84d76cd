/**
 * What clients are held to.
 *
 * @module
 */
import type { Config } from "../config/mod.ts";

/** How much one chunk of a client's may give rise to before that is sent out. */
const CHUNK_WORK_BYTES = 8 * 1024 * 1024;

/** Limits and intervals of clients, in nats-server's names. */
export interface ClientLimits {
  /** Largest headers and payload together, in bytes. */
  readonly max_payload: number;
  /** Longest argument part of a control line, in bytes. */
  readonly max_control_line: number;
  /** Most subscriptions of one connection; 0 for no limit. */
  readonly max_subscriptions: number;
  /** Most tokens of a subscription's subject; 0 for no limit. */
  readonly max_sub_tokens: number;
  /** Most bytes that may wait for a client. */
  readonly max_pending: number;
  /** Milliseconds that writing what waits may take. */
  readonly write_deadline: number;
  /** Milliseconds between PINGs. */
  readonly ping_interval: number;
  /** Unanswered PINGs after which a connection is stale. */
  readonly ping_max: number;
  /** Milliseconds in which CONNECT must come where credentials are required. */
  readonly auth_timeout: number;
  /** Whether headers are refused. */
  readonly no_header_support: boolean;
  /**
   * How much one chunk may give rise to before that is sent out, in bytes delivered. Without a limit
   * a chunk of small messages to a thousand subscribers would become hundreds of megabytes.
   */
  readonly chunk_work: number;
}

/** The limits that a configuration sets. */
export function clientLimits(config: Config): ClientLimits {
  return {
    max_payload: config.max_payload,
    max_control_line: config.max_control_line,
    max_subscriptions: config.max_subscriptions,
    max_sub_tokens: config.max_sub_tokens ?? 0,
    max_pending: config.max_pending,
    write_deadline: config.write_deadline,
    ping_interval: config.ping_interval,
    ping_max: config.ping_max,
    auth_timeout: config.authorization.timeout,
    no_header_support: config.no_header_support,
    chunk_work: Math.min(CHUNK_WORK_BYTES, config.max_pending / 4),
  };
}
