/**
 * The files that tell others where a broker is: its process id and its ports.
 *
 * @module
 */
import type { Address, Files } from "../platform/mod.ts";
import { formatAddress, hostsOf } from "../platform/mod.ts";

/** What is written where. */
export interface ProcessFilesOptions {
  /** The file system. */
  readonly files: Files;
  /** The process id. */
  readonly pid: number;
  /** Where the process id goes, if anywhere. */
  readonly pidFile: string | undefined;
  /** The folder that the ports file goes to, if any. */
  readonly portsFileFolder: string | undefined;
  /** Addresses of this machine, for listeners on all of them. */
  readonly networkAddresses: () => readonly string[];
}

/** Writes the pid file and the ports file, and removes the latter again, as nats-server does. */
export class ProcessFiles {
  readonly #options: ProcessFilesOptions;
  /** The ports file, while there is one of ours. */
  #written: string | null = null;

  /** Nothing is written yet. */
  constructor(options: ProcessFilesOptions) {
    this.#options = options;
  }

  /**
   * Writes what is configured. `listeners` are those that exist, by nats-server's names for them.
   *
   * @throws {FileError} when a file cannot be written. A pid file that was not there before is then
   * removed again.
   */
  async write(listeners: Readonly<Record<string, Address>>): Promise<void> {
    const { files, pid, pidFile } = this.#options;
    const isNew = pidFile !== undefined && await files.writeText(pidFile, String(pid));
    const path = this.#portsFile();
    if (path === null) return;
    const ports = Object.fromEntries(
      Object.entries(listeners).map(([name, address]) => [name, this.#urls(address)]),
    );
    try {
      await files.writeText(path, JSON.stringify(ports));
      this.#written = path;
    } catch (error) {
      // A broker that does not start leaves nothing behind that was not there.
      if (isNew) await files.remove(pidFile).catch(() => {});
      throw error;
    }
  }

  /**
   * Removes the ports file; the pid file stays, as nats-server's does.
   *
   * @throws {FileError} when it cannot be removed.
   */
  async remove(): Promise<void> {
    const path = this.#written;
    this.#written = null;
    if (path !== null) await this.#options.files.remove(path);
  }

  /**
   * The same, done when it returns; for a process that ends at once.
   *
   * @throws {FileError} when it cannot be removed.
   */
  removeSync(): void {
    const path = this.#written;
    this.#written = null;
    if (path !== null) this.#options.files.removeSync(path);
  }

  #portsFile(): string | null {
    const { portsFileFolder, pid } = this.#options;
    if (portsFileFolder === undefined) return null;
    return `${portsFileFolder.replace(/\/+$/, "")}/nats-server_${pid}.ports`;
  }

  #urls(address: Address): string[] {
    const hosts = hostsOf(address.hostname, this.#options.networkAddresses);
    const all = hosts.length > 0 ? hosts : ["127.0.0.1"];
    return all.map((hostname) => `nats://${formatAddress({ hostname, port: address.port })}`);
  }
}
