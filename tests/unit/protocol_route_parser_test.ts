/**
 * The route parser in a few readable cases; the fuzz tests compare it with a reference parser on
 * very many more. Lines and answers are those of conversations between nats-servers 2.9, 2.10 and
 * 2.15, and of what these did with a peer that deviated.
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  byteString,
  type ClientMessage,
  hashSubject,
  type RouteFault,
  RouteParser,
  Slab,
} from "../../src/protocol/mod.ts";
import { FedRouteParser, RouteRecorder } from "../support/route_recorder.ts";
import { toBytes } from "../support/wire_text.ts";

Deno.test("every verb a route may send", () => {
  const fed = new FedRouteParser();
  fed.parser.leafOrigins = true;
  fed.feed(
    'CONNECT {"name":"N"}\r\nINFO {"server_id":"N"} \r\nPING\r\nPONG\r\n+OK\r\nA+ x\r\nA- x\r\n' +
      "RS+ $G foo\r\nRS+ $G work q1 2\r\nRS- $G foo\r\nRS- $G work q1\r\n" +
      "LS+ LEAF1 $G foo\r\nLS+ LEAF1 $G work q1 1\r\nLS- LEAF1 $G foo\r\nLS- LEAF1 $G work q1\r\n" +
      "-ERR 'x'\r\n",
  );
  assertEquals(fed.commands, [
    'CONNECT {"name":"N"}',
    'INFO {"server_id":"N"}',
    "PING",
    "PONG",
    'added ["$G","foo",null,0,null]',
    'added ["$G","work","q1",2,null]',
    'removed ["$G","foo",null,null]',
    'removed ["$G","work","q1",null]',
    'added ["$G","foo",null,0,"LEAF1"]',
    'added ["$G","work","q1",1,"LEAF1"]',
    'removed ["$G","foo",null,"LEAF1"]',
    'removed ["$G","work","q1","LEAF1"]',
    "-ERR 'x'",
  ]);
  assertEquals([fed.parser.fault, fed.rest], [null, ""]);
});

/** A message as it was recorded on the wire, and as it is handed over. */
const MESSAGES: readonly [sent: string, message: string][] = [
  ["RMSG $G foo 5\r\nhello\r\n", "message $G: foo 5\r\nhello\r\n"],
  ["RMSG $G foo reply.1 2\r\nhi\r\n", "message $G: foo reply.1 2\r\nhi\r\n"],
  ["RMSG $G work | q1 q2 2\r\nw1\r\n", "message $G [q1 q2]: work 2\r\nw1\r\n"],
  ["RMSG $G work + r.1 q1 q2 2\r\nw2\r\n", "message $G [q1 q2]: work r.1 2\r\nw2\r\n"],
  [
    "HMSG $G foo 18 20\r\nNATS/1.0\r\nK: V\r\n\r\nhi\r\n",
    "headers $G: foo 18 20\r\nNATS/1.0\r\nK: V\r\n\r\nhi\r\n",
  ],
  [
    "HMSG $G foo re.2 18 20\r\nNATS/1.0\r\nK: V\r\n\r\nhi\r\n",
    "headers $G: foo re.2 18 20\r\nNATS/1.0\r\nK: V\r\n\r\nhi\r\n",
  ],
  [
    "HMSG $G work | q1 q2 18 20\r\nNATS/1.0\r\nK: V\r\n\r\nw3\r\n",
    "headers $G [q1 q2]: work 18 20\r\nNATS/1.0\r\nK: V\r\n\r\nw3\r\n",
  ],
  [
    "HMSG $G work + r.2 q1 q2 18 20\r\nNATS/1.0\r\nK: V\r\n\r\nw4\r\n",
    "headers $G [q1 q2]: work r.2 18 20\r\nNATS/1.0\r\nK: V\r\n\r\nw4\r\n",
  ],
  ["LMSG LEAF1 $G bar 0 1\r\nx\r\n", "message $G: bar 1\r\nx\r\n"],
  ["LMSG LEAF1 $G bar rep 0 1\r\nz\r\n", "message $G: bar rep 1\r\nz\r\n"],
  [
    "LMSG LEAF1 $G bar 12 13\r\nNATS/1.0\r\n\r\ny\r\n",
    "headers $G: bar 12 13\r\nNATS/1.0\r\n\r\ny\r\n",
  ],
  ["LMSG LEAF1 $G bar + rep q1 0 1\r\nz\r\n", "message $G [q1]: bar rep 1\r\nz\r\n"],
];

