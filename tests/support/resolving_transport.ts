/**
 * A network in memory whose hosts have several addresses, some of which swallow what is sent there.
 *
 * @module
 */
import {
  ConnectionError,
  type ConnectOptions,
  type MemoryConnection,
  MemoryTransport,
} from "../../src/platform/mod.ts";

/** A {@link MemoryTransport} that resolves names and notes what is dialled. */
export class ResolvingTransport extends MemoryTransport {
  /** Addresses by host name; a name without any is its own address. */
  readonly hosts = new Map<string, readonly string[]>();
  /** Addresses that never answer. */
  readonly silent = new Set<string>();
  /** What was dialled, as host:port, oldest first. */
  readonly dialled: string[] = [];
  /** Attempts that are under way at silent addresses, and the most there ever were at a time. */
  waiting = 0;
  /** See {@link ResolvingTransport.waiting}. */
  mostWaiting = 0;

  /** See {@link Transport.resolve}. */
  resolve(hostname: string): Promise<string[]> {
    const addresses = this.hosts.get(hostname) ?? [hostname];
    return addresses.length > 0
      ? Promise.resolve([...addresses])
      : Promise.reject(new ConnectionError(`no such host: ${hostname}`));
  }

  /** See {@link MemoryTransport.connect}. */
  override async connect(options: ConnectOptions): Promise<MemoryConnection> {
    const { hostname, port, signal } = options;
    this.dialled.push(`${hostname}:${port}`);
    if (!this.silent.has(hostname)) return await super.connect(options);
    this.mostWaiting = Math.max(this.mostWaiting, ++this.waiting);
    return await new Promise((_, reject) => {
      signal?.addEventListener("abort", () => {
        this.waiting--;
        reject(new ConnectionError(`cannot connect to ${hostname}: i/o timeout`));
      }, { once: true });
    });
  }
}
