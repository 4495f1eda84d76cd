/**
 * The route parser against the reference parser: the same events on every input, wherever it is
 * split and wherever its pieces lie, and no exception on any.
 *
 * `FUZZ_SEED` and `FUZZ_COUNT` in the environment override the seed and the number of inputs.
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  byteString,
  type ClientMessage,
  hashSubject,
  type RouteCommands,
  RouteParser,
  Slab,
} from "../../src/protocol/mod.ts";
import { escape, fromBytes, toBytes } from "../support/wire_text.ts";
import { command, input, settings } from "./route_grammar.ts";
import {
  parseRouteReference,
  type RouteEvent,
  type RouteSettings,
} from "./route_reference_parser.ts";

const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 20_261_122);
const COUNT = Number(Deno.env.get("FUZZ_COUNT") ?? 30_000);

/** What the parser was seen to do over all inputs; each must occur, or the inputs are too tame. */
const seen = new Map<string, number>();

function count(what: string): void {
  seen.set(what, (seen.get(what) ?? 0) + 1);
}

/** Writes the commands down as the reference does, and checks what is promised of messages. */
class Recorder implements RouteCommands {
  readonly events: RouteEvent[] = [];
  onCommand: () => void = () => {};
  onConnect: () => void = () => {};
  #lastAccount = "";
  #lastSubject: string | null = null;

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
  interestAdded(
    account: string,
    subject: string,
    queue: string | null,
    weight: number,
    origin: string | null,
  ): void {
    this.#add({ kind: "added", account, subject, queue, weight, origin });
  }
  interestRemoved(
    account: string,
    subject: string,
    queue: string | null,
    origin: string | null,
  ): void {
    this.#add({ kind: "removed", account, subject, queue, origin });
  }
  message(account: string, message: ClientMessage, queues: readonly string[] | null): void {
    const { bytes } = message.slab;
    const subject = byteString(bytes, message.subjectStart, message.subjectEnd);
    const reply = message.hasReply ? byteString(bytes, message.replyStart, message.replyEnd) : null;
    const body = byteString(bytes, message.bodyStart, message.bodyStart + message.size);
    const sizesStart = (message.hasReply ? message.replyEnd : message.subjectEnd) + 1;
    const sizes = byteString(bytes, sizesStart, message.bodyStart - 2);
    const size = byteString(bytes, message.sizeStart, message.bodyStart - 2);
    const canonical = `${subject} ${reply === null ? "" : reply + " "}${sizes}\r\n${body}\r\n`;
    assertEquals(byteString(bytes, message.subjectStart, message.end), canonical);
    assertEquals(Number(size), message.size);
    assertEquals(
      message.subjectHash,
      hashSubject(bytes, message.subjectStart, message.subjectEnd),
    );
    if (message.sameSubject) {
      count("same subject");
      assertEquals([account, subject], [this.#lastAccount, this.#lastSubject]);
    }
    if (queues !== null) count(reply === null ? "list" : "list and reply");
    this.#lastAccount = account;
    this.#lastSubject = subject;
    const { headerLength } = message;
    this.#add({ kind: "message", account, subject, reply, queues, headerLength, sizes, body });
  }

  #add(event: RouteEvent): void {
    this.events.push(event);
    this.onCommand();
  }
}

/** Where an input is split, where its pieces lie, and after which commands the parser is stopped. */
interface Feeding {
  readonly cuts: readonly number[];
  readonly offsets: readonly number[];
  readonly stops: readonly boolean[];
}

const feeding: fc.Arbitrary<Feeding> = fc.record({
  cuts: fc.array(fc.nat(), { maxLength: 5 }),
  offsets: fc.array(fc.nat(9), { minLength: 1, maxLength: 6 }),
  stops: fc.oneof(fc.constant([]), fc.array(fc.boolean(), { maxLength: 6 })),
});

/** Feeds `text` to a parser, each piece at another place of another slab full of something else. */
function parse(text: string, settings: RouteSettings, feeding: Feeding): RouteEvent[] {
  const input = toBytes(text);
  const recorder = new Recorder();
  const parser = new RouteParser(recorder, settings);
  parser.dedicated = settings.dedicated;
  parser.leafOrigins = settings.leafOrigins;
  parser.state = settings.connectRequired ? "unauthenticated" : "authenticated";
  recorder.onConnect = () => parser.state = "authenticated";
  recorder.onCommand = () => {
    if (feeding.stops[recorder.events.length]) parser.stop();
  };
  const places = feeding.cuts.map((cut) => cut % (input.length + 1)).sort((a, b) => a - b);
  let rest = new Uint8Array(0);
  [0, ...places].forEach((from, index) => {
    if (parser.fault !== null) return;
    const piece = input.subarray(from, places[index]);
    const start = feeding.offsets[index % feeding.offsets.length]!;
    const end = start + rest.length + piece.length;
    const slab = new Slab(end);
    slab.bytes.fill(0x35);
    slab.bytes.set(rest, start);
    slab.bytes.set(piece, start + rest.length);
    let at = start;
    for (;;) {
      const known = recorder.events.length;
      const next = parser.parse(slab, at, end);
      assert(next >= at && next <= end, "the parser left its input");
      const idle = next === at && recorder.events.length === known;
      at = next;
      if (at === end || idle || parser.fault !== null) break;
    }
    assertEquals(
      fromBytes(slab.bytes.subarray(0, start)),
      "5".repeat(start),
      "what is not its own",
    );
    if (parser.fault === null) {
      count(`ends in ${parser.mode}`);
      assert(parser.needed === 0 || parser.needed > end - at, "needs no more than it has");
    }
    rest = slab.bytes.slice(at, end);
  });
  if (parser.fault === null) return recorder.events;
  return [...recorder.events, { kind: "fault", fault: parser.fault }];
}

function compare(text: string, settings: RouteSettings, feeding: Feeding): void {
  const expected = parseRouteReference(text, settings);
  const actual = parse(text, settings, feeding);
  // Faster than assertEquals, which is only wanted for what it says of a difference.
  if (JSON.stringify(actual) !== JSON.stringify(expected)) {
    assertEquals(actual, expected, `${escape(text)}\n${JSON.stringify(settings)}`);
  }
  for (const event of expected) count(event.kind === "fault" ? `fault ${event.fault}` : event.kind);
}

Deno.test(`route parser and reference agree on ${COUNT} generated inputs (seed ${SEED})`, () => {
  const cases = settings.chain((settings) =>
    fc.tuple(input(settings), fc.constant(settings), feeding)
  );
  fc.assert(fc.property(cases, (one) => compare(...one)), { seed: SEED, numRuns: COUNT });
  const needed = [
    ...["connect", "info", "error", "ping", "pong", "added", "removed", "message"],
    ...["same subject", "list", "list and reply"],
    ...["start", "blanks", "arguments", "payload", "skip"].map((mode) => `ends in ${mode}`),
    ...["unknown operation", "control line", "payload size", "arguments", "not connected"]
      .map((fault) => `fault ${fault}`),
  ];
  const enough = Math.floor(COUNT / 1000);
  for (const what of needed) {
    assert((seen.get(what) ?? 0) >= enough, `"${what}" came up ${seen.get(what) ?? 0} times only`);
  }
});

Deno.test("route parser and reference agree on arbitrary bytes behind a verb", () => {
  const bytes = fc.uint8Array({ maxLength: 64 }).map(fromBytes);
  const verb = fc.constantFrom("", "RMSG ", "HMSG ", "LMSG ", "RS+ ", "LS- ", "INFO ");
  const text = fc.tuple(verb, bytes).map((parts) => parts.join(""));
  fc.assert(fc.property(text, settings, feeding, compare), { seed: SEED, numRuns: 20_000 });
});

Deno.test("route parser and reference agree on every way to cut a few conversations in two", () => {
  const conversations = settings.chain((settings) =>
    fc.tuple(fc.array(command(settings), { minLength: 8, maxLength: 12 }), fc.constant(settings))
  );
  const property = fc.property(conversations, fc.nat(9), ([commands, settings], offset) => {
    const text = commands.join("");
    const offsets = [0, offset];
    for (let cut = 0; cut <= text.length; cut++) {
      compare(text, settings, { cuts: [cut], offsets, stops: [] });
    }
    const cuts = Array.from(text, (_, index) => index);
    compare(text, settings, { cuts, offsets, stops: [] });
  });
  fc.assert(property, { seed: SEED, numRuns: 50 });
});