Deno.test("messages as nats-servers send them", () => {
  for (const [sent, message] of MESSAGES) {
    assertEquals(new FedRouteParser().feed(sent).commands, [message], sent);
    const slow = new FedRouteParser();
    for (const byte of sent) slow.feed(byte);
    assertEquals([slow.commands, slow.rest], [[message], ""], "byte by byte too");
  }
  const all = new FedRouteParser().feed(MESSAGES.map(([sent]) => sent).join(""));
  assertEquals(all.commands, MESSAGES.map(([, message]) => message));
});

Deno.test("on a dedicated connection accounts are left out of everything", () => {
  const fed = new FedRouteParser();
  fed.parser.dedicated = fed.parser.leafOrigins = true;
  fed.feed(
    "RS+ svc.>\r\nRS+ work q 2\r\nRS- svc.>\r\nRS- work q\r\nLS+ L foo\r\nLS+ L foo q 1\r\n" +
      "LS- L foo\r\nLS- L foo q\r\nRMSG pub.x 1\r\np\r\nRMSG pub.x r 1\r\np\r\n" +
      "RMSG pub.x | q 1\r\np\r\nHMSG pub.x + r q 2 3\r\nhhp\r\nLMSG L pub.x 0 1\r\np\r\n",
  );
  assertEquals(fed.commands, [
    'added ["","svc.>",null,0,null]',
    'added ["","work","q",2,null]',
    'removed ["","svc.>",null,null]',
    'removed ["","work","q",null]',
    'added ["","foo",null,0,"L"]',
    'added ["","foo","q",1,"L"]',
    'removed ["","foo",null,"L"]',
    'removed ["","foo","q","L"]',
    "message : pub.x 1\r\np\r\n",
    "message : pub.x r 1\r\np\r\n",
    "message  [q]: pub.x 1\r\np\r\n",
    "headers  [q]: pub.x r 2 3\r\nhhp\r\n",
    "message : pub.x 1\r\np\r\n",
  ]);
  assertEquals(fed.recorder.sameSubject, [false, true, true, true, true]);
});

Deno.test("a peer that was not told to leaves the origin out of LS-, and 2.9 writes two spaces", () => {
  const fed = new FedRouteParser().feed("LS-  $G foo\r\nLS- $G work q1\r\n");
  assertEquals(fed.commands, ['removed ["$G","foo",null,""]', 'removed ["$G","work","q1",""]']);
});

Deno.test("a connection may become a dedicated one between two messages", () => {
  const fed = new FedRouteParser();
  fed.recorder.onCommand = (command) => {
    if (command.startsWith("INFO")) fed.parser.dedicated = true;
  };
  fed.feed("RMSG A b 1\r\nx\r\nINFO {}\r\nRMSG A b 1\r\nx\r\nRMSG b 1\r\nx\r\n");
  assertEquals(fed.commands, [
    "message A: b 1\r\nx\r\n",
    "INFO {}",
    "message : A b 1\r\nx\r\n",
    "message : b 1\r\nx\r\n",
  ]);
  assertEquals(fed.recorder.sameSubject, [false, false, false]);
});

Deno.test("verbs in any case, runs of blanks, and line ends without CR", () => {
  const fed = new FedRouteParser().feed(
    "rs+\t$G  foo \nrMsG  $G\tfoo 2\nhi\r\nrmsg $G  foo\t| q1  q2 02  \r\nhi\r\n" +
      "HMSG\t$G foo +  r\tq1 2 3 \t\r\nhhp\r\nLMSG  L $G foo  r  0  1\r\nx\r\n" +
      "RMSG $G foo + r q1\tq2 1\nx\r\nHMSG $G foo r 2 3\nhhp\r\nRMSG $G\rfoo 1\r\nx\r\ninfo{}\t \n",
  );
  assertEquals(fed.commands, [
    'added ["$G","foo",null,0,null]',
    "message $G: foo 2\r\nhi\r\n",
    "message $G [q1 q2]: foo 02\r\nhi\r\n",
    "headers $G [q1]: foo r 2 3\r\nhhp\r\n",
    "message $G: foo r 1\r\nx\r\n",
    "message $G [q1 q2]: foo r 1\r\nx\r\n",
    "headers $G: foo r 2 3\r\nhhp\r\n",
    "message $G: foo 1\r\nx\r\n",
    "INFO {}",
  ]);
});

