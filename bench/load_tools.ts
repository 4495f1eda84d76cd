/**
 * The C programs that make load: compiled when needed, run as child processes.
 *
 * @module
 */

/** How long one run of a tool may take, in milliseconds. */
const RUN_LIMIT_MS = 180_000;

/** The figures a tool prints, by name; see the heads of the C files for their units. */
export type Figures = Readonly<Record<string, number>>;

/** What is compiled, and with which libraries. */
const PROGRAMS = {
  natsload: [],
  relaybench: [],
  natsload_tls: ["-lssl", "-lcrypto"],
} as const;

/** The program that makes load: in the clear or over TLS. */
export type LoadProgram = "natsload" | "natsload_tls";

/** `natsload` and `relaybench`, compiled into a folder of their own that disposing removes. */
export class LoadTools implements AsyncDisposable {
  readonly #folder: string;
  readonly #program: LoadProgram;

  private constructor(folder: string, program: LoadProgram) {
    this.#folder = folder;
    this.#program = program;
  }

  /**
   * Compiles both; null where there is no C compiler `cc`.
   *
   * @throws {Error} with the compiler's words, such as where OpenSSL's headers are missing.
   */
  static async compile(program: LoadProgram = "natsload"): Promise<LoadTools | null> {
    const folder = await Deno.makeTempDir({ prefix: "denats-bench-" });
    const tools = new LoadTools(folder, program);
    try {
      for (const name of [program, "relaybench"] as const) {
        const source = decodeURIComponent(new URL(`./${name}.c`, import.meta.url).pathname);
        const output = `${folder}/${name}`;
        await run("cc", ["-O2", "-pthread", "-o", output, source, ...PROGRAMS[name]]);
      }
      return tools;
    } catch (error) {
      await tools[Symbol.asyncDispose]();
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /**
   * Loads the server that listens on `port` of the loopback address.
   *
   * @param args Further arguments of natsload.
   * @throws {Error} with its last words when a message was lost or the server closed a connection.
   */
  async load(port: number, pid: number, args: string): Promise<Figures> {
    const all = ["--port", String(port), "--pid", String(pid), ...args.split(" ")];
    return JSON.parse(await run(`${this.#folder}/${this.#program}`, all));
  }

  /** What a relay that only copies delivers: messages per second of `size` payload bytes. */
  async copyFloor(size: number): Promise<number> {
    const text = await run(`${this.#folder}/relaybench`, ["--size", String(size), "--mb", "768"]);
    return (JSON.parse(text) as Figures)["deliveries_per_s"]!;
  }

  /** Removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function run(command: string, args: string[]): Promise<string> {
  const { success, code, stdout, stderr } = await new Deno.Command(command, {
    args,
    stdin: "null",
    signal: AbortSignal.timeout(RUN_LIMIT_MS),
  }).output();
  if (success) return new TextDecoder().decode(stdout);
  const words = new TextDecoder().decode(stderr).trim();
  throw new Error(words === "" ? `${command}: exit code ${code}` : words);
}
