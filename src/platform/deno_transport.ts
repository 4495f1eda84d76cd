/**
 * TCP through Deno.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { formatAddress } from "./address.ts";
import {
  AcceptError,
  type Address,
  type Connection,
  ConnectionError,
  type ConnectOptions,
  type Listener,
  ListenError,
  type ListenOptions,
  type Transport,
} from "./transport.ts";

/**
 * Connections the system may complete before they are accepted. More than the usual 511, since a
 * whole fleet of clients reconnects at once; the system lowers it to its own limit.
 */
const ACCEPT_BACKLOG = 4096;

/** Codes of accept(2) that say that the listener is none (any more). Whatever else, it may go on. */
const FINAL_ACCEPT_CODES: ReadonlySet<string> = new Set([
  "EBADF",
  "EFAULT",
  "EINVAL",
  "ENOTSOCK",
  "EOPNOTSUPP",
]);

/**
 * Codes of accept(2) and what belongs to it (reading the peer's address, for instance) that are about
 * the one connection that was accepted, and not about the next.
 */
const PEER_ACCEPT_CODES: ReadonlySet<string> = new Set([
  "ECONNABORTED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "EINTR",
  "ENETDOWN",
  "ENETUNREACH",
  "ENONET",
  "ENOPROTOOPT",
  "ENOTCONN",
  "EPROTO",
  "ETIMEDOUT",
]);

/** {@link Transport} over the system's TCP sockets, always with TCP_NODELAY. */
export class DenoTransport implements Transport {
  /** Binds and listens; see {@link Transport.listen}. */
  listen(options: ListenOptions): Listener {
    try {
      return new DenoListener(
        Deno.listen({
          hostname: options.hostname,
          port: options.port,
          tcpBacklog: ACCEPT_BACKLOG,
        }),
      );
    } catch (error) {
      throw new ListenError(`${listenProblem(error)}: ${formatAddress(options)}`, { cause: error });
    }
  }

  /** Dials a peer; see {@link Transport.connect}. */
  async connect(options: ConnectOptions): Promise<Connection> {
    const { hostname, port, signal } = options;
    const target = formatAddress(options);
    if (signal?.aborted) throw abandoned(target, signal);
    const dialling = Deno.connect({ hostname, port, ...(signal && { signal }) });
    try {
      return new DenoConnection(await abortable(dialling, signal, (late) => late.close()));
    } catch (error) {
      if (signal?.aborted) throw abandoned(target, signal);
      throw new ConnectionError(`cannot connect to ${target}: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }

  /** Asks the system's resolver; see {@link Transport.resolve}. */
  async resolve(hostname: string, signal?: AbortSignal): Promise<string[]> {
    if (isIP(hostname) !== 0) return [hostname];
    if (signal?.aborted) throw abandoned(hostname, signal);
    try {
      const found = await abortable(lookup(hostname, { all: true }), signal, () => {});
      return found.map(({ address }) => address);
    } catch (error) {
      if (signal?.aborted) throw abandoned(hostname, signal);
      throw unresolved(hostname, error);
    }
  }
}

/**
 * `attempt`, given up as soon as `signal` is aborted. The runtime's own handling of the signal does
 * not reach into a name lookup, which may take minutes.
 */
async function abortable<T>(
  attempt: Promise<T>,
  signal: AbortSignal | undefined,
  release: (late: T) => void,
): Promise<T> {
  if (signal === undefined) return await attempt;
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => {
    aborted.reject(signal.reason);
    attempt.then(release, () => {});
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const result = await Promise.race([attempt, aborted.promise]);
    // Aborted in the moment between the result's arrival and this line: it is released already.
    signal.throwIfAborted();
    return result;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function unresolved(hostname: string, error: unknown): ConnectionError {
  return new ConnectionError(`cannot resolve ${hostname}: ${reasonOf(error)}`, { cause: error });
}

function abandoned(target: string, signal: AbortSignal): ConnectionError {
  return new ConnectionError(`gave up connecting to ${target}`, { cause: signal.reason });
}

class DenoListener implements Listener {
  readonly address: Address;
  readonly #listener: Deno.TcpListener;
  #closed = false;

  constructor(listener: Deno.TcpListener) {
    this.#listener = listener;
    const { hostname, port } = listener.addr;
    this.address = { hostname, port };
  }

  async accept(): Promise<Connection> {
    try {
      return new DenoConnection(await this.#listener.accept());
    } catch (error) {
      const address = formatAddress(this.address);
      if (this.#closed) {
        throw new AcceptError(`listener closed: ${address}`, false, { cause: error, closed: true });
      }
      const code = codeOf(error);
      const transient = code !== undefined && !FINAL_ACCEPT_CODES.has(code);
      throw new AcceptError(`cannot accept on ${address}: ${reasonOf(error)}`, transient, {
        cause: error,
        peerGone: code !== undefined && PEER_ACCEPT_CODES.has(code),
      });
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
  }
}

/** One object with one field, since tens of thousands of them may be idle. */
class DenoConnection implements Connection {
  readonly #connection: Deno.TcpConn;

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    try {
      connection.setNoDelay(true);
    } catch {
      // The peer is already gone, which the first read or write reports.
    }
  }

  get localAddress(): Address {
    return this.#connection.localAddr;
  }

  get remoteAddress(): Address {
    const { hostname, port } = this.#connection.remoteAddr;
    // A listener on `::` sees IPv4 peers mapped (RFC 4291, section 2.5.5.2).
    return { hostname: hostname.replace(/^::ffff:(?=\d+\.)/i, ""), port };
  }

  // Neither is an async function: that would add a second promise to every chunk.
  read(into: Uint8Array): Promise<number | null> {
    return this.#connection.read(into).then(undefined, failed);
  }

  write(from: Uint8Array): Promise<number> {
    return this.#connection.write(from).then(undefined, failed);
  }

  closeWrite(): Promise<void> {
    return this.#connection.closeWrite().then(undefined, failed);
  }

  close(): void {
    try {
      this.#connection.close();
    } catch {
      // Closed before: Deno throws where this interface promises to do nothing.
    }
  }
}

function failed(error: unknown): never {
  throw new ConnectionError(reasonOf(error), { cause: error });
}

function listenProblem(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) return "address already in use";
  if (error instanceof Deno.errors.AddrNotAvailable) return "address is not one of this machine";
  if (error instanceof Deno.errors.PermissionDenied) return "not permitted to listen";
  if (error instanceof Deno.errors.NotCapable) return "not permitted to listen (run with -A)";
  return `cannot listen (${reasonOf(error)})`;
}

/** Why a socket operation failed, in lower case and without the system's error number. */
function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
    return "connection closed";
  }
  if (!(error instanceof Error)) return String(error);
  const text = error.message.replace(/ \(os error \d+\)/, "");
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