Deno.test("a sign is only one in front of a list: otherwise it is a reply, and an empty list is none", () => {
  const fed = new FedRouteParser().feed(
    "RMSG $G foo | 1\r\nx\r\nRMSG $G foo + 1\r\nx\r\nRMSG $G foo + r 1\r\nx\r\n" +
      "HMSG $G foo | 0 1\r\nx\r\nHMSG $G foo + r 0 1\r\nx\r\nLMSG L $G foo + r 0 1\r\nx\r\n" +
      "RMSG $G foo + | q 1\r\nx\r\nRMSG $G foo | + q 1\r\nx\r\nRMSG $G + 1\r\nx\r\n",
  );
  assertEquals(fed.commands, [
    "message $G: foo | 1\r\nx\r\n",
    "message $G: foo + 1\r\nx\r\n",
    "message $G: foo r 1\r\nx\r\n",
    "message $G: foo | 1\r\nx\r\n",
    "message $G: foo r 1\r\nx\r\n",
    "message $G: foo r 1\r\nx\r\n",
    "message $G [q]: foo | 1\r\nx\r\n",
    "message $G [+ q]: foo 1\r\nx\r\n",
    "message $G: + 1\r\nx\r\n",
  ]);
});

/** Input, what is understood before it ends, and why it ends. */
const FAULTS: readonly [input: string, fault: RouteFault, commands?: readonly string[]][] = [
  ["X", "unknown operation"],
  ["RX", "unknown operation"],
  ["\r\n", "unknown operation"],
  ["PUB foo 2\r\nhi\r\n", "unknown operation"],
  ["SUB foo 1\r\n", "unknown operation"],
  ["UNSUB 1\r\n", "unknown operation"],
  ["HPUB foo 12 14\r\n", "unknown operation"],
  ["MSG foo 2\r\n", "unknown operation"],
  ["+OOK\r\n", "unknown operation"],
  ["RS+$G foo\r\n", "unknown operation"],
  ["A+\r\n", "unknown operation"],
  ["LS-\r\n", "unknown operation"],
  ["-ERR\r\n", "unknown operation"],
  ["RMSG $G foo 2\r\nhiX", "unknown operation"],
  ["RMSG $G foo | q 2\r\nhi\rX", "unknown operation"],
  ["RMSG $G foo 3\r\nhi\r\n", "unknown operation"],
  ["RS+ \r\n", "arguments"],
  ["RS+ foo\r\n", "arguments"],
  ["RS+ $G foo q\r\n", "arguments"],
  ["RS+ $G foo q 1 2\r\n", "arguments"],
  ["RS+ $G foo q 0\r\n", "arguments"],
  ["RS+ $G foo q x\r\n", "arguments"],
  ["RS+ $G foo q -1\r\n", "arguments"],
  ["RS- foo\r\n", "arguments"],
  ["RS- $G foo q 1\r\n", "arguments"],
  ["LS+ $G foo\r\n", "arguments"],
  ["LS- foo\r\n", "arguments"],
  ["LS- L $G foo q\r\n", "arguments"],
  ["RMSG $G 2\r\nhi\r\n", "arguments"],
  ["RMSG $G foo x qq 2\r\nhi\r\n", "arguments"],
  ["RMSG $G foo || qq 2\r\nhi\r\n", "arguments"],
  ["RMSG $G foo -2\r\nhi\r\n", "arguments"],
  ["RMSG $G foo 2x\r\nhi\r\n", "arguments"],
  ["RMSG $G foo 0000000002\r\nhi\r\n", "arguments"],
  ["HMSG $G foo 2\r\nhi\r\n", "arguments"],
  ["HMSG $G foo 14 12\r\n", "arguments"],
  ["HMSG $G foo 4 2\r\nhi\r\n", "arguments"],
  ["HMSG $G foo | qq 14 12\r\n", "arguments"],
  ["HMSG $G foo | qq x 14\r\n", "arguments"],
  ["LMSG L $G foo 2\r\nhi\r\n", "arguments"],
  ["RMSG $G foo 101\r\n", "payload size"],
  ["RMSG $G foo | q 999999999\r\n", "payload size"],
  ["HMSG $G foo 12 101\r\n", "payload size"],
  [`RS+ ${"s".repeat(101)}`, "control line"],
  [`RMSG $G foo | ${"q ".repeat(50)}1\r\nx\r\n`, "control line"],
  ["PING\r\nRMSG $G a 1\r\nx\r\nnope", "unknown operation", [
    "PING",
    "message $G: a 1\r\nx\r\n",
  ]],
];

