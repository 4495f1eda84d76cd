/**
 * What a client parser hands over, in a form that reads well in a test.
 *
 * @module
 */
import {
  byteString,
  type ClientCommands,
  type ClientMessage,
  ClientParser,
  Slab,
} from "../../src/protocol/mod.ts";
import { fromBytes, toBytes } from "./wire_text.ts";

/** Writes every command down as one string, and keeps the messages in canonical form. */
export class CommandRecorder implements ClientCommands {
  /** The commands, oldest first: `SUB subject queue sid`, and so on. */
  readonly commands: string[] = [];
  /** Called after each command. */
  onCommand: (command: string) => void = () => {};

  connect(json: string): void {
    this.#add(`CONNECT ${json}`);
  }
  announced(message: ClientMessage): void {
    this.#add(`announced ${subjectOf(message)}`);
  }
  publish(message: ClientMessage): void {
    this.#add(`${message.headerLength > 0 ? "HPUB" : "PUB"} ${canonicalOf(message)}`);
  }
  subscribe(subject: string, queue: string | null, sid: string): void {
    this.#add(`SUB ${subject} ${queue === null ? "-" : queue} ${sid}`);
  }
  unsubscribe(sid: string, max: number): void {
    this.#add(`UNSUB ${sid} ${max}`);
  }
  ping(): void {
    this.#add("PING");
  }
  pong(): void {
    this.#add("PONG");
  }
  info(json: string): void {
    this.#add(`INFO ${json}`);
  }
  error(text: string): void {
    this.#add(`-ERR ${text}`);
  }

  #add(command: string): void {
    this.commands.push(command);
    this.onCommand(command);
  }
}

/** The subject of a message, a byte string. */
export function subjectOf(message: ClientMessage): string {
  return byteString(message.slab.bytes, message.subjectStart, message.subjectEnd);
}

/** A message from its subject to its end, a byte string. */
export function canonicalOf(message: ClientMessage): string {
  return fromBytes(message.slab.bytes.subarray(message.subjectStart, message.end));
}

/** A parser that is fed byte strings and keeps what it has not used, as an inbox does. */
export class FedParser {
  /** What was understood. */
  readonly recorder = new CommandRecorder();
  /** The parser. */
  readonly parser: ClientParser;
  /** Bytes that were presented and are not done with. */
  rest = "";

  /** A parser with headers and small limits. */
  constructor(limits: { maxControlLine?: number; maxPayload?: number } = {}) {
    this.parser = new ClientParser(this.recorder, {
      maxControlLine: limits.maxControlLine ?? 100,
      maxPayload: limits.maxPayload ?? 100,
    });
    this.parser.state = "authenticated";
    this.parser.headers = true;
    this.parser.pedantic = false;
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
