/**
 * A seeded generator of what clients send: well-formed commands of every verb, and each way to get
 * one wrong.
 *
 * @module
 */
import type { Random } from "../../src/platform/mod.ts";

/** The verbs a client may send. */
export const VERBS = [
  "CONNECT",
  "PUB",
  "HPUB",
  "SUB",
  "UNSUB",
  "PING",
  "PONG",
  "INFO",
  "+OK",
  "-ERR",
] as const;

/** One of {@link VERBS}. */
export type Verb = (typeof VERBS)[number];

/** The ways to get one command wrong, or only unusual. */
export const FAULTS = [
  "none",
  "mixed case",
  "wrong verb byte",
  "truncated arguments",
  "extra arguments",
  "bad number",
  "extreme number",
  "odd blanks",
  "stray CR",
  "bare LF",
  "payload too long",
  "payload too short",
  "wrong payload end",
  "line too long",
  "invalid subject",
  "binary bytes",
  "sid in use or unknown",
  "after an error",
] as const;

/** One of {@link FAULTS}. */
export type Fault = (typeof FAULTS)[number];

/** What the generator stays just within, or goes just beyond. */
export interface GrammarLimits {
  /** Longest argument part of a control line, in bytes. */
  readonly maxControlLine: number;
  /** Largest total size of a message, in bytes. */
  readonly maxPayload: number;
}

/** A command before it is written down, so that a fault can change any part of it. */
interface Draft {
  verb: string;
  /** Between the verb and the first argument. */
  gap: string;
  args: string[];
  /** Between two arguments. */
  between: string;
  /** After the last argument. */
  trail: string;
  lineEnd: string;
  /** What follows the line, with its own line end; empty for verbs without payload. */
  payload: string;
  payloadEnd: string;
}

const SUBJECTS = ["foo", "foo.bar", "foo.baz.qux", "bar", "a.b.c.d.e"];
const PATTERNS = ["foo", "foo.*", "foo.>", ">", "*", "bar", "*.bar", "foo.*.qux", "none"];
const INVALID_SUBJECTS = [
  "foo..bar",
  ".foo",
  "foo.",
  ".",
  "..",
  "foo.>.bar",
  ">.foo",
  "foo.*",
  "foo.>",
  "foo*",
  "f*o",
  "foo.>x",
  "*foo.bar",
];
const HEADERS = ["NATS/1.0\r\n\r\n", "NATS/1.0\r\nA: b\r\n\r\n", "garbage", ""];
const BAD_NUMBERS = ["x", "1x", "x1", "0x1", "1.0", "+1", "1e1", "1_0", "\u00b2", "--1", "''"];
const EXTREME_NUMBERS = [
  "-1",
  "-0",
  "-99999999999999999999",
  "000000001",
  "0000000001",
  "999999999",
  "1000000000",
  "2147483648",
  "4294967297",
  "9007199254740993",
  "18446744073709551617",
  "99999999999999999999999999",
];
const BLANKS = ["\t", "  ", " \t ", "   ", "\t\t", " "];
const ERRORS = [
  "FOO\r\n",
  "\r\n",
  "PUB foo\r\n",
  "PUB foo x\r\n",
  "PUB foo 999999999\r\n",
  "PUB foo 1\r\nxy\r\n",
  "SUB foo\r\n",
  "SUB foo..bar 90\r\n",
  "HPUB foo 5 2\r\n",
  "-ERR 'over'\r\n",
  "PUB x _R_.y 0\r\n\r\n",
  "SUB foo _sys_ 91\r\n",
];

/** Draws commands; the same random source draws the same ones. */
export class Grammar {
  readonly #random: Random;
  readonly #limits: GrammarLimits;
  readonly #prefix: string;
  #count = 0;

  /** `prefix` is put before every subject, to keep conversations on one server apart. */
  constructor(random: Random, limits: GrammarLimits, prefix = "") {
    this.#random = random;
    this.#limits = limits;
    this.#prefix = prefix;
  }

  /** One command with one fault, a byte string including its line ends and payload. */
  command(verb: Verb, fault: Fault): string {
    const draft = this.#draft(verb);
    const before = this.#spoil(draft, fault);
    return before + write(draft);
  }

