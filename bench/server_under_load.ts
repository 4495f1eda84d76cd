/**
 * A server as a child process, for as long as it is measured.
 *
 * @module
 */

/** How long a server may take to listen, and then to end, in milliseconds. */
const START_LIMIT_MS = 10_000;
const STOP_LIMIT_MS = 5_000;

/** How long a server is left alone before it is measured, in milliseconds. */
const SETTLE_MS = 500;

/** A command that serves on `-a <address> -p <port>`. */
export type ServerCommand = readonly [program: string, ...args: string[]];

/** A running server; disposing stops it. */
export class ServerUnderLoad implements AsyncDisposable {
  /** The port it listens on, on the loopback address. */
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #log: Promise<string>;

  private constructor(port: number, child: Deno.ChildProcess) {
    this.port = port;
    this.#child = child;
    this.#log = new Response(child.stderr).text();
  }

  /** The process whose CPU time and memory count. */
  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Starts `command` on a free port and waits until it listens.
   *
   * @throws {Error} when it ends before, or does not listen in time.
   */
  static async start([program, ...args]: ServerCommand): Promise<ServerUnderLoad> {
    const port = freePort();
    const child = new Deno.Command(program, {
      args: [...args, "-a", "127.0.0.1", "-p", String(port)],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const server = new ServerUnderLoad(port, child);
    const name = [program, ...args].join(" ");
    let ended = false;
    child.status.then(() => ended = true);
    const deadline = performance.now() + START_LIMIT_MS;
    while (!await listens(port)) {
      if (ended) throw new Error(`${name}: ended; its log:\n${await server.#log}`);
      if (performance.now() > deadline) {
        await server[Symbol.asyncDispose]();
        throw new Error(`${name}: does not listen on port ${port} after ${START_LIMIT_MS} ms`);
      }
      await pause(20);
    }
    await pause(SETTLE_MS);
    return server;
  }

  /**
   * Starts two servers of one cluster, and waits until clients of one are told of the other.
   *
   * @throws {Error} when one of them ends before, or they do not find each other in time.
   */
  static async startPair(
    command: ServerCommand,
  ): Promise<readonly [ServerUnderLoad, ServerUnderLoad]> {
    await using started = new AsyncDisposableStack();
    const routes = [freePort(), freePort()].map((port) => `nats://127.0.0.1:${port}`);
    const servers = await Promise.all(routes.map(async (url) =>
      started.use(
        await ServerUnderLoad.start([
          ...command,
          "--cluster",
          url,
          "--cluster_name",
          "bench",
          "--routes",
          routes[0]!.replace("nats:", "nats-route:"),
        ]),
      )
    ));
    const deadline = performance.now() + START_LIMIT_MS;
    for (const { port } of servers) {
      while (!/"connect_urls":\[[^\]]*,/.test(await greeting(port))) {
        if (performance.now() > deadline) throw new Error("the servers do not find each other");
        await pause(20);
      }
    }
    await pause(SETTLE_MS);
    started.move();
    return [servers[0]!, servers[1]!];
  }

  /** Asks the server to end, and insists when it does not. */
  async [Symbol.asyncDispose](): Promise<void> {
    const insist = setTimeout(() => this.#child.kill("SIGKILL"), STOP_LIMIT_MS);
    try {
      this.#child.kill("SIGTERM");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended already
    }
    await Promise.all([this.#child.status, this.#log]);
    clearTimeout(insist);
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function listens(port: number): Promise<boolean> {
  try {
    using _connection = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

/** The first thing that a server says. */
async function greeting(port: number): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = new Uint8Array(4096);
  const count = await connection.read(bytes);
  return new TextDecoder().decode(bytes.subarray(0, count ?? 0));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
