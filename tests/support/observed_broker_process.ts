/**
 * A broker in a process of its own, whose memory, tasks and files can be asked for.
 *
 * @module
 */
import type { ConfigInput } from "../../mod.ts";
import type { ServerAddress } from "./conversation.ts";
import { withFileLimit } from "./file_limit.ts";
import { linesOf } from "./lines.ts";
import type { Holdings } from "./observed_broker.ts";

/** A running broker; disposing it closes the broker and waits for the end of the process. */
export class ObservedBroker implements AsyncDisposable {
  /** Where clients connect to. */
  readonly address: ServerAddress;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<string>;
  readonly #piping: Promise<void>;
  readonly #lines: AsyncIterator<string>;

  private constructor(
    address: ServerAddress,
    child: Deno.ChildProcess,
    input: WritableStreamDefaultWriter<string>,
    piping: Promise<void>,
    lines: AsyncIterator<string>,
  ) {
    this.address = address;
    this.#child = child;
    this.#input = input;
    this.#piping = piping;
    this.#lines = lines;
  }

  /**
   * Starts a broker on a free port of the loopback address.
   *
   * @param fileLimit How many files its process may open; what the test may, if absent.
   */
  static async start(settings: ConfigInput = {}, fileLimit?: number): Promise<ObservedBroker> {
    const program = decodeURIComponent(new URL("./observed_broker.ts", import.meta.url).pathname);
    const deno = {
      command: Deno.execPath(),
      args: ["run", "-A", "--v8-flags=--expose-gc", program, JSON.stringify(settings)],
    };
    const { command, args } = fileLimit === undefined ? deno : withFileLimit(fileLimit, deno);
    const child = new Deno.Command(command, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = linesOf(child.stdout);
    const { value, done } = await lines.next();
    if (done) throw new Error("the broker ended before it listened");
    const encoder = new TextEncoderStream();
    const piping = encoder.readable.pipeTo(child.stdin);
    return new ObservedBroker(
      JSON.parse(value) as ServerAddress,
      child,
      encoder.writable.getWriter(),
      piping,
      lines,
    );
  }

  /** The process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** What the broker holds; with `collect`, after its garbage was collected. */
  async holdings(collect = true): Promise<Holdings> {
    await this.#input.write(collect ? "collect\n" : "as it is\n");
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the broker has ended");
    return JSON.parse(value) as Holdings;
  }

  /** Ends the broker. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#piping;
    for (let end = false; !end;) end = (await this.#lines.next()).done === true;
    await this.#child.status;
  }
}
