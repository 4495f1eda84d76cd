/**
 * The client parser against the reference parser: the same events on every input, wherever it is
 * split, and no exception on any.
 *
 * `FUZZ_SEED` and `FUZZ_COUNT` in the environment override the seed and the number of inputs.
 */
import { assert, assertEquals } from "@std/assert";
import { type Random, SeededRandom } from "../../src/platform/mod.ts";
import {
  byteString,
  type ClientCommands,
  type ClientMessage,
  ClientParser,
  Slab,
} from "../../src/protocol/mod.ts";
import { escape, toBytes } from "../support/wire_text.ts";
import { FAULTS, Grammar, type Verb, VERBS } from "./grammar.ts";
import { parseReference, type ReferenceEvent, type ReferenceSettings } from "./reference_parser.ts";

const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 20_261_122);
const COUNT = Number(Deno.env.get("FUZZ_COUNT") ?? 1_000_000);

/** What the parser was seen to do over all inputs; each must occur, or the inputs are too tame. */
const seen = new Map<string, number>();

function count(what: string): void {
  seen.set(what, (seen.get(what) ?? 0) + 1);
}

/** Writes the commands down as the reference does. */
class Recorder implements ClientCommands {
  readonly events: ReferenceEvent[] = [];
  /** Asked after every command whether to stop the parser there. */
  onCommand: () => void = () => {};
  onConnect: () => void = () => {};
  #lastSubject: string | undefined;

  connect(text: string): void {
    this.#add({ kind: "connect", text });
    this.onConnect();
  }
  info(text: string): void {
    this.#add({ kind: "info", text });
  }
  error(text: string): void {
    this.#add({ kind: "error", text });
  }
  ping(): void {
    this.#add({ kind: "ping" });
  }
  pong(): void {
    this.#add({ kind: "pong" });
  }
  subscribe(subject: string, queue: string | null, sid: string): void {
    this.#add({ kind: "subscribe", subject, queue, sid });
  }
  unsubscribe(sid: string, max: number): void {
    this.#add({ kind: "unsubscribe", sid, max });
  }
  announced(message: ClientMessage): void {
    const { bytes } = message.slab;
    const subject = byteString(bytes, message.subjectStart, message.subjectEnd);
    this.#add({ kind: "announced", subject, size: message.size });
  }
  publish(message: ClientMessage): void {
    const { bytes } = message.slab;
    const subject = byteString(bytes, message.subjectStart, message.subjectEnd);
    const reply = message.hasReply ? byteString(bytes, message.replyStart, message.replyEnd) : null;
    const body = byteString(bytes, message.bodyStart, message.bodyStart + message.size);
    // What is delivered is copied from behind the subject in one piece: it must be canonical.
    const sizesStart = (message.hasReply ? message.replyEnd : message.subjectEnd) + 1;
    const sizes = byteString(bytes, sizesStart, message.bodyStart - 2);
    const canonical = subject + " " + (reply === null ? "" : reply + " ") + sizes + "\r\n" + body +
      "\r\n";
    assertEquals(byteString(bytes, message.subjectStart, message.end), canonical);
    if (message.sameSubject) {
      count("same subject");
      assertEquals(subject, this.#lastSubject, "sameSubject of a different subject");
    }
    this.#lastSubject = subject;
    const { headerLength } = message;
    this.#add({ kind: "publish", subject, reply, headerLength, sizes, body });
  }

  #add(event: ReferenceEvent): void {
    this.events.push(event);
    this.onCommand();
  }
}

/** Feeds `input` to a parser in `pieces`, each time at another place of another slab. */
function parseInPieces(
  pieces: readonly Uint8Array[],
  settings: ReferenceSettings,
  random: Random,
): ReferenceEvent[] {
  const recorder = new Recorder();
  const parser = new ClientParser(recorder, settings);
  parser.headers = settings.headers;
  parser.pedantic = settings.pedantic;
  parser.state = settings.connectRequired ? "unauthenticated" : "authenticated";
  recorder.onConnect = () => parser.state = "authenticated";
  if (random.below(4) === 0) {
    recorder.onCommand = () => {
      if (random.below(2) === 0) parser.stop();
    };
  }
  let rest = new Uint8Array(0);
  for (const piece of pieces) {
    let at = random.below(9);
    const end = at + rest.length + piece.length;
    const slab = new Slab(end);
    slab.bytes.set(rest, at);
    slab.bytes.set(piece, at + rest.length);
    for (;;) {
      const known = recorder.events.length;
      const next = parser.parse(slab, at, end);
      assert(next >= at && next <= end, "the parser left its input");
      const idle = next === at && recorder.events.length === known;
      at = next;
      if (parser.fault !== null) {
        count(`fault ${parser.fault}`);
        return [...recorder.events, { kind: "fault", fault: parser.fault }];
      }
      if (at === end || idle) break;
    }
    count(`ends in ${parser.mode}`);
    assert(parser.needed === 0 || parser.needed > end - at, "needs no more than it has");
    rest = slab.bytes.slice(at, end);
  }
  return recorder.events;
}

