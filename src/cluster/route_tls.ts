/**
 * TLS between servers: before anything else is said, with certificates on both sides.
 *
 * @module
 */
import { isIP } from "node:net";
import { parseDistinguishedName } from "../auth/mod.ts";
import {
  acceptTls,
  dialTls,
  type Secured,
  type ShownCertificate,
  type TlsContext,
  TlsError,
} from "../connection/mod.ts";
import { type Connection, formatAddress } from "../platform/mod.ts";
import type { RouteEnvironment } from "./environment.ts";
import type { RouteUrl } from "./settings.ts";

/** How often it is logged that handshakes fail. */
const FAILURE_LOG_MS = 60_000;

/** TLS for routes as it is configured now. */
export interface RouteTls {
  /** The certificates. */
  readonly context: TlsContext;
  /** Whether anybody is believed to be the server that is dialled. */
  readonly insecure: boolean;
  /** The name that the certificates of servers have that are dialled by address; null without. */
  readonly name: string | null;
}

/** The first host name of the configured routes, as nats-server takes it for all; null without. */
export function tlsNameOf(routes: readonly RouteUrl[]): string | null {
  return routes.find(({ host }) => isIP(host) === 0)?.host ?? null;
}

/** The handshake with a server that has dialled; null where nothing comes of it. */
export async function acceptRouteTls(
  { log, clock }: Pick<RouteEnvironment, "log" | "clock">,
  { context: { current: material } }: RouteTls,
  connection: Connection,
  id: number,
  signal: AbortSignal,
): Promise<Secured | null> {
  try {
    const { timeoutMs } = material.settings;
    return await acceptTls(connection, { material, clock, timeoutMs, signal });
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    const address = formatAddress(connection.remoteAddress);
    const about = `${connection.remoteAddress.hostname}\n${error.message}`;
    log.limitedBy("tls", about, FAILURE_LOG_MS)?.error(
      `${address} - rid:${id} - TLS route handshake error: ${error.message}`,
    );
    return null;
  }
}

/**
 * The handshake with a server that was dialled.
 *
 * @throws {TlsError} when it fails.
 */
export async function dialRouteTls(
  { clock }: Pick<RouteEnvironment, "clock">,
  { context: { current: material }, insecure, name }: RouteTls,
  connection: Connection,
  host: string,
  signal: AbortSignal,
): Promise<Secured> {
  const serverName = isIP(host) === 0 ? host : name ?? host;
  const { timeoutMs } = material.settings;
  try {
    return await dialTls(connection, {
      material,
      clock,
      timeoutMs,
      signal,
      serverName,
      insecure,
    });
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    throw new TlsError(`TLS route handshake error: ${error.message}`, { cause: error });
  }
}

/** Whether a certificate has a DNS name that is the host of one of `routes`. */
export function isKnownServer(
  certificate: ShownCertificate,
  routes: readonly Pick<RouteUrl, "host">[],
): boolean {
  return certificate.dnsNames.some((name) => routes.some(({ host }) => covers(name, host)));
}

/** Whether a DNS name, whose first label may be `*`, is that of a host. */
function covers(name: string, host: string): boolean {
  const ours = name.toLowerCase().split("."), theirs = host.toLowerCase().split(".");
  return ours.length === theirs.length &&
    ours.every((label, index) => label === theirs[index] || (label === "*" && index === 0));
}

/** Whether a certificate names a user: by an e-mail address, a DNS name, a URI, or its subject. */
export function namesUser(certificate: ShownCertificate, user: string): boolean {
  const { emails, dnsNames, uris, subject } = certificate;
  return [...emails, ...dnsNames, ...uris].includes(user) || sameSubject(subject, user);
}

/** As to nats-server, the order of the parts means nothing. */
function sameSubject(one: string, other: string): boolean {
  const name = parseDistinguishedName(one);
  return name !== null && name.unordered === parseDistinguishedName(other)?.unordered;
}
