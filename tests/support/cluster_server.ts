/**
 * A member of a cluster as a child process: started, killed, started again on the same ports.
 *
 * @module
 */
import {
  configText,
  type MemberOptions,
  type MemberPlan,
  type ServerKind,
} from "./cluster_config.ts";
import type { ServerAddress } from "./conversation.ts";
import { eventually } from "./eventually.ts";
import { freePort, releasePort } from "./free_port.ts";
import { findNatsServer } from "./nats_server.ts";

/** How long a member may take to answer, in milliseconds. */
const START_LIMIT_MS = 20_000;

/** How long a member may take to end when asked to, in milliseconds; then it is killed. */
const STOP_LIMIT_MS = 10_000;

/** How much of the end of a member's log an error shows, in code units. */
const SHOWN_LOG = 4000;

const MAIN = decodeURIComponent(new URL("../../main.ts", import.meta.url).pathname);

/**
 * Whether servers of all `kinds` can be had; otherwise a test that needs them is ignored.
 *
 * @throws {Error} where one cannot be had and the environment variable `CI` is set.
 */
export async function available(kinds: Iterable<ServerKind>): Promise<boolean> {
  const commands = await Promise.all([...new Set(kinds)].map(commandOf));
  return commands.every((command) => command !== undefined);
}

/**
 * The kind that stands where a test says denats: denats, unless the environment variable
 * `INTEROP_STAND_IN` names a line of nats-server. That shows whether the tests themselves are right.
 */
export const DENATS: ServerKind = standIn();

/** Chooses the ports of a member, which are free again when the server is disposed. */
export function planMember(kind: ServerKind, name: string): MemberPlan {
  return {
    kind,
    name,
    clientPort: freePort(),
    clusterPort: freePort(),
    monitorPort: freePort(),
  };
}

/** A running member; disposing it stops the process and removes its folder. */
export class ClusterServer implements AsyncDisposable {
  /** What it is and where it listens. */
  readonly plan: MemberPlan;
  /** Everything it has logged, over all its lives. */
  log = "";
  readonly #command: readonly string[];
  readonly #folder: string;
  #child: Deno.ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();

  private constructor(plan: MemberPlan, command: readonly string[], folder: string) {
    this.plan = plan;
    this.#command = command;
    this.#folder = folder;
  }

  /**
   * Starts a member and waits until it answers clients.
   *
   * @throws {Error} with the end of its log when it ends or stays silent.
   */
  static async start(plan: MemberPlan, options: MemberOptions = {}): Promise<ClusterServer> {
    const command = await commandOf(plan.kind);
    if (command === undefined) throw new Error(`there is no nats-server ${plan.kind}`);
    const folder = await Deno.makeTempDir({ prefix: "cluster-member-" });
    const file = `${folder}/server.${plan.kind === "denats" ? "yaml" : "conf"}`;
    await Deno.writeTextFile(file, configText(plan, options));
    const server = new ClusterServer(plan, [...command, "-c", file], folder);
    try {
      await server.restart();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** Where it listens for clients. */
  get address(): ServerAddress {
    return { hostname: "127.0.0.1", port: this.plan.clientPort };
  }

  /** What it tells clients about its address, as in `connect_urls`. */
  get clientUrl(): string {
    return `127.0.0.1:${this.plan.clientPort}`;
  }

  /** The end of its log under a headline, for errors. */
  get report(): string {
    const { kind, name } = this.plan;
    return `--- log of ${name} (${kind}):\n${this.log.slice(-SHOWN_LOG)}`;
  }

  /** Starts it again after its end, on the same ports, and waits until it answers clients. */
  async restart(): Promise<void> {
    const [program, ...args] = this.#command;
    const child = new Deno.Command(program!, {
      args,
      cwd: this.#folder,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    let failure = "did not answer clients";
    this.#ended = Promise.all([child.status, this.#collect(child.stderr)]).then(([{ code }]) => {
      failure = `ended with exit code ${code}`;
      this.#child = null;
    });
    await eventually(
      () => `${this.plan.name} (${this.plan.kind}) ${failure}\n${this.report}`,
      () => {
        if (this.#child === null) throw new Error(`${this.plan.name} ${failure}\n${this.report}`);
        return this.#answers();
      },
      START_LIMIT_MS,
    );
  }

  /** Ends the process with a signal and waits for its end. One that has ended already is no error. */
  async kill(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    this.#send(signal);
    const timer = setTimeout(() => this.#send("SIGKILL"), STOP_LIMIT_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  /** Sends a signal and waits for nothing. */
  signal(signal: "SIGUSR2" | "SIGSTOP" | "SIGCONT"): void {
    this.#send(signal);
  }

  /** Waits until the log matches `pattern`. */
  async logged(pattern: RegExp): Promise<void> {
    await eventually(() => `${pattern}\n${this.report}`, () => pattern.test(this.log));
  }

  /** Stops the process, if it has not ended by itself, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing of it is needed any more, and a farewell takes nats-server a while.
    await this.kill("SIGKILL");
    await Deno.remove(this.#folder, { recursive: true });
    const { clientPort, clusterPort, monitorPort } = this.plan;
    for (const port of [clientPort, clusterPort, monitorPort]) releasePort(port);
  }

  /** Whether the server on the port for clients is this one. */
  async #answers(): Promise<boolean> {
    try {
      using connection = await Deno.connect(this.address);
      const bytes = new Uint8Array(8192);
      const count = await connection.read(bytes);
      const text = new TextDecoder().decode(bytes.subarray(0, count ?? 0));
      return text.includes(`"server_name":"${this.plan.name}"`);
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return false;
      if (error instanceof Deno.errors.ConnectionReset) return false;
      throw error;
    }
  }

  #send(signal: Deno.Signal): void {
    try {
      this.#child?.kill(signal);
    } catch (error) {
      // It has ended a moment ago.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  async #collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.log += text;
  }
}

const commands = new Map<ServerKind, Promise<readonly string[] | undefined>>();

/** The command that runs a server of a kind; looked for once. */
function commandOf(kind: ServerKind): Promise<readonly string[] | undefined> {
  let command = commands.get(kind);
  if (command === undefined) {
    command = kind === "denats"
      ? Promise.resolve([Deno.execPath(), "run", "-A", MAIN])
      : findNatsServer(kind).then((binary) => binary === undefined ? undefined : [binary]);
    commands.set(kind, command);
  }
  return command;
}

function standIn(): ServerKind {
  const kind = Deno.env.get("INTEROP_STAND_IN") ?? "denats";
  if (kind !== "denats" && kind !== "2.15" && kind !== "2.10" && kind !== "2.9") {
    throw new Error(`INTEROP_STAND_IN is ${kind}, not 2.15, 2.10, 2.9 or denats`);
  }
  return kind;
}
