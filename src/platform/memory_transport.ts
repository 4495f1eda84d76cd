/**
 * Connections inside this process, with the semantics of sockets and without a port.
 *
 * @module
 */
import { formatAddress } from "./address.ts";
import { ByteChannel } from "./byte_channel.ts";
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

const MEMORY_ADDRESS: Address = { hostname: "memory", port: 0 };
/** Bytes under way in each direction, about what a socket's buffers hold. */
const CAPACITY_BYTES = 65_536;
/** Connections that may wait to be accepted. */
const ACCEPT_BACKLOG = 1024;
/** The ports given out for port 0 and to dialling sides (RFC 6335, section 6). */
const FIRST_DYNAMIC_PORT = 49_152;
const LAST_PORT = 65_535;
const WILDCARD_HOSTNAMES = ["0.0.0.0", "::"];

/** Which bytes {@link MemoryConnection.stall} holds back, seen from the connection it is called on. */
export type StallDirection = "both" | "sent" | "received";

/** Options of {@link memoryPipe}. */
export interface MemoryPipeOptions {
  /** Bytes that may be under way in each direction before a write waits; 65,536 if absent. */
  readonly capacityBytes?: number;
  /** Address of the first end; `memory:0` if absent. */
  readonly firstAddress?: Address;
  /** Address of the second end; `memory:0` if absent. */
  readonly secondAddress?: Address;
}

/** One end of an in-memory connection; besides being a {@link Connection} it can be made to fail. */
export class MemoryConnection implements Connection {
  /** This side's address. */
  readonly localAddress: Address;
  /** The other end's address. */
  readonly remoteAddress: Address;
  readonly #incoming: ByteChannel;
  readonly #outgoing: ByteChannel;

  /** For {@link memoryPipe}, which makes both ends. */
  constructor(local: Address, remote: Address, incoming: ByteChannel, outgoing: ByteChannel) {
    this.localAddress = local;
    this.remoteAddress = remote;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  /** See {@link Connection.read}. */
  read(into: Uint8Array): Promise<number | null> {
    return this.#incoming.read(into);
  }

  /** See {@link Connection.write}. */
  write(from: Uint8Array): Promise<number> {
    return this.#outgoing.write(from);
  }

  /** See {@link Connection.closeWrite}. */
  closeWrite(): Promise<void> {
    this.#outgoing.end();
    return Promise.resolve();
  }

  /** See {@link Connection.close}. */
  close(): void {
    this.#outgoing.end();
    this.#incoming.abandon();
  }

  /**
   * Makes the link go silent: what is sent fills the buffer and arrives nowhere, and neither side
   * hears that the other closed. One direction makes it half open.
   */
  stall(direction: StallDirection = "both"): void {
    this.#setStalled(direction, true);
  }

  /** Ends a {@link stall}: what was held back arrives. */
  resume(direction: StallDirection = "both"): void {
    this.#setStalled(direction, false);
  }

  #setStalled(direction: StallDirection, stalled: boolean): void {
    if (direction !== "received") this.#outgoing.setStalled(stalled);
    if (direction !== "sent") this.#incoming.setStalled(stalled);
  }

  /** Breaks the connection: what is under way is lost, and both ends fail at once. */
  reset(): void {
    const failure = new ConnectionError("connection reset by peer");
    this.#incoming.fail(failure);
    this.#outgoing.fail(failure);
  }
}

/**
 * Both ends of a new in-memory connection.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { memoryPipe } from "./memory_transport.ts";
 *
 * const [here, there] = memoryPipe();
 * await here.write(new TextEncoder().encode("PING\r\n"));
 * here.close();
 * const bytes = new Uint8Array(64);
 * assertEquals(await there.read(bytes), 6);
 * assertEquals(await there.read(bytes), null);
 * there.close();
 * ```
 */
export function memoryPipe(
  options: MemoryPipeOptions = {},
): [first: MemoryConnection, second: MemoryConnection] {
  const capacity = options.capacityBytes ?? CAPACITY_BYTES;
  const first = options.firstAddress ?? MEMORY_ADDRESS;
  const second = options.secondAddress ?? MEMORY_ADDRESS;
  const forth = new ByteChannel(capacity);
  const back = new ByteChannel(capacity);
  return [
    new MemoryConnection(first, second, back, forth),
    new MemoryConnection(second, first, forth, back),
  ];
}

