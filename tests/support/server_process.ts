/**
 * A server as a child process: started, awaited through its ports file, stopped.
 *
 * @module
 */
import type { ServerAddress } from "./conversation.ts";

/** How long a server may take to write its ports file, in milliseconds. */
const START_LIMIT_MS = 20_000;

/** How long a server may take to end when asked to, in milliseconds; then it is killed. */
const STOP_LIMIT_MS = 10_000;

/** How much of the end of a server's log is kept, in code units. */
const LOG_LIMIT = 65_536;

/** What the ports file says, as far as the tests use it. */
interface Ports {
  readonly nats?: readonly string[];
  readonly monitoring?: readonly string[];
  readonly cluster?: readonly string[];
}

/** A running server; disposing it stops the process and removes its folder. */
export class ServerProcess implements ServerAddress, AsyncDisposable {
  /** Address clients connect to. */
  readonly hostname: string;
  /** Port clients connect to. */
  readonly port: number;
  /** Every listener's URLs, as in the ports file. */
  readonly ports: Ports;
  /** Its configuration file. */
  readonly configFile: string;
  readonly #child: Deno.ChildProcess;
  readonly #log: LogTail;
  readonly #cleanup: AsyncDisposableStack;

  private constructor(
    child: Deno.ChildProcess,
    log: LogTail,
    ports: Ports,
    configFile: string,
    cleanup: AsyncDisposableStack,
  ) {
    this.configFile = configFile;
    const client = ports.nats?.[0];
    if (client === undefined) throw new Error("the ports file names no client listener");
    const url = new URL(client);
    this.hostname = url.hostname;
    this.port = Number(url.port);
    this.ports = ports;
    this.#child = child;
    this.#log = log;
    this.#cleanup = cleanup;
  }

  /**
   * Starts `command` with `args` and the flags for a free port on the loopback address, and waits
   * until it says where it listens.
   *
   * @param config The text of a configuration file, which the server gets with `-c`.
   * @param extension The configuration file's extension, `".yaml"` or `".conf"`.
   * @throws {Error} with the end of its log when the server ends or stays silent.
   */
  static async start(
    command: string,
    args: readonly string[],
    config: string,
    extension: ".yaml" | ".conf",
  ): Promise<ServerProcess> {
    await using cleanup = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "server-under-test-" });
    cleanup.defer(() => Deno.remove(folder, { recursive: true }));
    const configFile = `${folder}/server${extension}`;
    await Deno.writeTextFile(configFile, config);

    // The watch starts before the server, so that no event is missed.
    using watcher = Deno.watchFs(folder, { recursive: false });
    const listen = ["-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", folder, "-c", configFile];
    const child = new Deno.Command(command, {
      args: [...args, ...listen],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const log = new LogTail(child.stderr);
    let failure = `did not listen within ${START_LIMIT_MS} ms`;
    const timer = setTimeout(() => watcher[Symbol.dispose](), START_LIMIT_MS);
    const ended = child.status.then(({ code }) => {
      failure = `ended with exit code ${code}`;
      watcher[Symbol.dispose]();
    });
    cleanup.defer(async () => {
      send(child, "SIGTERM");
      const timer = setTimeout(() => send(child, "SIGKILL"), STOP_LIMIT_MS);
      await ended;
      clearTimeout(timer);
      await log.end;
    });
    try {
      const ports = await portsFrom(folder, watcher);
      if (ports) return new ServerProcess(child, log, ports, configFile, cleanup.move());
    } finally {
      clearTimeout(timer);
    }
    const reason = failure;
    send(child, "SIGKILL");
    await log.end;
    throw new Error(`${command} ${reason}:\n${log.text}`);
  }

  /** The process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** The end of what the server has logged so far. */
  get log(): string {
    return this.#log.text;
  }

  /** Sends the server a signal. */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Settles when the process has ended. */
  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** Stops the server, if it has not ended by itself, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

/** Sends a signal to a process that may have ended by itself. */
function send(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

/** Reads a stream to its end, so that the process never blocks on it, and keeps the last part. */
class LogTail {
  text = "";
  readonly end: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.end = this.#read(stream);
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.text = (this.text + text).slice(-LOG_LIMIT);
    }
  }
}

/** The ports file's content once it is whole; `undefined` when the watcher is closed before. */
async function portsFrom(folder: string, watcher: Deno.FsWatcher): Promise<Ports | undefined> {
  for await (const event of watcher) {
    if (!event.paths.some((path) => path.endsWith(".ports"))) continue;
    for await (const entry of Deno.readDir(folder)) {
      if (!entry.name.endsWith(".ports")) continue;
      try {
        return JSON.parse(await Deno.readTextFile(`${folder}/${entry.name}`)) as Ports;
      } catch (error) {
        // The file is created first and written afterwards: another event follows.
        if (!(error instanceof SyntaxError)) throw error;
      }
    }
  }
  return undefined;
}