for (const [input, fault, commands] of FAULTS) {
  Deno.test(`route fault: ${JSON.stringify(input).slice(0, 40)} is "${fault}"`, () => {
    const fed = new FedRouteParser().feed(input);
    assertEquals(fed.parser.fault, fault);
    assertEquals(fed.commands, commands ?? []);
    const slow = new FedRouteParser();
    for (const byte of input) if (slow.parser.fault === null) slow.feed(byte);
    assertEquals(slow.parser.fault, fault, "byte by byte too");
  });
}

Deno.test("limits are inclusive, and a negative payload size is none", () => {
  const names = Array.from({ length: 45 }, (_, i) => String.fromCharCode(65 + i));
  const list = names.join(" ") + " ", payload = "p".repeat(100);
  const argument = `$G foo | ${list}1`;
  assertEquals(argument.length, 100);
  const fed = new FedRouteParser().feed(`RMSG ${argument}\r\nx\r\nRMSG A a 100\r\n${payload}\r\n`);
  assertEquals(fed.commands, [
    `message $G [${list.trim()}]: foo 1\r\nx\r\n`,
    `message A: a 100\r\n${payload}\r\n`,
  ]);
  const unlimited = new FedRouteParser({ maxPayload: -1 }).feed(`RMSG A a 101\r\n${payload}x\r\n`);
  assertEquals(unlimited.commands.length, 1);
});

Deno.test("weights beyond 32 bits are the largest one that is", () => {
  for (const [sent, weight] of [["2147483647", 2147483647], ["99999999999999999999", 2147483647]]) {
    const fed = new FedRouteParser().feed(`RS+ $G foo q ${sent}\r\n`);
    assertEquals(fed.commands, [`added ["$G","foo","q",${weight},null]`]);
  }
});

Deno.test("subjects are passed on whether or not they are valid", () => {
  const fed = new FedRouteParser().feed("RS+ $G a..b\r\nRMSG $G .a 0\r\n\r\n");
  assertEquals(fed.commands, ['added ["$G","a..b",null,0,null]', "message $G: .a 0\r\n\r\n"]);
});

Deno.test("where CONNECT is required, the first byte of anything else is refused", () => {
  for (const input of ["R", "I", "+", "\r", "RMSG $G a 1\r\nx\r\n"]) {
    const fed = new FedRouteParser();
    fed.parser.state = "unauthenticated";
    assertEquals(fed.feed(input).parser.fault, "not connected", input);
    assertEquals(fed.commands, []);
  }
  const fed = new FedRouteParser();
  fed.parser.state = "unauthenticated";
  fed.recorder.onCommand = () => fed.parser.state = "authenticated";
  assertEquals(fed.feed("connect {}\r\nPING\r\n").commands, ["CONNECT {}", "PING"]);
});

