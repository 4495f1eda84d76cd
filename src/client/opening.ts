/**
 * What happens on a connection before its session: INFO, and TLS.
 *
 * @module
 */
import { createNonce, type PeerFacts } from "../auth/mod.ts";
import {
  acceptTls,
  firstBytes,
  type TlsContext,
  TlsError,
  type TlsFacts,
} from "../connection/mod.ts";
import { type Connection, ConnectionError, formatAddress } from "../platform/mod.ts";
import {
  byteStringBytes,
  type ConnectionInfo,
  infoFrame,
  type ServerInfo,
} from "../protocol/mod.ts";
import type { Scope } from "../supervisor/mod.ts";
import type { ClientEnvironment } from "./environment.ts";

/** How often it is logged that handshakes fail, or are too many. */
const FAILURE_LOG_MS = 1000;
/** Within which so many handshakes may begin as {@link ClientTls.rateLimit} says. */
const RATE_PERIOD_MS = 1000;

/** What is settled about a connection when its session begins. */
export interface Opening extends Pick<PeerFacts, "nonce" | "connectionType"> {
  /** Whether the client has had INFO. */
  readonly infoSent: boolean;
  /** What the client has shown in the handshake. */
  readonly certificate: TlsFacts["certificate"];
  /** The TLS version and the cipher; null without TLS. */
  readonly tls: TlsFacts["tls"] | null;
}

/** TLS for clients as it is configured now. */
export interface ClientTls {
  /** The certificates. */
  readonly context: TlsContext;
  /**
   * Whether the handshake comes before INFO: no, always, or where the client begins with it in so many
   * milliseconds.
   */
  readonly handshakeFirst: boolean | number;
  /** Whether a client may leave TLS out. */
  readonly allowPlain: boolean;
  /** How many handshakes may begin in a second; null without limit. */
  readonly rateLimit: HandshakeRate | null;
}

/** Counts the handshakes of a second. */
export class HandshakeRate {
  readonly #max: number;
  #fromMs = -Infinity;
  #begun = 0;

  /** `max`: how many may begin in a second. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Whether another one may begin; it counts where it may. */
  admit(nowMs: number): boolean {
    if (nowMs - this.#fromMs >= RATE_PERIOD_MS) {
      this.#fromMs = nowMs;
      this.#begun = 0;
    }
    return this.#begun < this.#max && this.#begun++ >= 0;
  }
}

/** The opening of a connection on which nothing has happened yet. */
export function newOpening(
  { nonceRequired, random }: Pick<ClientEnvironment, "nonceRequired" | "random">,
  connectionType: Opening["connectionType"] = "STANDARD",
): Opening {
  const nonce = nonceRequired ? createNonce(random) : null;
  return { nonce, connectionType, infoSent: false, certificate: null, tls: null };
}

/** The INFO frame for a client. */
export function clientInfo(
  server: ServerInfo,
  opening: Pick<Opening, "nonce" | "connectionType">,
  connection: ConnectionInfo,
): string {
  return infoFrame(opening.connectionType === "IN_PROCESS" ? withoutTls(server) : server, {
    ...connection,
    ...(opening.nonce !== null && { nonce: opening.nonce }),
  });
}

/** Within the process there is nothing to be hidden from anybody. */
function withoutTls(server: ServerInfo): ServerInfo {
  const { tls_required: _required, tls_verify: _verify, tls_available: _available, ...rest } =
    server;
  return rest;
}

/** What INFO says of TLS. */
export function tlsInfo(
  tls: { readonly verify: boolean } | undefined,
  allowPlain: boolean,
): Pick<ServerInfo, "tls_required" | "tls_verify" | "tls_available"> {
  if (tls === undefined) return {};
  return {
    ...(allowPlain ? { tls_available: true } : { tls_required: true }),
    ...(tls.verify && { tls_verify: true }),
  };
}

/** A connection that is ready for its session. */
export interface Opened {
  /** Plaintext in and out. */
  readonly connection: Connection;
  /** What is settled. */
  readonly opening: Opening;
}

