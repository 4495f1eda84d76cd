/**
 * The table of commands spelled out: for both kinds of connections, in every state, every verb of
 * either protocol and what is none, whole and byte for byte. What is expected is written here, not
 * taken from the table.
 */
import { assertEquals } from "@std/assert";
import { ClientParser, COMMAND_TABLE, type ConnectionState, Slab } from "../../src/protocol/mod.ts";
import { CommandRecorder, FedParser } from "../support/command_recorder.ts";
import { FedRouteParser } from "../support/route_recorder.ts";
import { toBytes } from "../support/wire_text.ts";

const STATES: readonly ConnectionState[] = [
  "handshake",
  "unauthenticated",
  "deciding",
  "authenticated",
  "closing",
];

/** What comes of a line: `run`, `ignore`, a fault, or nothing at all because nobody looks at it. */
type Outcome = "run" | "ignore" | "unknown operation" | "not connected" | "kept";

/** Lines, with what comes of each where somebody is authenticated as a client and as a route. */
const LINES: readonly [line: string, client: Outcome, route: Outcome][] = [
  ["CONNECT {}\r\n", "run", "run"],
  ["connect {}\r\n", "run", "run"],
  ["INFO {}\r\n", "run", "run"],
  ["PING\r\n", "run", "run"],
  ["PONG\r\n", "run", "run"],
  ["+OK\r\n", "ignore", "ignore"],
  ["-ERR 'x'\r\n", "run", "run"],
  ["PUB a 1\r\nx\r\n", "run", "unknown operation"],
  ["pub a 1\r\nx\r\n", "run", "unknown operation"],
  ["PUB\ta\t1\r\nx\r\n", "run", "unknown operation"],
  ["HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n", "run", "unknown operation"],
  ["SUB a 1\r\n", "run", "unknown operation"],
  ["UNSUB 1\r\n", "run", "unknown operation"],
  ["RS+ $G a\r\n", "unknown operation", "run"],
  ["RS- $G a\r\n", "unknown operation", "run"],
  ["LS+ L $G a\r\n", "unknown operation", "run"],
  ["LS- $G a\r\n", "unknown operation", "run"],
  ["RMSG $G a 1\r\nx\r\n", "unknown operation", "run"],
  ["rmsg $G a 1\r\nx\r\n", "unknown operation", "run"],
  ["HMSG $G a 12 12\r\nNATS/1.0\r\n\r\n\r\n", "unknown operation", "run"],
  ["LMSG L $G a 0 1\r\nx\r\n", "unknown operation", "run"],
  ["A+ A\r\n", "unknown operation", "ignore"],
  ["A- A\r\n", "unknown operation", "ignore"],
  ["MSG a 1 1\r\nx\r\n", "unknown operation", "unknown operation"],
  ["AUTH\r\n", "unknown operation", "unknown operation"],
  ["GET / HTTP/1.1\r\n", "unknown operation", "unknown operation"],
  ["\r\n", "unknown operation", "unknown operation"],
  ["\n", "unknown operation", "unknown operation"],
  [" PING\r\n", "unknown operation", "unknown operation"],
  ["\x00\r\n", "unknown operation", "unknown operation"],
  ["\x16\x03\x01\x02\x00\r\n", "unknown operation", "unknown operation"],
  ["CX\r\n", "unknown operation", "unknown operation"],
];

function expected(state: ConnectionState, line: string, authenticated: Outcome): Outcome {
  switch (state) {
    case "authenticated":
      return authenticated;
    case "unauthenticated":
      // As in nats-server the first byte decides: what begins like CONNECT is looked at further.
      if (/^connect /i.test(line)) return "run";
      return line[0] === "C" ? "unknown operation" : "not connected";
    default:
      return "kept";
  }
}

function outcome(fed: FedParser | FedRouteParser, pieces: Iterable<string>): Outcome {
  let presented = "";
  for (const piece of pieces) {
    if (fed.parser.fault !== null) break;
    presented += piece;
    fed.feed(piece);
  }
  const fault = fed.parser.fault;
  if (fault !== null) {
    assertEquals(fed.commands, [], "nothing is told of what is refused");
    return fault as Outcome;
  }
  if (fed.rest !== "") {
    assertEquals(fed.rest, presented, "all is kept");
    assertEquals(fed.commands, []);
    return "kept";
  }
  return fed.commands.length === 0 ? "ignore" : "run";
}

