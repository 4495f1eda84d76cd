/**
 * The files that tell others where a broker is: its process id and its ports.
 *
 * @module
 */
import type { Address, Files } from "../platform/mod.ts";
import { formatAddress, hostsOf } from "../platform/mod.ts";

/** Which files there are to be. */
export interface ProcessFilePlaces {
  /** Where the process id goes, if anywhere. */
  readonly pidFile: string | undefined;
  /** The folder that the ports file goes to, if any. */
  readonly portsFileFolder: string | undefined;
}

/** What is written where. */
export interface ProcessFilesOptions extends ProcessFilePlaces {
  /** The file system. */
  readonly files: Files;
  /** The process id. */
  readonly pid: number;
  /** Addresses of this machine, for listeners on all of them. */
  readonly networkAddresses: () => readonly string[];
}

/** Files in other places, which are written already. */
export interface ProcessFilesMove {
  /** Those are the files from now on. */
  apply(): void;
  /** They are not. */
  rollback(): void;
  /**
   * Removes those that they are in place of.
   *
   * @throws {FileError} when one cannot be removed.
   */
  finish(): Promise<void>;
  /**
   * Removes them again.
   *
   * @throws {FileError} when one cannot be removed.
   */
  discard(): Promise<void>;
}

/** Writes the pid file and the ports file, and removes the latter again, as nats-server does. */
export class ProcessFiles {
  #options: ProcessFilesOptions;
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
   * Writes the files to other places, beside those that there are. A pid file that is left behind stays,
   * as nats-server's does.
   *
   * @throws {FileError} when one cannot be written; nothing is left of it then that was not there.
   */
  async move(
    places: ProcessFilePlaces,
    listeners: Readonly<Record<string, Address>>,
  ): Promise<ProcessFilesMove> {
    const before = this.#options, old = this.#written, { files } = before;
    const isPidMoved = places.pidFile !== before.pidFile;
    const isPortsMoved = places.portsFileFolder !== before.portsFileFolder;
    const next = new ProcessFiles({
      ...before,
      pidFile: isPidMoved ? places.pidFile : undefined,
      portsFileFolder: isPortsMoved ? places.portsFileFolder : undefined,
    });
    const hadPid = isPidMoved && places.pidFile !== undefined &&
      await files.readBytes(places.pidFile).then(() => true, () => false);
    await next.write(listeners);
    return {
      apply: () => {
        this.#options = { ...before, ...places };
        if (isPortsMoved) this.#written = next.#written;
      },
      rollback: () => {
        this.#options = before;
        this.#written = old;
      },
      finish: async () => {
        if (isPortsMoved && old !== null) await files.remove(old);
      },
      discard: async () => {
        await next.remove();
        if (isPidMoved && places.pidFile !== undefined && !hadPid) {
          await files.remove(places.pidFile);
        }
      },
    };
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
