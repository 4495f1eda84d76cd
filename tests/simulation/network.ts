/**
 * A network that exists only in a simulation.
 *
 * @module
 */
import {
  type Address,
  ConnectionError,
  type ConnectOptions,
  formatAddress,
  type Random,
  type Transport,
} from "../../src/platform/mod.ts";
import { Host } from "./host.ts";
import { Path } from "./path.ts";
import { SimulatedConnection } from "./simulated_connection.ts";
import type { Ticks } from "./ticks.ts";
import type { Trace } from "./trace.ts";

const FIRST_DYNAMIC_PORT = 49_152;
/** How often a system asks again that got no answer, and how long it does. */
const SYN_AGAIN_MS = 1000, SYN_LIMIT_MS = 10_000;

/** What a {@link SimulatedNetwork} takes from its surroundings. */
export interface NetworkSurroundings {
  /** Time. */
  readonly ticks: Ticks;
  /** Delays, and the sizes of the pieces in which bytes arrive. */
  readonly random: Random;
  /** Hears of every byte that arrives. */
  readonly trace: Trace;
}

/** Hosts, the paths between them, and the connections along those. */
export class SimulatedNetwork {
  /** Called once for each new path, to give it its properties. */
  onPath: (path: Path) => void = () => {};
  readonly #surroundings: NetworkSurroundings;
  readonly #hosts = new Map<string, Host>();
  readonly #paths = new Map<string, Path>();
  #connections = 0;

  /** A network without hosts. */
  constructor(surroundings: NetworkSurroundings) {
    this.#surroundings = surroundings;
  }

  /** The host of an address; made if it is new. */
  host(name: string): Host {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const host = new Host(name);
    this.#hosts.set(name, host);
    return host;
  }

  /** The path between two hosts. */
  path(from: string, to: string): Path {
    const key = `${from}>${to}`, known = this.#paths.get(key);
    if (known !== undefined) return known;
    const path = new Path(this.#surroundings, this.host(from), this.host(to));
    this.#paths.set(key, path);
    this.onPath(path);
    return path;
  }

  /** A host that was down is there again: what others still try to send it arrives. */
  start(host: Host): void {
    host.up = true;
    for (const path of this.#paths.values()) {
      if (path.from === host || path.to === host) path.release();
    }
  }

  /** What a process on a host reaches the network by. */
  transport(name: string): Transport {
    const host = this.host(name);
    return {
      listen: ({ port }) => host.listen(port === 0 ? this.#dynamicPort() : port),
      connect: (options) => this.connect(name, options),
    };
  }

  /** Dials from a host; see {@link Transport.connect}. Whose process dies meanwhile never hears. */
  connect(from: string, options: ConnectOptions): Promise<SimulatedConnection> {
    const { promise, resolve, reject } = Promise.withResolvers<SimulatedConnection>();
    const host = this.host(from), generation = host.generation;
    const target = formatAddress(options), { signal } = options;
    let waiting = true, near: SimulatedConnection | undefined;
    const end = (finish: () => void) => {
      waiting = false;
      signal?.removeEventListener("abort", abort);
      finish();
    };
    const fail = (why: string, cause?: unknown) => {
      if (!waiting) return;
      near?.close();
      end(() => reject(new ConnectionError(`cannot connect to ${target}: ${why}`, { cause })));
    };
    const abort = () => fail("given up", signal?.reason);
    /** What the network tells the process, if it is still there and wants to hear. */
    const tell = (finish: () => void) => {
      if (host.generation !== generation) return;
      host.deliver(() => {
        if (waiting && host.generation === generation) finish();
      });
    };
    if (signal?.aborted) {
      abort();
      return promise;
    }
    signal?.addEventListener("abort", abort, { once: true });
    const forth = this.path(from, options.hostname), back = this.path(options.hostname, from);
    const ask = (askedMs: number) => {
      if (!waiting || host.generation !== generation) return;
      if (askedMs >= SYN_LIMIT_MS) return tell(() => fail("timed out"));
      forth.send(() => {
        if (!waiting || host.generation !== generation) return;
        near ??= this.#accept(forth, back, options);
        const connection = near;
        if (connection === undefined) back.send(() => tell(() => fail("connection refused")));
        else back.send(() => tell(() => end(() => resolve(connection))));
      });
      this.#surroundings.ticks.after(SYN_AGAIN_MS, () => ask(askedMs + SYN_AGAIN_MS));
    };
    ask(0);
    return promise;
  }

  /** The dialling end, once the system of the host that is dialled has agreed. */
  #accept(forth: Path, back: Path, { hostname, port }: Address): SimulatedConnection | undefined {
    const listener = this.host(hostname).listener(port);
    if (listener === undefined) return undefined;
    const near = this.host(forth.from.name),
      local = { hostname: near.name, port: this.#dynamicPort() };
    const [first, second] = SimulatedConnection.pair(
      ++this.#connections,
      { host: near, address: local, path: forth },
      { host: this.host(hostname), address: { hostname, port }, path: back },
    );
    if (listener.offer(second)) return first;
    first.die(false);
    second.die(false);
    return undefined;
  }

  #dynamicPort(): number {
    return FIRST_DYNAMIC_PORT + this.#connections % 10_000;
  }
}
