/**
 * Byte streams between this process and others. The broker sees sockets only through these
 * interfaces, so that it runs unchanged over TCP, in memory, and in a simulated network.
 *
 * @module
 */

/** Where a {@link Listener} listens or a {@link Connection} ends. */
export interface Address {
  /** IP address or host name; `"memory"` for an in-process connection. */
  readonly hostname: string;
  /** TCP port, 0-65535; 0 for an in-process connection. */
  readonly port: number;
}

/** One open duplex byte stream. */
export interface Connection {
  /** This side's address. */
  readonly localAddress: Address;
  /** The peer's address. */
  readonly remoteAddress: Address;
  /**
   * Reads at least one byte into `into` and resolves to how many were read, or to `null` at the end
   * of the stream. One read at a time.
   *
   * @throws {ConnectionError} when the connection failed or was closed.
   */
  read(into: Uint8Array): Promise<number | null>;
  /**
   * Writes at least one byte of `from` and resolves to how many were taken. One write at a time;
   * `from` must not change until the promise settles.
   *
   * @throws {ConnectionError} when the connection failed or was closed.
   */
  write(from: Uint8Array): Promise<number>;
  /**
   * Ends the outgoing direction only: the peer reads what was written and then the end, while
   * reading goes on here. A goodbye to a peer that is still sending needs it: closing a socket that
   * has unread bytes makes the system send a reset, which may overtake the goodbye.
   *
   * @throws {ConnectionError} when the connection failed or was closed.
   */
  closeWrite(): Promise<void>;
  /**
   * Closes both directions at once: a pending read or write rejects with {@link ConnectionError},
   * bytes already written are still sent (but see {@link Connection.closeWrite}). Calling it again does nothing. Never throws.
   */
  close(): void;
}

/** Something that accepts connections. */
export interface Listener {
  /** The address really bound: port 0 has become a real port. */
  readonly address: Address;
  /**
   * Resolves to the next connection. One accept at a time.
   *
   * @throws {AcceptError} when this attempt failed; `transient` says whether a later one may succeed
   *   and `closed` whether it failed because the listener was closed.
   */
  accept(): Promise<Connection>;
  /** Stops listening: a pending accept rejects. Calling it again does nothing. Never throws. */
  close(): void;
}

/** Options of {@link Transport.listen}. */
export interface ListenOptions {
  /** Address to bind. */
  readonly hostname: string;
  /** Port to bind, 0-65535; 0 lets the system choose one. */
  readonly port: number;
}

/** Options of {@link Transport.connect}. */
export interface ConnectOptions {
  /** Address or host name to dial. */
  readonly hostname: string;
  /** Port to dial, 1-65535. */
  readonly port: number;
  /** Aborting it gives the attempt up. */
  readonly signal?: AbortSignal;
}

/** Opens listeners and connections. */
export interface Transport {
  /**
   * Binds and listens.
   *
   * @throws {ListenError} when the address is in use, not local, or not permitted.
   */
  listen(options: ListenOptions): Listener;
  /**
   * Dials a peer.
   *
   * @throws {ConnectionError} when it cannot be reached or the signal was aborted.
   */
  connect(options: ConnectOptions): Promise<Connection>;
  /**
   * The addresses of a host, at least one; an address is its own only one. Aborting the signal gives
   * the attempt up. A transport without it dials hosts by their names.
   *
   * @throws {ConnectionError} when there are none, or the signal was aborted.
   */
  resolve?(hostname: string, signal?: AbortSignal): Promise<string[]>;
}

/** A connection failed, was reset by the peer, or was closed on this side. */
export class ConnectionError extends Error {
  /** Always `"ConnectionError"`. */
  override readonly name = "ConnectionError";
}

/** An address could not be listened on. */
export class ListenError extends Error {
  /** Always `"ListenError"`. */
  override readonly name = "ListenError";
}

/** What {@link AcceptError} is told besides its message. */
export interface AcceptErrorOptions extends ErrorOptions {
  /** Whether the listener was closed on this side; false when absent. */
  readonly closed?: boolean;
  /** Whether only the one connection that was accepted is gone; false when absent. */
  readonly peerGone?: boolean;
}

/** One attempt to accept a connection failed. */
export class AcceptError extends Error {
  /** Always `"AcceptError"`. */
  override readonly name = "AcceptError";
  /** Whether trying again may succeed (no file descriptors left, the peer went away, ...). */
  readonly transient: boolean;
  /** Whether the listener was closed on this side: the orderly end, not a failure. */
  readonly closed: boolean;
  /** Whether only the one connection that was accepted is gone: the next is there for the asking. */
  readonly peerGone: boolean;

  /** Wraps the platform's error as `cause`. */
  constructor(message: string, transient: boolean, options: AcceptErrorOptions = {}) {
    super(message, options);
    this.transient = transient;
    this.closed = options.closed ?? false;
    this.peerGone = options.peerGone ?? false;
  }
}
