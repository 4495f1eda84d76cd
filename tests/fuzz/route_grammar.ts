/**
 * Arbitraries of what routes send: well-formed lines of every verb in every spacing, what is wrong
 * with a field, and damage to bytes.
 *
 * @module
 */
import fc from "fast-check";
import { fromBytes } from "../support/wire_text.ts";
import type { RouteSettings } from "./route_reference_parser.ts";

/** Settings of a connection; limits that are met now and then. */
export const settings: fc.Arbitrary<RouteSettings> = fc.record({
  maxControlLine: fc.constantFrom(1024, 1024, 40),
  maxPayload: fc.constantFrom(100, 100, 20, -1),
  dedicated: fc.boolean(),
  leafOrigins: fc.boolean(),
  connectRequired: fc.integer({ min: 0, max: 7 }).map((die) => die === 0),
});

/** Few of each, so that they come again, in a row and in turns. */
const account = fc.constantFrom(
  "$G",
  "$G",
  "$G",
  "A",
  "ACME",
  "ACME-EU",
  "tenant-1",
  "a".repeat(30),
);
const subject = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom("foo", "foo", "foo.bar", "foo.baz", "work", "svc.time"),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom("a..b", ".", "$JS.ACK.S.CON.1.1.1.17.1@orders.new", "|"),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("s".repeat(33), "s".repeat(260), "\xc3\xa9\xff", "x\x01"),
  },
);
const reply = fc.constantFrom("r", "reply.1", "_INBOX.abc.1", "5", "12", "+", "|");
const queue = fc.constantFrom("q1", "q2", "q2", "workers", "+", "|", "7");
const queues = fc.array(queue, { minLength: 1, maxLength: 4 });
const origin = fc.constantFrom("LEAF1", "L", "_");
const weight = fc.constantFrom("1", "2", "3", "007", "2147483648", "99999999999999999999");
const payload = fc.uint8Array({ maxLength: 24 }).map(fromBytes);
const headers = fc.constantFrom("NATS/1.0\r\n\r\n", "NATS/1.0\r\nK: V\r\n\r\n", "x", "");

/** What may stand in the place of any field. */
const badField = fc.constantFrom(
  ...["0", "-1", "x", "1x", "+1", "0000000001", "999999999", "1000000000", "", "q q", "\r", "x\ry"],
  ...["00", "21", "40", "101", "\x00", "s".repeat(45)],
);
const blanks = fc.constantFrom("  ", "\t", " \t ", " \r", "\r ");
const often = <Value>(usual: Value, rest: fc.Arbitrary<Value>, weight = 12): fc.Arbitrary<Value> =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: rest });

/** A line before it is written down. */
interface Draft {
  readonly verb: string;
  readonly fields: readonly string[];
  readonly payload: string | null;
}

function draft({ dedicated, leafOrigins }: RouteSettings): fc.Arbitrary<Draft> {
  const who = dedicated ? fc.constant([]) : account.map((name) => [name]);
  const line = (verb: string, ...parts: fc.Arbitrary<readonly string[]>[]) =>
    fc.tuple(...parts).map((lists): Draft => ({ verb, fields: lists.flat(), payload: null }));
  const one = (field: fc.Arbitrary<string>) => field.map((text) => [text]);
  const none = fc.constant([]);
  const group = fc.oneof(none, fc.tuple(queue, weight));
  const middle = fc.oneof(
    none,
    none,
    one(reply),
    queues.map((names) => ["|", ...names]),
    fc.tuple(reply, queues).map(([reply, names]) => ["+", reply, ...names]),
    reply.map((reply) => ["+", reply]),
  );
  const message = (verb: string) =>
    fc.tuple(
      verb === "LMSG" ? one(origin) : none,
      who,
      one(subject),
      middle,
      verb === "RMSG" ? fc.constant(null) : headers,
      payload,
    ).map(([from, who, subject, middle, headers, payload]): Draft => {
      const body = (headers ?? "") + payload;
      const sizes = headers === null ? [body.length] : [headers.length, body.length];
      return {
        verb,
        fields: [...from, ...who, ...subject, ...middle, ...sizes.map(String)],
        payload: body,
      };
    });
  const text = one(fc.constantFrom("{}", '{"server_id":"N"} ', "{ }\t ", "'x y'"));
  return fc.oneof(
    { weight: 10, arbitrary: message("RMSG") },
    { weight: 6, arbitrary: message("HMSG") },
    { weight: 4, arbitrary: message("LMSG") },
    line("RS+", who, one(subject), group),
    line("RS-", who, one(subject), fc.oneof(none, one(queue))),
    line("LS+", one(origin), who, one(subject), group),
    line("LS-", leafOrigins ? one(origin) : none, who, one(subject), fc.oneof(none, one(queue))),
    line("CONNECT", text),
    line("INFO", text),
    line("-ERR", text),
    line("A+", text),
    line("A-", text),
    fc.constantFrom("PING", "PONG", "+OK").map((verb): Draft => ({
      verb,
      fields: [],
      payload: null,
    })),
  );
}

