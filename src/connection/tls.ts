/**
 * TLS over connections, on the side that was dialled and on the one that dials.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { isIP } from "node:net";
import { connect, type DetailedPeerCertificate, type Server, type TLSSocket } from "node:tls";
import { type Clock, type Connection, ConnectionError } from "../platform/mod.ts";
import { readCertificate, type ShownCertificate, shownCertificate } from "./certificate.ts";
import { DerError } from "./der.ts";
import type { TlsMaterial } from "./tls_material.ts";
import { CipherStream, reasonOf, TlsStream } from "./tls_stream.ts";

/** How much is read at a time in a handshake, in bytes. */
const READ_BYTES = 4096;
/** How long an alert may take to be sent before the connection is closed. */
const ALERT_MS = 250;
/** Most certificates that are taken of what a peer shows. */
const MAX_CHAIN = 16;

/** A handshake that did not succeed. */
export class TlsError extends ConnectionError {}

/** What TLS has found out about a peer. */
export interface TlsFacts {
  /** What it has shown, if anything, and only if it was verified. */
  readonly certificate: ShownCertificate | null;
  /** Names of the TLS version and the cipher. */
  readonly tls: { readonly version: string; readonly cipher: string };
}

/** A connection whose handshake is done. */
export interface Secured extends TlsFacts {
  /** Plaintext in and out. */
  readonly connection: Connection;
}

/** What both sides of a handshake need. */
export interface HandshakeOptions {
  /** The certificates, and what is asked of the peer. */
  readonly material: TlsMaterial;
  /** Time. */
  readonly clock: Clock;
  /** How long it may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Aborting it gives the attempt up. */
  readonly signal: AbortSignal;
}

/** Options of {@link dialTls}. */
export interface DialTlsOptions extends HandshakeOptions {
  /** The name or address that the peer's certificate must be for. */
  readonly serverName: string;
  /** Whether anybody is believed to be the peer. */
  readonly insecure?: boolean;
}

/**
 * The handshake of whoever was dialled. The connection is closed where it fails.
 *
 * @throws {TlsError} when it fails, takes too long, or the signal was aborted.
 */
export function acceptTls(connection: Connection, options: HandshakeOptions): Promise<Secured> {
  const { material } = options;
  return handshake(connection, options, (cipher, report) => {
    // The runtime checks certificates of clients only where its server makes the socket. It tells the
    // server how that went, and the server does not tell which connection it was about: so every
    // connection has a server of its own, which has everything from the real one but what it hears.
    const server: Server = Object.create(material.server, {
      emit: {
        value: (event: string, first: unknown, second: unknown) => {
          if (event === "secureConnection") report.secured(first as TLSSocket);
          else if (event === "tlsClientError") {
            report.failed(second === undefined ? first : refusalOf(first, second as TLSSocket));
          } else return false;
          return true;
        },
      },
      // The clock of this side is what counts.
      _handshakeTimeout: { value: 0 },
    });
    for (const listener of material.server.listeners("connection")) listener.call(server, cipher);
    return material.verify;
  });
}

/**
 * The handshake of whoever dials, with its own certificate to show. The connection is closed where it
 * fails.
 *
 * @throws {TlsError} when it fails, takes too long, or the signal was aborted.
 */
export function dialTls(connection: Connection, options: DialTlsOptions): Promise<Secured> {
  const { material, serverName, insecure = false } = options;
  return handshake(connection, options, (cipher, report) => {
    const socket = connect({
      socket: cipher,
      secureContext: material.context,
      host: serverName,
      ...(isIP(serverName) === 0 && { servername: serverName }),
      rejectUnauthorized: !insecure,
    });
    socket.once("secureConnect", () => report.secured(socket));
    socket.on("error", report.failed);
    return !insecure;
  });
}

interface Report {
  secured(socket: TLSSocket): void;
  failed(error: unknown): void;
}

