/** What is written to routes, against the lines that nats-servers wrote to each other. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  byteString,
  type ClientMessage,
  interestFrame,
  routeFrameLength,
  RouteHead,
  routeHeadLength,
  routeTailStart,
  Slab,
  writeRouteFrame,
  writeRouteHead,
} from "../../src/protocol/mod.ts";
import { FedParser } from "../support/command_recorder.ts";
import { FedRouteParser } from "../support/route_recorder.ts";

/** Parses what a client published and looks at the message while it is valid. */
function withMessage(published: string, look: (message: ClientMessage) => void): void {
  const fed = new FedParser({ maxControlLine: 4096, maxPayload: -1 });
  let looked = 0;
  fed.recorder.publish = (message) => {
    looked++;
    look(message);
  };
  fed.feed(published);
  assertEquals(looked, 1, published);
}

/** The frame, having made sure that its length was foretold and that nothing else was overwritten. */
function frame(message: ClientMessage, head: RouteHead, queues: readonly string[] | null): string {
  const length = routeFrameLength(message, head, queues), at = 3;
  const slab = new Slab(at + length);
  slab.bytes.fill(0x7e);
  assertEquals(writeRouteFrame(slab, at, message, head, queues), at + length);
  assertEquals(byteString(slab.bytes, 0, at), "~~~");
  assertEquals(byteString(slab.bytes, at + length + 8, slab.bytes.length), "~".repeat(8));
  return byteString(slab.bytes, at, at + length);
}

const HEADERS = "NATS/1.0\r\nK: V\r\n\r\n";
/** What a client publishes, for which queues it goes to a route, and the frame that goes. */
const FRAMES: readonly [published: string, queues: readonly string[] | null, frame: string][] = [
  ["PUB foo 5\r\nhello\r\n", null, "RMSG $G foo 5\r\nhello\r\n"],
  ["PUB foo reply.1 2\r\nhi\r\n", null, "RMSG $G foo reply.1 2\r\nhi\r\n"],
  ["PUB work 2\r\nw1\r\n", ["q1", "q2"], "RMSG $G work | q1 q2 2\r\nw1\r\n"],
  ["PUB work r.1 2\r\nw2\r\n", ["q1", "q2"], "RMSG $G work + r.1 q1 q2 2\r\nw2\r\n"],
  [`HPUB foo 18 20\r\n${HEADERS}hi\r\n`, null, `HMSG $G foo 18 20\r\n${HEADERS}hi\r\n`],
  [
    `HPUB work 18 20\r\n${HEADERS}w3\r\n`,
    ["q1", "q2"],
    `HMSG $G work | q1 q2 18 20\r\n${HEADERS}w3\r\n`,
  ],
  [
    `HPUB work r.2 18 20\r\n${HEADERS}w4\r\n`,
    ["q1"],
    `HMSG $G work + r.2 q1 18 20\r\n${HEADERS}w4\r\n`,
  ],
  ["PUB foo 0\r\n\r\n", [], "RMSG $G foo 0\r\n\r\n"],
];

Deno.test("messages are written as nats-servers write them", () => {
  const head = new RouteHead("$G", false), dedicated = new RouteHead("$G", true);
  for (const [published, queues, expected] of FRAMES) {
    withMessage(published, (message) => {
      assertEquals(frame(message, head, queues), expected);
      assertEquals(frame(message, dedicated, queues), expected.replace(" $G", ""));
    });
  }
});

Deno.test("a frame too large for one slab is its head and then the message's own bytes", () => {
  const head = new RouteHead("ACME", false);
  for (const [published, queues, expected] of FRAMES) {
    withMessage(published, (message) => {
      const length = routeHeadLength(message, head, queues);
      const slab = new Slab(length);
      assertEquals(writeRouteHead(slab, 0, message, head, queues), length);
      const tail = byteString(message.slab.bytes, routeTailStart(message, queues), message.end);
      assertEquals(byteString(slab.bytes, 0, length) + tail, expected.replace("$G", "ACME"));
    });
  }
});

Deno.test("interest is written as nats-servers write it", () => {
  assertEquals(interestFrame("RS+", "$G", "foo", null, 0), "RS+ $G foo\r\n");
  assertEquals(interestFrame("RS+", "$G", "work", "q1", 2), "RS+ $G work q1 2\r\n");
  assertEquals(interestFrame("RS-", "$G", "foo", null, 0), "RS- $G foo\r\n");
  assertEquals(interestFrame("RS-", "$G", "work", "q1", 0), "RS- $G work q1\r\n");
  assertEquals(interestFrame("RS+", "", "svc.>", null, 0), "RS+ svc.>\r\n");
  assertEquals(interestFrame("RS-", "", "foo", "q", 0), "RS- foo q\r\n");
});

const word = fc.stringMatching(/^[a-zA-Z0-9.*>_$|+-]{1,40}$/);
const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => byteString(bytes, 0, bytes.length));

Deno.test("what is written is what is read at the other end", () => {
  fc.assert(fc.property(
    fc.record({
      account: word,
      dedicated: fc.boolean(),
      subject: word,
      reply: fc.option(word),
      headers: fc.option(body.filter((text) => text.length > 0)),
      payload: body,
      queues: fc.option(fc.uniqueArray(word, { minLength: 1, maxLength: 20 })),
    }),
    ({ account, dedicated, subject, reply, headers, payload, queues }) => {
      const total = (headers ?? "").length + payload.length;
      const fields = [subject, ...(reply === null ? [] : [reply])];
      const sizes = headers === null ? [total] : [headers.length, total];
      const tail = `${[...fields, ...sizes].join(" ")}\r\n${headers ?? ""}${payload}\r\n`;
      withMessage(`${headers === null ? "PUB" : "HPUB"} ${tail}`, (message) => {
        const sent = frame(message, new RouteHead(account, dedicated), queues);
        const fed = new FedRouteParser({ maxControlLine: 4096, maxPayload: -1 });
        fed.parser.dedicated = dedicated;
        const kind = headers === null ? "message" : "headers";
        const list = queues === null ? "" : ` [${queues.join(" ")}]`;
        const received = `${kind} ${dedicated ? "" : account}${list}: ${tail}`;
        assertEquals(fed.feed(sent).commands, [received], sent);
        assertEquals([fed.parser.fault, fed.rest], [null, ""]);
        // Passed on once more, to another peer, it is the same frame again.
        fed.recorder.onMessage = (_, again, list) =>
          assert(frame(again, new RouteHead(account, dedicated), list) === sent);
        fed.feed(sent);
      });
    },
  ));
});