/** What is unusual or wrong about one line; mostly nothing. */
const manner = fc.record({
  lowerCase: often(false, fc.constant(true)),
  /** Before each field, the first included, and behind the last one. */
  gaps: often<readonly string[]>([], fc.array(often(" ", blanks, 2), { maxLength: 9 })),
  trail: often("", blanks, 20),
  lineEnd: often("\r\n", fc.constantFrom("\n", "\r\r\n", "", "\r"), 20),
  payloadEnd: often("\r\n", fc.constantFrom("\n", "\r", "", "x\r\n", "\rx"), 40),
  /** A field that is replaced, doubled or left out, and by what. */
  spoilt: often<readonly [number, "replaced" | "added" | "removed", string] | null>(
    null,
    fc.tuple(fc.nat(8), fc.constantFrom("replaced", "added", "removed"), badField),
    10,
  ),
  verb: often<string | null>(null, fc.constantFrom("PUB", "SUB", "RS", "XMSG", " RMSG", "MSG"), 60),
});

/** One line, with its payload where it has one: a byte string. */
export function command(settings: RouteSettings): fc.Arbitrary<string> {
  return fc.tuple(draft(settings), manner).map(([{ verb, fields, payload }, manner]) => {
    const written = [...fields];
    if (manner.spoilt !== null) {
      const [place, how, field] = manner.spoilt, at = place % (fields.length + 1);
      if (how === "replaced") written.splice(at, 1, field);
      else if (how === "added") written.splice(at, 0, field);
      else written.splice(at, 1);
    }
    const name = manner.verb ?? (manner.lowerCase ? verb.toLowerCase() : verb);
    const line = written.map((field, index) => (manner.gaps[index] ?? " ") + field).join("");
    const body = payload === null ? "" : payload + manner.payloadEnd;
    return name + line + manner.trail + manner.lineEnd + body;
  });
}

/** Damage to single bytes: where, what is removed there, and what is put there. */
const damage = fc.tuple(
  fc.nat(),
  fc.nat(3),
  fc.constantFrom(..." \t\r\n0123456789.+-|*RHLSMG$q\x00\xff", ""),
);

/** A whole input for a connection with these settings; every other one is damaged somewhere. */
export function input(settings: RouteSettings): fc.Arbitrary<string> {
  const first = settings.connectRequired
    ? often("CONNECT {}\r\n", fc.constant(""), 3)
    : fc.constant("");
  return fc.tuple(
    first,
    fc.array(command(settings), { minLength: 1, maxLength: 6 }),
    fc.oneof(fc.constant([]), fc.array(damage, { maxLength: 3 })),
  ).map(([first, commands, damages]) => {
    let text = first + commands.join("");
    for (const [place, removed, inserted] of damages) {
      const at = place % (text.length + 1);
      text = text.slice(0, at) + inserted + text.slice(at + removed);
    }
    return text;
  });
}
