/**
 * What a broker makes of the TLS parts of its configuration.
 *
 * @module
 */
import { type ClientTls, HandshakeRate } from "./client/mod.ts";
import { type RouteTls, tlsNameOf } from "./cluster/mod.ts";
import type { ClusterTlsConfig, Config, TlsConfig } from "./config/mod.ts";
import {
  loadTlsMaterial,
  type TlsContext,
  type TlsMaterial,
  type TlsSettings,
} from "./connection/mod.ts";
import type { Files } from "./platform/mod.ts";

/** The certificates of a broker; null where there is no TLS. */
export interface TlsMaterials {
  /** For clients. */
  readonly client: TlsMaterial | null;
  /** For routes. */
  readonly route: TlsMaterial | null;
}

/**
 * Reads and checks the certificates that a configuration names.
 *
 * @throws {TlsMaterialError} when they cannot be used.
 */
export async function loadTls(
  config: Config,
  files: Pick<Files, "readText">,
): Promise<TlsMaterials> {
  const load = (settings: TlsSettings | null) =>
    settings === null ? null : loadTlsMaterial(files, settings);
  return {
    client: await load(clientTlsSettings(config)),
    route: await load(routeTlsSettings(config)),
  };
}

/** What TLS for clients is to be like; null without. */
export function clientTlsSettings({ tls }: Config): TlsSettings | null {
  return tls === undefined ? null : settingsOf(tls, tls.verify);
}

/** What TLS between servers is to be like; null without. Others must always show a certificate. */
export function routeTlsSettings({ cluster }: Config): TlsSettings | null {
  return cluster?.tls === undefined ? null : settingsOf(cluster.tls, true);
}

function settingsOf(tls: TlsConfig | ClusterTlsConfig, verify: boolean): TlsSettings {
  return {
    certFile: tls.cert_file,
    keyFile: tls.key_file,
    caFile: tls.ca_file ?? null,
    verify,
    minVersion: tls.min_version,
    pinned: new Set(tls.pinned_certs),
    timeoutMs: tls.timeout,
  };
}

/** TLS for clients with certificates that are there; null where `config` has none. */
export function clientTls(config: Config, context: TlsContext | null): ClientTls | null {
  const { tls, allow_non_tls: allowPlain } = config;
  if (tls === undefined || context === null) return null;
  return {
    context,
    handshakeFirst: tls.handshake_first,
    allowPlain,
    rateLimit: tls.connection_rate_limit > 0 ? new HandshakeRate(tls.connection_rate_limit) : null,
  };
}

/** TLS for routes with certificates that are there; null where `config` has none. */
export function routeTls({ cluster }: Config, context: TlsContext | null): RouteTls | null {
  if (cluster?.tls === undefined || context === null) return null;
  return { context, insecure: cluster.tls.insecure, name: tlsNameOf(cluster.routes) };
}