Deno.test("a subject is the same only when the account is", () => {
  const frames: readonly [frame: string, same: boolean][] = [
    ["RMSG $G foo 1\r\nx\r\n", false],
    ["RMSG $G foo 1\r\nx\r\n", true],
    ["RMSG $G foo r 1\r\nx\r\n", true],
    ["RMSG $G foo | q 1\r\nx\r\n", true],
    ["HMSG $G foo 1 1\r\nx\r\n", true],
    ["LMSG L $G foo 0 1\r\nx\r\n", true],
    ["RMSG A foo 1\r\nx\r\n", false],
    ["RMSG A foo 1\r\nx\r\n", true],
    ["RMSG A foo.bar 1\r\nx\r\n", false],
    ["RMSG A fo 1\r\nx\r\n", false],
    ["RMSG AB fo 1\r\nx\r\n", false],
    ["RMSG A Bfo 1\r\nx\r\n", false],
    ["RMSG  A foo 1\r\nx\r\n", false],
    ["RMSG A Bfo 1\r\nx\r\n", false],
  ];
  const fed = new FedRouteParser();
  fed.recorder.onMessage = (_, { slab, subjectStart, subjectEnd, subjectHash }) =>
    assertEquals(subjectHash, hashSubject(slab.bytes, subjectStart, subjectEnd));
  fed.feed(frames.map(([frame]) => frame).join(""));
  assertEquals(fed.recorder.sameSubject, frames.map(([, same]) => same));
});

Deno.test("accounts and subjects of any length are told apart", () => {
  const lengths = [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 64, 253, 254, 255, 256, 257, 300];
  const expected: string[] = [];
  let sent = "";
  for (const account of lengths) {
    for (const subject of lengths) {
      for (const last of ["x", "y", "y", "y-eu"]) {
        const name = "A".repeat(account - 1) + last, rest = "s".repeat(subject - 1) + last;
        sent += `RMSG ${name} ${rest} 1\r\nx\r\n`;
        expected.push(`message ${name}: ${rest} 1\r\nx\r\n`);
      }
    }
  }
  const fed = new FedRouteParser({ maxControlLine: 1000 }).feed(sent);
  assertEquals(fed.commands, expected);
});

Deno.test("while a list is the same it is one array, whatever comes between", () => {
  const fed = new FedRouteParser().feed(
    "RMSG $G a | q1 q2 1\r\nx\r\nRMSG $G b + r q1 q2 1\r\nx\r\nHMSG $G b | q1 q2 1 1\r\nx\r\n" +
      "RMSG $G a | q1 q 1\r\nx\r\nRMSG $G a 1\r\nx\r\nrmsg $G a + r  q1 q 1\r\nx\r\n",
  );
  const [first, second, third, other, none, irregular] = fed.recorder.lists;
  assertEquals([first, other, none], [["q1", "q2"], ["q1", "q"], null]);
  assertStrictEquals(second, first);
  assertStrictEquals(third, first);
  assertStrictEquals(irregular, other);
});

Deno.test("a list that is the beginning of the one before is another one", () => {
  const fed = new FedRouteParser().feed("RMSG $G a | 1 1 1\r\nx\r\nRMSG $G a | 1 1\r\nx\r\n");
  assertEquals(fed.recorder.lists, [["1", "1"], ["1"]]);
});

Deno.test("very many accounts and lists, in turns", () => {
  const expected: string[] = [];
  let sent = "";
  for (let i = 0; i < 2000; i++) {
    const account = `A${(i * 7) % 311}`, queue = `q${(i * 13) % 173}`;
    sent += `RMSG ${account} foo | ${queue} z 1\r\nx\r\n`;
    expected.push(`message ${account} [${queue} z]: foo 1\r\nx\r\n`);
  }
  assertEquals(new FedRouteParser().feed(sent).commands, expected);
});

Deno.test("a command may stop the parser; what is behind it is kept for later, untouched", () => {
  const fed = new FedRouteParser();
  fed.recorder.onCommand = (command) => command.includes("stop") && fed.parser.stop();
  fed.feed("PING\r\nRMSG $G a | stop 1\r\nx\r\nRMSG $G a | q 1\r\ny\r\nPI");
  assertEquals(fed.commands, ["PING", "message $G [stop]: a 1\r\nx\r\n"]);
  fed.feed("NG\r\n");
  assertEquals(fed.commands.slice(2), ["message $G [q]: a 1\r\ny\r\n", "PING"]);
});

Deno.test("once a message's size is known, so is what it needs in all", () => {
  const fed = new FedRouteParser();
  fed.feed("RMSG $G a | q 9");
  assertEquals(fed.parser.needed, 0);
  fed.feed("0\r\nsome");
  assertEquals(fed.parser.needed, fed.rest.length + 86 + 2, "4 of 90 bytes are here");
  assertEquals(fed.parser.mode, "payload");
  fed.feed("x".repeat(86) + "\r\n");
  assertEquals(fed.parser.needed, 0);
  assertEquals(fed.commands, [`message $G [q]: a 90\r\nsome${"x".repeat(86)}\r\n`]);
});