/** Cuts `input` at up to four random places. */
function cut(input: Uint8Array, random: Random): Uint8Array[] {
  const places = Array.from(
    { length: random.below(5) },
    () => random.below(input.length + 1),
  ).sort((a, b) => a - b);
  return [0, ...places].map((start, index) => input.subarray(start, places[index]));
}

function randomSettings(random: Random): ReferenceSettings {
  return {
    maxControlLine: random.below(2) === 0 ? 1024 : 40,
    maxPayload: random.below(2) === 0 ? 100 : 20,
    headers: random.below(4) > 0,
    pedantic: random.below(2) === 0,
    connectRequired: random.below(8) === 0,
  };
}

/** Half of all inputs are valid but for at most one fault; the others are worse. */
function randomInput(random: Random, settings: ReferenceSettings): string {
  const grammar = new Grammar(random, settings);
  const length = 1 + random.below(4);
  const faulty = random.below(length);
  const tame = random.below(2) === 0;
  let input = settings.connectRequired && tame ? grammar.command("CONNECT", "none") : "";
  for (let index = 0; index < length; index++) {
    const fault = tame && index !== faulty ? "none" : grammar.pick(FAULTS);
    // Publishing is what the parser has a separate, fast way for.
    const verb = random.below(3) === 0 ? grammar.pick<Verb>(["PUB", "HPUB"]) : grammar.pick(VERBS);
    input += grammar.command(verb, fault);
  }
  return tame ? input : mutate(input, random);
}

/** Changes, removes or repeats a few bytes. */
function mutate(input: string, random: Random): string {
  const bytes = " \t\r\n0123456789.>*PUBHSN+-\x00\xff\xc3\xa9\x80";
  for (let changes = random.below(4); changes > 0; changes--) {
    const at = random.below(input.length + 1);
    const byte = bytes.charAt(random.below(bytes.length));
    switch (random.below(3)) {
      case 0:
        input = input.slice(0, at) + byte + input.slice(at);
        break;
      case 1:
        input = input.slice(0, at) + byte + input.slice(at + 1);
        break;
      default:
        input = input.slice(0, at) + input.slice(at + random.below(8));
    }
  }
  return input;
}

function same(left: readonly ReferenceEvent[], right: readonly ReferenceEvent[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function compare(input: string, settings: ReferenceSettings, random: Random): void {
  const expected = parseReference(input, settings);
  for (const event of expected) count(event.kind);
  const pieces = cut(toBytes(input), random);
  let actual: ReferenceEvent[];
  try {
    actual = parseInPieces(pieces, settings, random);
  } catch (error) {
    throw new Error(describe(pieces, settings), { cause: error });
  }
  if (!same(actual, expected)) assertEquals(actual, expected, describe(pieces, settings));
}

function describe(pieces: readonly Uint8Array[], settings: ReferenceSettings): string {
  const shown = pieces.map((piece) => escape(byteString(piece, 0, piece.length))).join(" | ");
  return `seed ${SEED}, input: ${shown}\n${JSON.stringify(settings)}`;
}

Deno.test(`parser and reference agree on ${COUNT} generated inputs (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  for (let index = 0; index < COUNT; index++) {
    const settings = randomSettings(random);
    compare(randomInput(random, settings), settings, random);
  }
  const needed = [
    ...["connect", "info", "error", "ping", "pong", "subscribe", "unsubscribe"],
    ...["announced", "publish", "same subject"],
    ...["start", "blanks", "arguments", "payload", "skip"].map((mode) => `ends in ${mode}`),
    ...["unknown operation", "control line", "payload size", "arguments", "headers"]
      .map((fault) => `fault ${fault}`),
    "fault not connected",
  ];
  const enough = Math.floor(COUNT / 1000);
  for (const what of needed) {
    assert((seen.get(what) ?? 0) >= enough, `"${what}" came up ${seen.get(what) ?? 0} times only`);
  }
});

Deno.test("parser and reference agree on arbitrary bytes", () => {
  const random = new SeededRandom(SEED);
  for (let index = 0; index < 20_000; index++) {
    const bytes = random.bytes(random.below(64));
    compare(byteString(bytes, 0, bytes.length), randomSettings(random), random);
  }
});

Deno.test("parser and reference agree on every way to cut one conversation in two", () => {
  const random = new SeededRandom(SEED);
  const settings = randomSettings(random);
  const grammar = new Grammar(random, { maxControlLine: 1024, maxPayload: 100 });
  const input = VERBS.map((verb) => grammar.command(verb, "none")).join("");
  const bytes = toBytes(input);
  const expected = parseReference(input, settings);
  for (let at = 0; at <= bytes.length; at++) {
    const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
    assertEquals(parseInPieces(pieces, settings, random), expected, describe(pieces, settings));
  }
  const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
  assertEquals(parseInPieces(single, settings, random), expected);
});
