/**
 * The command `main.ts` as a person runs it: arguments in, lines on two streams and an exit code out.
 *
 * @module
 */
import type { ServerAddress } from "./conversation.ts";

/** How long any single wait for the command may take, in milliseconds; then it is killed. */
const WAIT_LIMIT_MS = 20_000;

const MAIN = decodeURIComponent(new URL("../../main.ts", import.meta.url).pathname);

/** The command in a process where things go wrong, as `faulty_command.ts` says. */
export const FAULTY_COMMAND = decodeURIComponent(
  new URL("./faulty_command.ts", import.meta.url).pathname,
);

/** How to run the command. */
export interface CommandOptions {
  /** Environment variables besides those of the tests. */
  readonly env?: Record<string, string>;
  /** Flags of the runtime, such as `--v8-flags=--expose-gc`. */
  readonly runtimeFlags?: readonly string[];
  /** The program, a path; `main.ts` if absent. */
  readonly program?: string;
}

/** What a run of the command left. */
export interface CommandOutcome {
  /** Its exit code; 128 and the signal's number where a signal ended it. */
  readonly code: number;
  /** Everything it wrote to the standard output. */
  readonly stdout: string;
  /** Everything it wrote to the standard error. */
  readonly stderr: string;
}

/** Runs the command to its end. */
export async function runCommand(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandOutcome> {
  await using command = new RunningCommand(args, options);
  return await command.outcome();
}

/** The command while it runs; disposing it kills what has not ended by itself. */
export class RunningCommand implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: OutputText;
  readonly #stderr: OutputText;

  /** Starts the command. */
  constructor(args: readonly string[], options: CommandOptions = {}) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", ...options.runtimeFlags ?? [], options.program ?? MAIN, ...args],
      env: { NO_COLOR: "1", ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdout = new OutputText(this.#child.stdout);
    this.#stderr = new OutputText(this.#child.stderr);
  }

  /** The process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** What it has written to the standard error so far. */
  get stderr(): string {
    return this.#stderr.text;
  }

  /** Sends it a signal. One that has ended already is no error. */
  kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }

  /**
   * Waits until the standard error matches `pattern`, and returns the match.
   *
   * @throws {Error} with what was written when it never does.
   */
  async stderrMatch(pattern: RegExp): Promise<RegExpExecArray> {
    const timer = setTimeout(() => this.kill("SIGKILL"), WAIT_LIMIT_MS);
    try {
      return await this.#stderr.match(pattern);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Where it says that it listens for clients. */
  async listening(): Promise<ServerAddress> {
    const match = await this.stderrMatch(/Listening for client connections on (\S+):(\d+)\s/);
    return { hostname: match[1]!, port: Number(match[2]) };
  }

  /** Waits for its end. */
  async outcome(): Promise<CommandOutcome> {
    const timer = setTimeout(() => this.kill("SIGKILL"), WAIT_LIMIT_MS);
    const { code } = await this.#child.status;
    clearTimeout(timer);
    await Promise.all([this.#stdout.end, this.#stderr.end]);
    return { code, stdout: this.#stdout.text, stderr: this.#stderr.text };
  }

  /** Kills the process, if it has not ended by itself, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.outcome();
  }
}

/** The text of a stream as it comes. */
class OutputText {
  text = "";
  readonly end: Promise<void>;
  #ended = false;
  #changed = Promise.withResolvers<void>();

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.end = this.#read(stream);
  }

  async match(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match) return match;
      if (this.#ended) throw new Error(`no ${pattern} in:\n${this.text}`);
      await this.#changed.promise;
    }
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.text += text;
      this.#signal();
    }
    this.#ended = true;
    this.#signal();
  }

  #signal(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
