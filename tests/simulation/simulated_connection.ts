/**
 * An end of a connection over the simulated network.
 *
 * @module
 */
import { type Address, type Connection, ConnectionError } from "../../src/platform/mod.ts";
import type { Path } from "./path.ts";
import { Stream, type StreamEnd } from "./stream.ts";

/** The host of a connection's end. */
export interface ConnectionHost {
  /** Its address. */
  readonly name: string;
  /** Whether its process stands still. */
  readonly standing: boolean;
  /** What its process has open. */
  readonly connections: Set<SimulatedConnection>;
}

type State = "open" | "closed" | "dead";

/** One end; see {@link Connection}. It behaves like a socket, and can be made to fail like one. */
export class SimulatedConnection implements Connection, StreamEnd {
  /** The same at both ends. */
  readonly id: number;
  /** This end's address. */
  readonly localAddress: Address;
  /** The other end's address. */
  readonly remoteAddress: Address;
  /** Where it is. */
  readonly host: ConnectionHost;
  /** The path that what is written here takes. */
  readonly path: Path;
  #peer!: SimulatedConnection;
  #incoming!: Stream;
  #outgoing!: Stream;
  #state: State = "open";

  private constructor(
    id: number,
    host: ConnectionHost,
    path: Path,
    local: Address,
    remote: Address,
  ) {
    this.id = id;
    this.host = host;
    this.path = path;
    this.localAddress = local;
    this.remoteAddress = remote;
    host.connections.add(this);
  }

  /** Both ends of a new connection: the dialling one, then the accepting one. */
  static pair(
    id: number,
    near: { host: ConnectionHost; address: Address; path: Path },
    far: { host: ConnectionHost; address: Address; path: Path },
  ): [SimulatedConnection, SimulatedConnection] {
    const first = new SimulatedConnection(id, near.host, near.path, near.address, far.address);
    const second = new SimulatedConnection(id, far.host, far.path, far.address, near.address);
    const forth = new Stream(near.path, id, first, second);
    const back = new Stream(far.path, id, second, first);
    first.#peer = second;
    second.#peer = first;
    first.#outgoing = second.#incoming = forth;
    first.#incoming = second.#outgoing = back;
    return [first, second];
  }

  /** The other end. */
  get peer(): SimulatedConnection {
    return this.#peer;
  }

  /** See {@link StreamEnd.awake}. */
  get awake(): boolean {
    return !this.host.standing && this.#state !== "dead";
  }

  /** See {@link StreamEnd.open}. */
  get open(): boolean {
    return this.#state === "open";
  }

  /** See {@link Connection.read}. */
  read(into: Uint8Array): Promise<number | null> {
    if (this.#state === "dead") return never();
    if (this.#state === "closed") return Promise.reject(closedError());
    return this.#incoming.read(into);
  }

  /** See {@link Connection.write}. */
  write(from: Uint8Array): Promise<number> {
    if (this.#state === "dead") return never();
    if (this.#state === "closed") return Promise.reject(closedError());
    return this.#outgoing.write(from);
  }

  /** See {@link Connection.closeWrite}. */
  closeWrite(): Promise<void> {
    if (this.#state === "open") this.#outgoing.finish();
    return Promise.resolve();
  }

  /** See {@link Connection.close}; as with sockets, what was not read makes it a reset. */
  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closed";
    this.host.connections.delete(this);
    const unread = this.#incoming.unreadBytes > 0;
    this.#incoming.abandon();
    if (unread) this.refuse();
    this.#outgoing.finish();
  }

  /** Tells the other end that nobody is here; if the path is blocked, it never learns. */
  refuse(): void {
    const peer = this.#peer;
    this.path.send(() => peer.#fail());
  }

  /** Does what waited for the process to be awake. */
  serve(): void {
    this.#incoming.serve();
    this.#outgoing.serve();
  }

  /** A reset out of nowhere: what is under way is lost, and both ends fail. */
  reset(): void {
    this.#fail();
    this.#peer.#fail();
  }

  /**
   * The process is gone. `said`: whether its system lives on and tells the other end; if not,
   * nobody hears anything.
   */
  die(said: boolean): void {
    this.#state = "dead";
    this.host.connections.delete(this);
    this.#outgoing.drop();
    if (said) this.refuse();
  }

  #fail(): void {
    const failure = new ConnectionError("connection reset by peer");
    this.#incoming.fail(failure);
    this.#outgoing.fail(failure);
  }
}

function closedError(): ConnectionError {
  return new ConnectionError("connection closed");
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}