Deno.test("a large payload is never moved, also behind a list of queues", () => {
  for (const line of ["RMSG $G a 40000", "RMSG $G a + r q1 q2 40000", "LMSG L $G a r 0 40000"]) {
    const recorder = new RouteRecorder();
    const parser = new RouteParser(recorder, { maxControlLine: 100, maxPayload: -1 });
    parser.state = "authenticated";
    const frame = toBytes(`${line}\r\n${"p".repeat(40000)}\r\n`);
    const slab = Slab.of(frame);
    const seen: [Slab, number][] = [];
    recorder.onMessage = (_, message) => seen.push([message.slab, message.bodyStart]);
    const pending = parser.parse(slab, 0, 20000);
    assertEquals([parser.mode, parser.needed], ["payload", frame.length - pending]);
    assertEquals(parser.parse(slab, pending, frame.length), frame.length);
    const [[where, bodyStart] = [null, 0]] = seen;
    assertStrictEquals(where, slab);
    assertEquals(bodyStart, line.length + 2);
    assertEquals(recorder.commands.length, 1);
  }
});

Deno.test("wherever a conversation is cut, it means the same", () => {
  const conversation = "CONNECT {}\r\nINFO {} \r\nRS+ $G a q 1\r\nRMSG $G a r 5\r\nhello\r\n" +
    "RMSG $G a 0\r\n\r\nRMSG $G a | q1 q2 2\r\nhi\r\nHMSG $G a + r q 12 14\r\nNATS/1.0\r\n\r\nhi\r\n" +
    "lmsg  L $G  a r 0 2 \nyo\r\nLS- $G a q\r\nRMSG $G a + r q 1\nx\r\nPING\r\nRMSG $G a 1\r\nx\r\n";
  const whole = new FedRouteParser().feed(conversation).commands;
  assertEquals(whole.length, 12);
  for (let first = 0; first <= conversation.length; first++) {
    for (let second = first; second <= conversation.length; second += 3) {
      const fed = new FedRouteParser();
      fed.feed(conversation.slice(0, first)).feed(conversation.slice(first, second))
        .feed(conversation.slice(second));
      assertEquals(fed.commands, whole, `cut at ${first} and ${second}`);
      assertEquals(fed.rest, "");
    }
  }
});

Deno.test("between two chunks a parser keeps no buffer, whatever came", () => {
  const messages: ClientMessage[] = [];
  const recorder = new RouteRecorder();
  recorder.onMessage = (_, message) => messages.push(message);
  const parser = new RouteParser(recorder, { maxControlLine: 4096, maxPayload: 1_000_000 });
  parser.state = "authenticated";
  const frames = [
    "RMSG $G a 3\r\nabc\r\n",
    "RMSG $G a | q 3\r\nabc\r\n",
    "RMSG $G a 3\nabc\r\n",
    "RMSG $G a 3\r\nabc\r\nRMSG $G a 9\r\nab",
  ];
  for (const text of frames) {
    const slab = Slab.of(toBytes(text));
    parser.parse(slab, 0, slab.capacity);
  }
  assertEquals(messages.map(({ slab }) => slab.capacity), [0, 0, 0, 0]);
});

Deno.test("nothing in front of the input is touched", () => {
  const recorder = new RouteRecorder();
  const parser = new RouteParser(recorder, { maxControlLine: 100, maxPayload: 100 });
  parser.state = "authenticated";
  parser.dedicated = true;
  // The verb is done with when the rest comes: in front of the subject there is nothing left.
  const first = Slab.of(toBytes("RMSG "));
  assertEquals(parser.parse(first, 0, 5), 5);
  const slab = Slab.of(toBytes("!!a 1\nx\r\n"));
  assertEquals(parser.parse(slab, 2, slab.capacity), slab.capacity);
  assertEquals(recorder.commands, ["message : a 1\r\nx\r\n"]);
  assert(byteString(slab.bytes, 0, 2) === "!!");
});
