/**
 * The client parser in a few readable cases; the fuzz tests compare it with a reference parser on
 * very many more.
 */
import { assertEquals } from "@std/assert";
import {
  type ClientFault,
  type ClientMessage,
  ClientParser,
  Slab,
} from "../../src/protocol/mod.ts";
import { CommandRecorder, FedParser } from "../support/command_recorder.ts";
import { toBytes } from "../support/wire_text.ts";

Deno.test("every verb a client may send", () => {
  const fed = new FedParser().feed(
    "CONNECT {}\r\nINFO {}\r\nPUB a 2\r\nhi\r\nPUB a r 0\r\n\r\nHPUB a 12 13\r\nNATS/1.0\r\n\r\nx\r\n" +
      "HPUB a r 12 12\r\nNATS/1.0\r\n\r\n\r\nSUB a 1\r\nSUB a q 2\r\nUNSUB 1\r\nUNSUB 2 7\r\n" +
      "PING\r\nPONG\r\n+OK\r\n-ERR 'x'\r\n",
  );
  assertEquals(fed.commands, [
    "CONNECT {}",
    "INFO {}",
    "PUB a 2\r\nhi\r\n",
    "PUB a r 0\r\n\r\n",
    "HPUB a 12 13\r\nNATS/1.0\r\n\r\nx\r\n",
    "HPUB a r 12 12\r\nNATS/1.0\r\n\r\n\r\n",
    "SUB a - 1",
    "SUB a q 2",
    "UNSUB 1 0",
    "UNSUB 2 7",
    "PING",
    "PONG",
    "-ERR 'x'",
  ]);
  assertEquals(fed.parser.fault, null);
  assertEquals(fed.rest, "");
});

Deno.test("verbs in any case, runs of blanks, and line ends without CR", () => {
  const fed = new FedParser().feed(
    "pub\ta  2\nhi\r\nsUb  a\t q   1 \r\nunsub 1\t5\npInG\nConnect{}\nPUB  a \t r  02 \r\nhi\r\n" +
      "HPUB\ta 012\t 013\r\nNATS/1.0\r\n\r\nx\r\nHPUB a 00 1\r\nx\r\n",
  );
  assertEquals(fed.commands, [
    "PUB a 2\r\nhi\r\n",
    "SUB a q 1",
    "UNSUB 1 5",
    "PING",
    "CONNECT {}",
    "PUB a r 02\r\nhi\r\n",
    "HPUB a 012 013\r\nNATS/1.0\r\n\r\nx\r\n",
    "PUB a 1\r\nx\r\n",
  ], "what is handed over is canonical, sizes as they were written");
});

Deno.test("what PING, PONG and +OK are followed by on their line means nothing", () => {
  const long = "x".repeat(1000);
  const fed = new FedParser().feed(`PING ${long}\r\nPONGPING\r\n+OK ${long}\r\nPING\r\n`);
  assertEquals(fed.commands, ["PING", "PONG", "PING"]);
});

/** Input, what is understood before it ends, and why it ends. */
const FAULTS: readonly [input: string, fault: ClientFault, commands?: readonly string[]][] = [
  ["X", "unknown operation"],
  ["PUX", "unknown operation"],
  ["\r\n", "unknown operation"],
  [" PING\r\n", "unknown operation"],
  ["PUB\r\n", "unknown operation"],
  ["SUBa 1\r\n", "unknown operation"],
  ["MSG a 1 0\r\n", "unknown operation"],
  ["PUB a 2\r\nhiX", "unknown operation"],
  ["PUB a 2\r\nhi\rX", "unknown operation"],
  ["PUB a 2\r\nh\r\nPING\r\n", "unknown operation"],
  ["PUB a\r\n", "arguments"],
  ["PUB a b c 1\r\n", "arguments"],
  ["PUB a -1\r\n", "arguments"],
  ["PUB a 1x\r\n", "arguments"],
  ["PUB a 0000000000\r\n", "arguments"],
  ["HPUB a 1\r\n", "arguments"],
  ["HPUB a 3 2\r\n", "arguments"],
  ["HPUB a r x 2\r\n", "arguments"],
  ["SUB a\r\n", "arguments"],
  ["SUB a q 1 2\r\n", "arguments"],
  ["UNSUB\t \r\n", "arguments"],
  ["UNSUB 1 2 3\r\n", "arguments"],
  ["PUB a 101\r\n", "payload size"],
  ["PUB a 999999999\r\n", "payload size"],
  ["HPUB a 12 101\r\n", "payload size"],
  [`SUB ${"s".repeat(101)}`, "control line"],
  [`PUB ${"s".repeat(99)} 0\r\n\r\n`, "control line"],
  [`CONNECT ${"{".repeat(101)}\r\n`, "control line"],
  ["PING\r\nPUB a 1\r\nx\r\nnope", "unknown operation", ["PING", "PUB a 1\r\nx\r\n"]],
];

for (const [input, fault, commands] of FAULTS) {
  Deno.test(`fault: ${JSON.stringify(input).slice(0, 40)} is "${fault}"`, () => {
    const fed = new FedParser().feed(input);
    assertEquals(fed.parser.fault, fault);
    assertEquals(fed.commands, commands ?? []);
    const slow = new FedParser();
    for (const byte of input) if (slow.parser.fault === null) slow.feed(byte);
    assertEquals(slow.parser.fault, fault, "byte by byte too");
  });
}

