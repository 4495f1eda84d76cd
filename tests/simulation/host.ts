/**
 * A machine of the simulated network, with one process on it.
 *
 * @module
 */
import {
  AcceptError,
  type Address,
  type Connection,
  formatAddress,
  type Listener,
  ListenError,
} from "../../src/platform/mod.ts";
import type { PathEnd } from "./path.ts";
import type { ConnectionHost, SimulatedConnection } from "./simulated_connection.ts";

/** Connections that may wait to be accepted. */
const BACKLOG = 128;

/** How a process ends without a word of its own. */
export type CrashKind = "killed" | "vanished";

/** A machine: what its process listens on and has open, and whether any of it works. */
export class Host implements PathEnd, ConnectionHost {
  /** Its address. */
  readonly name: string;
  /** See {@link PathEnd.up}. */
  up = true;
  /** What its process has open. */
  readonly connections = new Set<SimulatedConnection>();
  /** Counts its processes, so that what belongs to an earlier one can be told. */
  generation = 0;
  readonly #listeners = new Map<number, SimulatedListener>();
  #standing = false;
  #held: (() => void)[] = [];

  /** A machine without a process. */
  constructor(name: string) {
    this.name = name;
  }

  /** Whether its process stands still: nothing reaches it until {@link Host.resume}. */
  get standing(): boolean {
    return this.#standing;
  }

  /** How many ports its process listens on. */
  get listening(): number {
    return this.#listeners.size;
  }

  /** See `Transport.listen`. */
  listen(port: number): Listener {
    const address = { hostname: this.name, port };
    if (this.#listeners.has(port)) {
      throw new ListenError(`address already in use: ${formatAddress(address)}`);
    }
    const listener = new SimulatedListener(this, address, () => this.#listeners.delete(port));
    this.#listeners.set(port, listener);
    return listener;
  }

  /** What listens on a port. */
  listener(port: number): SimulatedListener | undefined {
    return this.#listeners.get(port);
  }

  /** Its process stands still. */
  stand(): void {
    this.#standing = true;
  }

  /** Its process goes on: what came meanwhile reaches it. */
  resume(): void {
    this.#standing = false;
    for (const deliver of this.#held.splice(0)) deliver();
    for (const listener of this.#listeners.values()) listener.serve();
    for (const connection of [...this.connections]) connection.serve();
  }

  /** Hands the process something as soon as it does not stand still. */
  deliver(deliver: () => void): void {
    if (this.#standing) this.#held.push(deliver);
    else deliver();
  }

  /** Its process is gone: killed, with the system resetting its connections, or without a trace. */
  crash(kind: CrashKind): void {
    this.generation++;
    this.#standing = false;
    this.#held = [];
    for (const connection of [...this.connections]) connection.die(kind === "killed");
    for (const listener of this.#listeners.values()) listener.die(kind === "killed");
    this.#listeners.clear();
    if (kind === "vanished") this.up = false;
  }
}

/** A {@link Listener} of a {@link Host}. */
export class SimulatedListener implements Listener {
  readonly address: Address;
  readonly #host: Host;
  readonly #release: () => void;
  #backlog: SimulatedConnection[] = [];
  #accepting: PromiseWithResolvers<Connection> | undefined;
  #closed = false;

  /** For {@link Host.listen}. */
  constructor(host: Host, address: Address, release: () => void) {
    this.#host = host;
    this.address = address;
    this.#release = release;
  }

  /** Hands a connection over; false when too many wait already. */
  offer(connection: SimulatedConnection): boolean {
    if (this.#backlog.length >= BACKLOG) return false;
    this.#backlog.push(connection);
    this.serve();
    return true;
  }

  /** Does what waited for the process to be awake. */
  serve(): void {
    if (this.#host.standing || this.#accepting === undefined) return;
    const connection = this.#backlog.shift();
    if (connection === undefined) return;
    this.#accepting.resolve(connection);
    this.#accepting = undefined;
  }

  /** See {@link Listener.accept}. */
  accept(): Promise<Connection> {
    if (this.#closed) return Promise.reject(this.#closedError());
    if (this.#accepting !== undefined) {
      return Promise.reject(new AcceptError("another accept is pending", false));
    }
    const accepting = this.#accepting = Promise.withResolvers<Connection>();
    this.serve();
    return accepting.promise;
  }

  /** See {@link Listener.close}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#release();
    this.#accepting?.reject(this.#closedError());
    this.#accepting = undefined;
    this.die(true);
  }

  /** The process is gone, and with it who waits to be accepted. */
  die(said: boolean): void {
    for (const connection of this.#backlog.splice(0)) connection.die(said);
  }

  #closedError(): AcceptError {
    const address = formatAddress(this.address);
    return new AcceptError(`listener closed: ${address}`, false, { closed: true });
  }
}