/**
 * A {@link Transport} whose listeners only its own connections reach. A listener on `0.0.0.0` or
 * `::` answers for every host name.
 */
export class MemoryTransport implements Transport {
  readonly #listeners = new Map<string, MemoryListener>();
  #lastDynamicPort = LAST_PORT;

  /** Listens; see {@link Transport.listen}. */
  listen(options: ListenOptions): Listener {
    const address = {
      hostname: options.hostname,
      port: options.port === 0 ? this.#freePort(options.hostname) : options.port,
    };
    const key = formatAddress(address);
    if (this.#listeners.has(key)) throw new ListenError(`address already in use: ${key}`);
    const listener = new MemoryListener(address, () => this.#listeners.delete(key));
    this.#listeners.set(key, listener);
    return listener;
  }

  /** Connects to a listener of this transport; see {@link Transport.connect}. */
  // deno-lint-ignore require-await
  async connect(options: ConnectOptions): Promise<MemoryConnection> {
    const target = formatAddress(options);
    if (options.signal?.aborted) {
      throw new ConnectionError(`gave up connecting to ${target}`, {
        cause: options.signal.reason,
      });
    }
    const listener = this.#listenerAt(options);
    const [near, far] = memoryPipe({
      firstAddress: { hostname: options.hostname, port: this.#nextDynamicPort() },
      secondAddress: { hostname: options.hostname, port: options.port },
    });
    if (!listener?.offer(far)) {
      throw new ConnectionError(`cannot connect to ${target}: connection refused`);
    }
    return near;
  }

  #listenerAt({ hostname, port }: Address): MemoryListener | undefined {
    for (const candidate of [hostname, ...WILDCARD_HOSTNAMES]) {
      const listener = this.#listeners.get(formatAddress({ hostname: candidate, port }));
      if (listener !== undefined) return listener;
    }
    return undefined;
  }

  #freePort(hostname: string): number {
    for (let tries = FIRST_DYNAMIC_PORT; tries <= LAST_PORT; tries++) {
      const port = this.#nextDynamicPort();
      if (!this.#listeners.has(formatAddress({ hostname, port }))) return port;
    }
    throw new ListenError(`no free port: ${hostname}`);
  }

  #nextDynamicPort(): number {
    this.#lastDynamicPort = this.#lastDynamicPort === LAST_PORT
      ? FIRST_DYNAMIC_PORT
      : this.#lastDynamicPort + 1;
    return this.#lastDynamicPort;
  }
}

class MemoryListener implements Listener {
  readonly address: Address;
  readonly #release: () => void;
  readonly #backlog: MemoryConnection[] = [];
  #accepting: PromiseWithResolvers<Connection> | undefined;
  #closed = false;

  constructor(address: Address, release: () => void) {
    this.address = address;
    this.#release = release;
  }

  /** Hands `connection` to the listening side; false when its backlog is full. */
  offer(connection: MemoryConnection): boolean {
    if (this.#accepting !== undefined) {
      this.#accepting.resolve(connection);
      this.#accepting = undefined;
      return true;
    }
    if (this.#backlog.length >= ACCEPT_BACKLOG) return false;
    this.#backlog.push(connection);
    return true;
  }

  accept(): Promise<Connection> {
    if (this.#closed) return Promise.reject(this.#closedError());
    if (this.#accepting !== undefined) {
      return Promise.reject(new AcceptError("another accept is pending", false));
    }
    const waiting = this.#backlog.shift();
    if (waiting !== undefined) return Promise.resolve(waiting);
    this.#accepting = Promise.withResolvers();
    return this.#accepting.promise;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#release();
    this.#accepting?.reject(this.#closedError());
    this.#accepting = undefined;
    for (const connection of this.#backlog.splice(0)) connection.reset();
  }

  #closedError(): AcceptError {
    const address = formatAddress(this.address);
    return new AcceptError(`listener closed: ${address}`, false, { closed: true });
  }
}