/**
 * Does what comes before the session where there is TLS; null where nothing comes of it, and the
 * connection is closed. `scope` is the connection's own.
 */
export async function openSecurely(
  environment: ClientEnvironment,
  tls: ClientTls,
  connection: Connection,
  id: number,
  scope: Scope,
): Promise<Opened | null> {
  const { log, clock, statistics } = environment;
  const label = `${formatAddress(connection.remoteAddress)} - cid:${id}`;
  if (tls.rateLimit?.admit(clock.monotonic()) === false) {
    log.limited("tls rate", FAILURE_LOG_MS)?.warn("Connections rejected due to TLS rate limiting");
    connection.close();
    return null;
  }
  scope.onCancel(() => connection.close());
  statistics.openingConnections++;
  try {
    return await new ClientOpening(environment, tls, connection, id, scope).run();
  } catch (error) {
    connection.close();
    if (!(error instanceof ConnectionError)) throw error;
    if (error instanceof TlsError) {
      const { message } = error, about = `${connection.remoteAddress.hostname}\n${message}`;
      log.limitedBy("tls", about, FAILURE_LOG_MS)?.error(
        `${label} - TLS handshake error: ${message}`,
      );
    } else if (log.debugOn) {
      log.debug(`${label} - Client connection closed before TLS: ${error.message}`);
    }
    return null;
  } finally {
    statistics.openingConnections--;
  }
}

/** The steps before a session. */
class ClientOpening {
  readonly #environment: ClientEnvironment;
  readonly #tls: ClientTls;
  readonly #id: number;
  readonly #scope: Scope;
  #connection: Connection;
  #opening: Opening;

  constructor(
    environment: ClientEnvironment,
    tls: ClientTls,
    connection: Connection,
    id: number,
    scope: Scope,
  ) {
    this.#environment = environment;
    this.#tls = tls;
    this.#connection = connection;
    this.#id = id;
    this.#scope = scope;
    this.#opening = newOpening(environment);
  }

  async run(): Promise<Opened> {
    const { handshakeFirst, allowPlain, context } = this.#tls;
    const { timeoutMs } = context.current.settings;
    let isTls: boolean | null = handshakeFirst === true && !allowPlain ? true : null;
    if (isTls === null && handshakeFirst !== false) {
      isTls = await this.#look(handshakeFirst === true ? timeoutMs : handshakeFirst);
    }
    if (isTls !== true && handshakeFirst !== true) await this.#sendInfo(timeoutMs);
    if (allowPlain) {
      if (isTls === null && handshakeFirst !== true) isTls = await this.#look(timeoutMs);
      // Whoever says nothing may be waiting for something to be said in the clear.
      if (isTls !== true) return { connection: this.#connection, opening: this.#opening };
    }
    const { connection, ...facts } = await acceptTls(this.#connection, {
      material: context.current,
      clock: this.#environment.clock,
      timeoutMs,
      signal: this.#scope.signal,
    });
    return { connection, opening: { ...this.#opening, ...facts } };
  }

  /** Whether the client begins with TLS; null where it begins with nothing in time. */
  async #look(limitMs: number): Promise<boolean | null> {
    const first = await firstBytes(this.#connection, this.#environment.clock, limitMs);
    this.#connection = first.connection;
    return first.isTls;
  }

  async #sendInfo(limitMs: number): Promise<void> {
    const { clock, info } = this.#environment, connection = this.#connection;
    const bytes = byteStringBytes(clientInfo(info(), this.#opening, {
      client_id: this.#id,
      client_ip: connection.remoteAddress.hostname,
    }));
    const timer = clock.setTimer(limitMs, () => connection.close());
    try {
      for (let sent = 0; sent < bytes.length;) {
        sent += await connection.write(bytes.subarray(sent));
      }
    } finally {
      timer.cancel();
    }
    this.#opening = { ...this.#opening, infoSent: true };
  }
}
