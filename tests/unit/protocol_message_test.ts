import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  byteString,
  ClientMessage,
  hashSubject,
  noRespondersFrame,
} from "../../src/protocol/mod.ts";
import { canonicalOf, FedParser, subjectOf } from "../support/command_recorder.ts";
import { fromBytes, toBytes } from "../support/wire_text.ts";

const blanks = fc.array(fc.constantFrom(" ", "\t"), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(""));
const token = fc.stringMatching(/^[a-zA-Z0-9.*>_$-]{1,40}$/);
/** Bytes of any value as a byte string. */
const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => fromBytes(bytes));

/** A PUB or HPUB in some spacing, and the same in canonical form. */
const frame = fc.record({
  subject: token,
  reply: fc.option(token),
  headers: fc.option(body),
  payload: body,
  gaps: fc.array(blanks, { minLength: 5, maxLength: 5 }),
  end: fc.constantFrom("\r\n", "\n", " \r\n", "\t\n"),
}).map(({ subject, reply, headers, payload, gaps, end }) => {
  const total = (headers ?? "").length + payload.length;
  const numbers = headers === null ? [`${total}`] : [`${headers.length}`, `${total}`];
  const words = [subject, ...(reply === null ? [] : [reply]), ...numbers];
  const spaced = words.map((word, index) => gaps[index]! + word).join("");
  const kept = headers === "" ? [words.slice(0, -2), words.slice(-1)].flat() : words;
  return {
    sent: `${headers === null ? "PUB" : "HPUB"}${spaced}${end}${headers ?? ""}${payload}\r\n`,
    canonical: `${kept.join(" ")}\r\n${headers ?? ""}${payload}\r\n`,
    plain: `${
      [subject, ...(reply === null ? [] : [reply]), payload.length].join(" ")
    }\r\n${payload}\r\n`,
    subject,
    reply,
    headerLength: headers?.length ?? 0,
    size: total,
  };
});

/** Parses one frame and looks at its message while it is valid. */
function withMessage(sent: string, look: (message: ClientMessage) => void): void {
  const fed = new FedParser({ maxControlLine: 1000, maxPayload: 10_000 });
  let looked = 0;
  const publish = fed.recorder.publish.bind(fed.recorder);
  fed.recorder.publish = (message) => {
    looked++;
    look(message);
    publish(message);
  };
  fed.feed(sent);
  assertEquals([looked, fed.parser.fault, fed.rest], [1, null, ""]);
}

Deno.test("whatever a client's spacing, the message is handed over in canonical form", () => {
  fc.assert(
    fc.property(frame, (expected) => {
      withMessage(expected.sent, (message) => {
        const { bytes } = message.slab;
        assertEquals(canonicalOf(message), expected.canonical);
        assertEquals(subjectOf(message), expected.subject);
        assertEquals(message.hasReply, expected.reply !== null);
        assertEquals(
          byteString(bytes, message.replyStart, message.replyEnd),
          expected.reply ?? "",
        );
        assertEquals(message.headerLength, expected.headerLength);
        assertEquals(message.size, expected.size);
        assertEquals(message.end, message.bodyStart + message.size + 2);
        assertEquals(
          message.subjectHash,
          hashSubject(bytes, message.subjectStart, message.subjectEnd),
        );
        assert(fromBytes(bytes.subarray(message.sizeStart)).startsWith(`${expected.size}\r\n`));
      });
    }),
    { numRuns: 500, seed: 20_261_122 },
  );
});

Deno.test("a copy without headers is a whole message of its own", () => {
  fc.assert(
    fc.property(frame, (expected) => {
      const copy = new ClientMessage();
      withMessage(expected.sent, (message) => message.canonical(copy, false));
      assertEquals(canonicalOf(copy), expected.plain);
      assertEquals(subjectOf(copy), expected.subject);
      assertEquals(copy.headerLength, 0);
      assertEquals(copy.size, expected.size - expected.headerLength);
      assertEquals(copy.hasReply, expected.reply !== null);
      assertEquals(
        byteString(copy.slab.bytes, copy.replyStart, copy.replyEnd),
        expected.reply ?? "",
      );
      assertEquals(copy.end, copy.bodyStart + copy.size + 2);
    }),
    { numRuns: 500, seed: 20_261_122 },
  );
});

Deno.test("one instance can take one copy after the other", () => {
  const copy = new ClientMessage();
  withMessage("HPUB first r 3 5\r\nabcde\r\n", (message) => message.canonical(copy, false));
  assertEquals(canonicalOf(copy), "first r 2\r\nde\r\n");
  withMessage("HPUB second 1 1\r\na\r\n", (message) => message.canonical(copy, true));
  assertEquals(canonicalOf(copy), "second 1 1\r\na\r\n");
  assertEquals([copy.hasReply, copy.headerLength, copy.size], [false, 1, 1]);
});

Deno.test("the same subject as before is told only where it is, byte for byte", () => {
  const fed = new FedParser(), told: boolean[] = [];
  fed.recorder.publish = (message) => told.push(message.sameSubject);
  const long = "s".repeat(90);
  for (const subject of ["a", "a", "b", "b", "bb", "b", "abcde", "abcdf", "abcdf", long, long]) {
    fed.feed(`PUB ${subject} 0\r\n\r\n`);
  }
  const may = [0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1];
  for (const [index, same] of told.entries()) assert(!same || may[index] === 1, `number ${index}`);
  assert(told.filter((same) => same).length >= 2, "and it is told, since much is saved by it");
});

Deno.test("the 503 frame counts its own headers", () => {
  assertEquals(
    noRespondersFrame("nope", "r", "9"),
    "HMSG r 9 36 36\r\nNATS/1.0 503\r\nNats-Subject: nope\r\n\r\n\r\n",
  );
  for (const length of [1, 10, 100, 1000]) {
    const frame = noRespondersFrame("s".repeat(length), "r.1", "12");
    const head = /^HMSG r\.1 12 (\d+) (\d+)\r\n/.exec(frame)!;
    assertEquals(Number(head[1]), 32 + length);
    assertEquals(Number(head[2]), 32 + length);
    assertEquals(toBytes(frame).length, head[0].length + 32 + length + 2);
  }
});