Deno.test("limits are inclusive", () => {
  const subject = "s".repeat(98), payload = "p".repeat(100);
  const fed = new FedParser().feed(`SUB ${subject} 1\r\nPUB a 100\r\n${payload}\r\n`);
  assertEquals(fed.commands, [`SUB ${subject} - 1`, `PUB a 100\r\n${payload}\r\n`]);
  const unlimited = new FedParser({ maxPayload: -1 }).feed(`PUB a 101\r\n${payload}x\r\n`);
  assertEquals(unlimited.commands.length, 1);
});

Deno.test("HPUB without headers having been agreed on is a fault of its own", () => {
  const fed = new FedParser();
  fed.parser.headers = false;
  assertEquals(fed.feed("HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n").parser.fault, "headers");
});

Deno.test("where CONNECT is required, the first byte of anything else is refused", () => {
  for (const input of ["P", "+", "\r", "X", "i"]) {
    const fed = new FedParser();
    fed.parser.state = "unauthenticated";
    assertEquals(fed.feed(input).parser.fault, "not connected", input);
  }
  const fed = new FedParser();
  fed.parser.state = "unauthenticated";
  fed.recorder.onCommand = () => fed.parser.state = "authenticated";
  assertEquals(fed.feed("connect {}\r\nPING\r\n").commands, ["CONNECT {}", "PING"]);
});

Deno.test("a command may stop the parser; what is behind it is kept for later", () => {
  const fed = new FedParser();
  fed.recorder.onCommand = (command) => command.startsWith("CONNECT") && fed.parser.stop();
  fed.feed("PING\r\nCONNECT {}\r\nPUB a 1\r\nx\r\nPI");
  assertEquals(fed.commands, ["PING", "CONNECT {}"]);
  fed.feed("NG\r\n");
  assertEquals(fed.commands, ["PING", "CONNECT {}", "PUB a 1\r\nx\r\n", "PING"]);
});

Deno.test("a command may change the limits for what follows it in the same chunk", () => {
  const fed = new FedParser();
  fed.recorder.onCommand = (command) => {
    if (command.startsWith("CONNECT")) fed.parser.maxPayload = 1;
  };
  fed.feed("PUB a 2\r\nhi\r\nCONNECT {}\r\nPUB a 2\r\nhi\r\n");
  assertEquals(fed.commands, ["PUB a 2\r\nhi\r\n", "CONNECT {}"]);
  assertEquals(fed.parser.fault, "payload size");
});

Deno.test("pedantic clients' messages are announced when their line is read, before the payload", () => {
  const fed = new FedParser();
  fed.parser.pedantic = true;
  fed.feed("PUB a. 2\r\n");
  assertEquals(fed.commands, ["announced a."]);
  fed.feed("hi\r\nPUB b 0\r\n\r\n");
  assertEquals(fed.commands, [
    "announced a.",
    "PUB a. 2\r\nhi\r\n",
    "announced b",
    "PUB b 0\r\n\r\n",
  ]);
});

Deno.test("once a message's size is known, so is what it needs in all", () => {
  const fed = new FedParser();
  fed.feed("PUB a 9");
  assertEquals(fed.parser.needed, 0);
  fed.feed("0\r\nsome");
  assertEquals(fed.parser.needed, fed.rest.length + 86 + 2, "4 of 90 bytes are here");
  fed.feed("x".repeat(86) + "\r\n");
  assertEquals(fed.parser.needed, 0);
  assertEquals(fed.commands.length, 1);
});

Deno.test("wherever a conversation is cut, it means the same", () => {
  const conversation = "CONNECT {}\r\nSUB a q 1\r\nPUB a r 5\r\nhello\r\nPUB a 0\r\n\r\n" +
    "HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\nhpub  a r 0 2 \nyo\r\nUNSUB 1 2\r\nPING\r\nPUB a 1\r\nx\r\n";
  const whole = new FedParser().feed(conversation).commands;
  assertEquals(whole.length, 9);
  for (let first = 0; first <= conversation.length; first++) {
    for (let second = first; second <= conversation.length; second += 3) {
      const fed = new FedParser();
      fed.feed(conversation.slice(0, first)).feed(conversation.slice(first, second))
        .feed(conversation.slice(second));
      assertEquals(fed.commands, whole, `cut at ${first} and ${second}`);
      assertEquals(fed.rest, "");
    }
  }
});

Deno.test("between two chunks a parser keeps no buffer, whatever came", () => {
  const messages: ClientMessage[] = [];
  const recorder = new CommandRecorder();
  const publish = recorder.publish.bind(recorder);
  recorder.publish = (message) => {
    messages.push(message);
    publish(message);
  };
  const parser = new ClientParser(recorder, { maxControlLine: 4096, maxPayload: 1_000_000 });
  parser.state = "authenticated";
  const frames = ["PUB a 3\r\nabc\r\n", "PUB  a  3\r\nabc\r\n", "PUB a 3\r\nabc\r\nPUB a 9\r\nab"];
  for (const text of frames) {
    const slab = Slab.of(toBytes(text));
    parser.parse(slab, 0, slab.capacity);
  }
  assertEquals(messages.map(({ slab }) => slab.capacity), [0, 0, 0]);
});