  /** One element of a list. */
  pick<Element>(list: readonly Element[]): Element {
    return list[this.#random.below(list.length)] as Element;
  }

  /** A subject of this conversation for messages. */
  subject(): string {
    return this.#prefix + this.pick(SUBJECTS);
  }

  #draft(verb: Verb): Draft {
    const draft: Draft = {
      verb,
      gap: " ",
      args: [],
      between: " ",
      trail: "",
      lineEnd: "\r\n",
      payload: "",
      payloadEnd: "",
    };
    // Each payload differs, so that the order of deliveries shows.
    const body = `${this.#count++}`.padEnd(this.#random.below(12), "-");
    switch (verb) {
      case "CONNECT":
        draft.args = [this.#connectOptions()];
        break;
      case "PUB":
        draft.args = [
          this.subject(),
          ...this.#optionally(this.#prefix + "reply.x"),
          `${body.length}`,
        ];
        draft.payload = body;
        draft.payloadEnd = "\r\n";
        break;
      case "HPUB": {
        const headers = this.pick(HEADERS);
        draft.payload = headers + body;
        draft.args = [
          this.subject(),
          ...this.#optionally(this.#prefix + "reply.x"),
          `${headers.length}`,
          `${draft.payload.length}`,
        ];
        draft.payloadEnd = "\r\n";
        break;
      }
      case "SUB":
        draft.args = [
          this.#prefix + this.pick(PATTERNS),
          ...this.#optionally(`queue${this.#count}`),
          `${20 + this.#count}`,
        ];
        break;
      case "UNSUB":
        draft.args = [
          `${1 + this.#random.below(3)}`,
          ...this.#optionally(this.pick(["1", "2", "3", "0"])),
        ];
        break;
      case "INFO":
        draft.args = [this.pick(["{}", '{"unknown":1}', "null"])];
        break;
      case "-ERR":
        draft.args = ["'any", "text'"];
        break;
    }
    if (draft.args.length === 0) draft.gap = "";
    return draft;
  }

  #connectOptions(): string {
    const options = [`"verbose":${this.#coin()}`, `"protocol":${this.#random.below(2)}`];
    for (const option of ["pedantic", "echo", "headers"]) {
      if (this.#coin()) options.push(`"${option}":${this.#coin()}`);
    }
    if (this.#coin()) options.push('"name":"x y"', '"lang":"none"');
    return `{${options.join(",")}}`;
  }

  /** Changes the draft by one fault; returns what is to be sent before it. */
  #spoil(draft: Draft, fault: Fault): string {
    const { args } = draft;
    switch (fault) {
      case "none":
        break;
      case "mixed case":
        draft.verb = draft.verb.replaceAll(
          /./g,
          (letter) => this.#coin() ? letter.toLowerCase() : letter,
        );
        break;
      case "wrong verb byte":
        draft.verb = this.#replaceAt(
          draft.verb,
          this.#random.below(draft.verb.length),
          this.pick(["", "X", "\x00", "\xff", " ", "\r", "\n", "BB", "_"]),
        );
        break;
      case "truncated arguments":
        if (args.length === 0) {
          draft.verb = draft.verb.slice(0, 1 + this.#random.below(draft.verb.length - 1));
        } else args.length = this.#random.below(args.length);
        if (args.length === 0 && this.#coin()) draft.gap = "";
        break;
      case "extra arguments":
        this.#giveArguments(draft);
        for (let extra = 1 + this.#random.below(3); extra > 0; extra--) {
          args.splice(this.#random.below(args.length + 1), 0, this.pick(["1", "x", "more"]));
        }
        break;
      case "bad number":
        this.#replaceNumber(draft, this.pick(BAD_NUMBERS));
        break;
      case "extreme number":
        this.#replaceNumber(draft, this.pick(EXTREME_NUMBERS));
        break;
      case "odd blanks":
        if (args.length > 0) draft.gap = this.pick(BLANKS);
        draft.between = this.pick(BLANKS);
        if (this.#coin()) draft.trail = this.pick(BLANKS);
        // Before a verb no blank is allowed.
        if (this.#random.below(6) === 0) return this.pick(BLANKS);
        break;
      case "stray CR":
        this.#strayCarriageReturn(draft);
        break;
      case "bare LF":
        draft.lineEnd = "\n";
        break;
      case "payload too long":
        draft.payload += this.pick(["z", "zz", "longer than announced"]);
        draft.payloadEnd = "\r\n";
        break;
      case "payload too short":
        draft.payload = draft.payload.slice(0, -1 - this.#random.below(3));
        draft.payloadEnd = "\r\n";
        break;
      case "wrong payload end":
        draft.payloadEnd = this.pick(["\n", "\r", "", "\r\r\n", "\n\r", " \r\n", "\rx"]);
        break;
      case "line too long":
        this.#lengthen(draft);
        break;
      case "invalid subject":
        if (args.length === 0) this.#giveArguments(draft);
        args[0] = this.#prefix + this.pick(INVALID_SUBJECTS);
        break;
      case "binary bytes":
        this.#addBinary(draft);
        break;
      case "sid in use or unknown":
        if (draft.verb === "SUB") args[args.length - 1] = this.pick(["1", "2", "3"]);
        else if (draft.verb === "UNSUB") args[0] = this.pick(["77", "1 ", "x", "\xff"]);
        else return this.pick([`SUB ${this.subject()} 1\r\n`, "UNSUB 77\r\n", "UNSUB 1\r\n"]);
        break;
      case "after an error":
        return this.pick(ERRORS);
    }
    return "";
  }

  /** Verbs without arguments ignore what follows them. */
  #giveArguments(draft: Draft): void {
    if (draft.args.length > 0) return;
    draft.gap = this.pick(["", " "]);
    draft.args.push("x");
  }

  #replaceNumber(draft: Draft, number: string): void {
    const { args, verb } = draft;
    if (verb === "CONNECT") args[0] = `{"verbose":false,"protocol":${number}}`;
    else if (verb === "INFO") args[0] = `{"unknown":${number}}`;
    else if (verb === "UNSUB") args[1] = number;
    else if (verb === "HPUB" && this.#coin()) args[args.length - 2] = number;
    else if (args.length > 0) args[args.length - 1] = number;
    else {
      draft.gap = " ";
      args.push(number);
    }
  }

  #strayCarriageReturn(draft: Draft): void {
    const line = draft.gap + draft.args.join(draft.between);
    const at = this.#random.below(line.length + 1);
    draft.gap = "";
    draft.args = [line.slice(0, at) + "\r" + line.slice(at)];
    if (this.#coin()) draft.lineEnd = "\n";
  }

  #lengthen(draft: Draft): void {
    this.#giveArguments(draft);
    const { args } = draft;
    const length = args.join(draft.between).length;
    const wanted = this.#limits.maxControlLine + this.pick([-1, 0, 1, 2, 20]);
    const filler = Math.max(0, wanted - length);
    if (draft.verb === "CONNECT" || draft.verb === "INFO") {
      args[0] = (args[0] ?? "").replace(/[{l]/, (start) => start + " ".repeat(filler));
    } else if (this.#coin()) {
      args[0] += "x".repeat(filler);
    } else {
      draft.trail = " ".repeat(filler);
    }
    // Without its end, the line is refused as soon as it is too long.
    if (this.#random.below(4) === 0) draft.lineEnd = "";
  }

  #addBinary(draft: Draft): void {
    this.#giveArguments(draft);
    let binary = "";
    for (let count = 1 + this.#random.below(4); count > 0; count--) {
      binary += this.pick([
        "\x00",
        "\x01",
        "\x07",
        "\x0b",
        "\x7f",
        "\x80",
        "\xc3\xa9",
        "\xff",
        '"',
      ]);
    }
    const index = this.#random.below(draft.args.length);
    const arg = draft.args[index] ?? "";
    draft.args[index] = this.#replaceAt(arg, this.#random.below(arg.length), binary);
  }

  #replaceAt(text: string, at: number, replacement: string): string {
    return text.slice(0, at) + replacement + text.slice(at + 1);
  }

  #optionally(arg: string): string[] {
    return this.#coin() ? [arg] : [];
  }

  #coin(): boolean {
    return this.#random.below(2) === 0;
  }
}

function write(draft: Draft): string {
  return draft.verb + draft.gap + draft.args.join(draft.between) + draft.trail + draft.lineEnd +
    draft.payload + draft.payloadEnd;
}
