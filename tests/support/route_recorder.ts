/**
 * What a route parser hands over, in a form that reads well in a test.
 *
 * @module
 */
import {
  type ClientMessage,
  type RouteCommands,
  RouteParser,
  Slab,
} from "../../src/protocol/mod.ts";
import { canonicalOf } from "./command_recorder.ts";
import { toBytes } from "./wire_text.ts";

/** Writes every command down as one string, and keeps the messages in canonical form. */
export class RouteRecorder implements RouteCommands {
  /** The commands, oldest first. */
  readonly commands: string[] = [];
  /** The lists of queues that came with messages, oldest first. */
  readonly lists: (readonly string[] | null)[] = [];
  /** Of each message, whether it was said to have the subject of the one before. */
  readonly sameSubject: boolean[] = [];
  /** Called after each command. */
  onCommand: (command: string) => void = () => {};
  /** Called with each message while it is valid. */
  onMessage: (account: string, message: ClientMessage, queues: readonly string[] | null) => void =
    () => {};

  connect(json: string): void {
    this.#add(`CONNECT ${json}`);
  }
  info(json: string): void {
    this.#add(`INFO ${json}`);
  }
  ping(): void {
    this.#add("PING");
  }
  pong(): void {
    this.#add("PONG");
  }
  error(text: string): void {
    this.#add(`-ERR ${text}`);
  }
  interestAdded(
    account: string,
    subject: string,
    queue: string | null,
    weight: number,
    origin: string | null,
  ): void {
    this.#add(`added ${JSON.stringify([account, subject, queue, weight, origin])}`);
  }
  interestRemoved(
    account: string,
    subject: string,
    queue: string | null,
    origin: string | null,
  ): void {
    this.#add(`removed ${JSON.stringify([account, subject, queue, origin])}`);
  }
  message(account: string, message: ClientMessage, queues: readonly string[] | null): void {
    this.lists.push(queues);
    this.sameSubject.push(message.sameSubject);
    this.onMessage(account, message, queues);
    const list = queues === null ? "" : ` [${queues.join(" ")}]`;
    const kind = message.headerLength > 0 ? "headers" : "message";
    this.#add(`${kind} ${account}${list}: ${canonicalOf(message)}`);
  }

  #add(command: string): void {
    this.commands.push(command);
    this.onCommand(command);
  }
}

/** A route parser that is fed byte strings and keeps what it has not used, as an inbox does. */
export class FedRouteParser {
  /** What was understood. */
  readonly recorder = new RouteRecorder();
  /** The parser. */
  readonly parser: RouteParser;
  /** Bytes that were presented and are not done with. */
  rest = "";

  /** A parser with small limits. */
  constructor(limits: { maxControlLine?: number; maxPayload?: number } = {}) {
    this.parser = new RouteParser(this.recorder, {
      maxControlLine: limits.maxControlLine ?? 100,
      maxPayload: limits.maxPayload ?? 100,
    });
    this.parser.state = "authenticated";
  }

  /** The commands so far. */
  get commands(): readonly string[] {
    return this.recorder.commands;
  }

  /** Presents what is left and `text` behind it, somewhere in a slab of garbage. */
  feed(text: string): this {
    const input = this.rest + text, start = 5;
    const slab = new Slab(start + input.length);
    slab.bytes.fill(0x31);
    slab.bytes.set(toBytes(input), start);
    const at = this.parser.parse(slab, start, start + input.length);
    this.rest = input.slice(at - start);
    return this;
  }
}