/** `begin` starts TLS over a stream, and returns whether the peer must show a certificate that is good. */
async function handshake(
  connection: Connection,
  { material, clock, timeoutMs, signal }: HandshakeOptions,
  begin: (cipher: CipherStream, report: Report) => boolean,
): Promise<Secured> {
  const cipher = new CipherStream(connection);
  const { promise, resolve, reject } = Promise.withResolvers<TlsStream>();
  let socket: TLSSocket | null = null;
  const failed = (error: unknown) => reject(new TlsError(reasonOf(error), { cause: error }));
  const abort = () => failed(new Error("given up"));
  const timer = clock.setTimer(timeoutMs, () => failed(new Error("handshake timeout")));
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) throw new TlsError("given up");
    const mustShow = begin(cipher, {
      secured: (secured) => {
        socket = secured;
        // At once: from now on plaintext may come.
        resolve(new TlsStream({ connection, cipher, socket, clock }));
      },
      failed,
    });
    let isOver = false;
    promise.then(() => isOver = true, () => isOver = true);
    const feed = async () => {
      while (!isOver && await cipher.feed(READ_BYTES));
      if (!isOver) failed(new Error("the peer has hung up"));
    };
    const feeding = feed().catch(failed);
    const stream = await promise;
    await feeding;
    return { connection: stream, ...examine(socket!, material, mustShow, clock.now()) };
  } catch (error) {
    await alertSent(cipher, clock);
    cipher.destroy();
    (socket as TLSSocket | null)?.destroy();
    connection.close();
    throw error;
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", abort);
  }
}

/** Gives the last words of a failed handshake, which say why, a chance. */
async function alertSent(cipher: CipherStream, clock: Clock): Promise<void> {
  for (let turns = 0; turns < 3; turns++) await Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.setTimer(ALERT_MS, resolve);
  await Promise.race([cipher.flushed(), promise]);
  timer.cancel();
}

/** The runtime hangs up on who is not authorised without a word of why; the socket knows. */
function refusalOf(error: unknown, { authorizationError }: TLSSocket): unknown {
  if (!authorizationError) return error;
  const code = String(authorizationError);
  // The runtime says this of a certificate that has expired, too.
  const words = code === "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
    ? "it is not of the authorities in ca_file, is not valid now, or is not for clients: "
    : "";
  return new Error(`certificate refused: ${words}${code}`);
}

/** What the peer has shown. Never trusts a single answer of the runtime. */
function examine(
  socket: TLSSocket,
  material: TlsMaterial,
  mustShow: boolean,
  nowMs: number,
): TlsFacts {
  const certificate = mustShow || material.pinned.size > 0 ? shownBy(socket) : null;
  if (mustShow) {
    if (!socket.authorized || certificate === null) {
      throw new TlsError("the peer has shown no certificate that can be verified");
    }
    const objection = material.trust.objection(
      certificate.chain[0]!,
      socket.isSessionReused(),
      nowMs,
    );
    if (objection !== null) throw new TlsError(objection);
  }
  if (material.pinned.size > 0) {
    if (
      certificate === null || !material.pinned.has(readCertificate(certificate.chain[0]!).keyHash)
    ) {
      throw new TlsError("the peer's certificate is none of the pinned ones");
    }
  }
  const { name = "" } = socket.getCipher() ?? {};
  return {
    certificate: mustShow ? certificate : null,
    tls: { version: socket.getProtocol() ?? "", cipher: name },
  };
}

function shownBy(socket: TLSSocket): ShownCertificate | null {
  const chain: Uint8Array<ArrayBuffer>[] = [];
  let next: Partial<DetailedPeerCertificate> | null = socket.getPeerCertificate(true);
  for (; next?.raw !== undefined && chain.length < MAX_CHAIN;) {
    chain.push(copy(next.raw));
    if (next.issuerCertificate === next) break;
    next = next.issuerCertificate ?? null;
  }
  if (chain.length === 0) return null;
  try {
    return shownCertificate(chain);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new TlsError(`the peer's certificate cannot be read: ${error.message}`, { cause: error });
  }
}

function copy(raw: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(raw);
}
