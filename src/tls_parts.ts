/**
 * What a broker makes of the TLS parts of its configuration.
 *
 * @module
 */
import { type ClientTls, HandshakeRate, tlsInfo } from "./client/mod.ts";
import { type RouteTls, tlsNameOf } from "./cluster/mod.ts";
import type { ClusterTlsConfig, Config, TlsConfig } from "./config/mod.ts";
import {
  CERTIFICATE_LOOK_MS,
  EXPIRY_LOOK_MS,
  expiryOf,
  loadTlsMaterial,
  TlsContext,
  type TlsContextOptions,
  type TlsMaterial,
  type TlsSettings,
} from "./connection/mod.ts";
import type { Files } from "./platform/mod.ts";
import type { ServerInfo } from "./protocol/mod.ts";
import { every, type Scope } from "./supervisor/mod.ts";

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
 * @param before What was used until now, if anything.
 * @throws {TlsMaterialError} when they cannot be used.
 */
export async function loadTls(
  { tls, cluster }: Config,
  files: Pick<Files, "readText">,
  before: TlsMaterials = { client: null, route: null },
): Promise<TlsMaterials> {
  return {
    client: tls === undefined
      ? null
      : await loadTlsMaterial(files, settingsOf(tls, tls.verify), before.client),
    // Other servers must always show a certificate.
    route: cluster?.tls === undefined
      ? null
      : await loadTlsMaterial(files, settingsOf(cluster.tls, true), before.route),
  };
}

/** What is to be said of certificates that have expired at `nowMs`, or soon will. */
export function expiryWarnings(materials: TlsMaterials, nowMs: number): string[] {
  return (["client", "route"] as const).flatMap((purpose) => {
    const material = materials[purpose];
    const expiry = material === null ? null : expiryOf(material, purpose, nowMs);
    if (expiry === null) return [];
    return [`${expiry.message}: ${expiry.fields.file} is valid until ${expiry.fields.valid_until}`];
  });
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

/** TLS of a broker as it is now. Connections keep what they were made with. */
export class BrokerTls {
  readonly #options: Omit<TlsContextOptions, "purpose">;
  #client: ClientTls | null;
  #route: RouteTls | null;

  /** Begins with certificates that are loaded. */
  constructor(
    config: Config,
    materials: TlsMaterials,
    options: Omit<TlsContextOptions, "purpose">,
  ) {
    this.#options = options;
    this.#client = this.#clientOf(config, materials.client);
    this.#route = this.#routeOf(config, materials.route);
  }

  /** For clients; null without. */
  get client(): ClientTls | null {
    return this.#client;
  }

  /** For routes; null without. */
  get route(): RouteTls | null {
    return this.#route;
  }

  /** Looks regularly at the files, and at how long certificates are still valid. */
  watch(scope: Scope): void {
    const each = async (what: (context: TlsContext) => void | Promise<void>) => {
      for (const tls of [this.#client, this.#route]) if (tls !== null) await what(tls.context);
    };
    every(scope, "certificates", CERTIFICATE_LOOK_MS, () => each((context) => context.look()));
    every(scope, "expiry", EXPIRY_LOOK_MS, () => each((context) => context.warnOfExpiry()));
  }

  /**
   * Reads and checks the certificates of another configuration, without any effect yet.
   *
   * @throws {TlsMaterialError} when they cannot be used.
   */
  async prepare(config: Config): Promise<{ apply(): void; rollback(): void }> {
    const materials = await loadTls(config, this.#options.files, {
      client: this.#client?.context.current ?? null,
      route: this.#route?.context.current ?? null,
    });
    const before = { client: this.#client, route: this.#route };
    const use = ({ client, route }: typeof before) => {
      this.#client = client;
      this.#route = route;
    };
    const after = {
      client: this.#clientOf(config, materials.client),
      route: this.#routeOf(config, materials.route),
    };
    return { apply: () => use(after), rollback: () => use(before) };
  }

  #clientOf({ tls, allow_non_tls }: Config, material: TlsMaterial | null): ClientTls | null {
    if (tls === undefined || material === null) return null;
    const { handshake_first, connection_rate_limit: most } = tls;
    return {
      context: this.#context(material, "client"),
      handshakeFirst: handshake_first,
      allowPlain: allow_non_tls,
      rateLimit: most > 0 ? new HandshakeRate(most) : null,
    };
  }

  #routeOf({ cluster }: Config, material: TlsMaterial | null): RouteTls | null {
    if (cluster?.tls === undefined || material === null) return null;
    return {
      context: this.#context(material, "route"),
      insecure: cluster.tls.insecure,
      name: tlsNameOf(cluster.routes),
    };
  }

  #context(material: TlsMaterial, purpose: string): TlsContext {
    return new TlsContext(material, { ...this.#options, purpose });
  }
}

/** Says in INFO for clients what a configuration makes of TLS, and nothing of another one. */
export function setTlsInfo(info: ServerInfo, { tls, allow_non_tls }: Config): void {
  delete info.tls_required;
  delete info.tls_verify;
  delete info.tls_available;
  Object.assign(info, tlsInfo(tls, allow_non_tls));
}