for (const kind of ["client", "route"] as const) {
  for (const state of STATES) {
    Deno.test(`what a ${kind} may say in the state ${state}`, () => {
      for (const [line, client, route] of LINES) {
        const wanted = expected(state, line, kind === "client" ? client : route);
        for (const pieces of [[line], line]) {
          const fed = kind === "client" ? new FedParser() : new FedRouteParser();
          fed.parser.state = state;
          const shape = typeof pieces === "string" ? "byte for byte" : "whole";
          assertEquals(outcome(fed, pieces), wanted, `${JSON.stringify(line)} ${shape}`);
        }
      }
    });
  }
}

Deno.test("a parser looks at nothing before it is told in which state the connection is", () => {
  const recorder = new CommandRecorder();
  const parser = new ClientParser(recorder, { maxControlLine: 100, maxPayload: 100 });
  const slab = Slab.of(toBytes("CONNECT {}\r\nPING\r\n"));
  assertEquals(parser.state, "handshake");
  assertEquals(parser.parse(slab, 0, slab.capacity), 0);
  assertEquals(recorder.commands, []);
  parser.state = "authenticated";
  assertEquals(parser.parse(slab, 0, slab.capacity), slab.capacity);
  assertEquals(recorder.commands, ["CONNECT {}", "PING"]);
});

const BEHIND = {
  client: ["PUB a 1\r\nx\r\n", "pub a 1\r\nx\r\n", "SUB a 1\r\n", "PING\r\n", "MSG\r\n", "\r\n"],
  route: ["RMSG $G a 1\r\nx\r\n", "RS+ $G a\r\n", "INFO {}\r\n", "PING\r\n", "PUB\r\n", "\r\n"],
};

for (const kind of ["client", "route"] as const) {
  Deno.test(`what a ${kind} sends in one read with CONNECT waits for the decision`, () => {
    for (const behind of BEHIND[kind]) {
      const parser = () => kind === "client" ? new FedParser() : new FedRouteParser();
      for (const decision of ["authenticated", "closing"] as const) {
        const fed = parser();
        fed.parser.state = "unauthenticated";
        fed.recorder.onCommand = () => fed.parser.state = "deciding";
        fed.feed(`CONNECT {}\r\n${behind}`);
        assertEquals(fed.commands, ["CONNECT {}"], behind);
        for (const byte of behind) fed.feed(byte);
        assertEquals(fed.commands, ["CONNECT {}"], behind);
        assertEquals(fed.parser.fault, null, "not even what is wrong with it is looked at");
        fed.recorder.onCommand = () => {};
        fed.parser.state = decision;
        fed.feed("");
        const heard = fed.commands.length > 1 || fed.parser.fault !== null;
        assertEquals(heard, decision === "authenticated", behind);
      }
      // A decision that is there at once.
      const fed = parser();
      fed.parser.state = "unauthenticated";
      fed.recorder.onCommand = () => {
        fed.parser.state = "deciding";
        fed.parser.state = "authenticated";
      };
      fed.feed(`CONNECT {}\r\n${behind}`);
      assertEquals(fed.commands.length > 1 || fed.parser.fault !== null, true, behind);
    }
  });

  Deno.test(`what a ${kind} sends behind its end is not looked at`, () => {
    for (const behind of BEHIND[kind]) {
      const fed = kind === "client" ? new FedParser() : new FedRouteParser();
      fed.recorder.onCommand = () => fed.parser.state = "closing";
      fed.feed(`PONG\r\n${behind}`).feed(behind);
      assertEquals(fed.commands, ["PONG"]);
      assertEquals(fed.parser.fault, null);
    }
  });
}

Deno.test("half a message is not gone on with once the connection is being closed", () => {
  for (
    const [fed, frame] of [
      [new FedParser(), "PUB a 5\r\nhello\r\n"],
      [new FedRouteParser(), "RMSG $G a 5\r\nhello\r\n"],
    ] as const
  ) {
    for (let cut = 1; cut < frame.length; cut++) {
      fed.feed(frame.slice(0, cut));
      const other = frame.startsWith("P") ? new FedParser() : new FedRouteParser();
      other.feed(frame.slice(0, cut));
      other.parser.state = "closing";
      other.feed(frame.slice(cut));
      assertEquals(other.commands, []);
      fed.feed(frame.slice(cut));
    }
    assertEquals(fed.commands.length, frame.length - 1, "the others arrive");
  }
});

Deno.test("the table has a row for every state of every kind", () => {
  for (const kind of ["client", "route"] as const) {
    assertEquals(Object.keys(COMMAND_TABLE[kind]).sort(), [...STATES].sort());
  }
});
