/**
 * The parsers of the client protocol and of the route protocol, a 64 KiB chunk at a time. What a
 * client publishes and what a route carries of it are in one group, to be compared.
 *
 *     deno bench -A bench/parser_bench.ts
 *
 * @module
 */
import {
  type ClientCommands,
  ClientParser,
  type RouteCommands,
  RouteParser,
  Slab,
} from "../src/protocol/mod.ts";

const CHUNK_BYTES = 65536;

let messages = 0;
const clientCommands: ClientCommands = {
  connect() {},
  announced() {},
  publish: () => void messages++,
  subscribe() {},
  unsubscribe() {},
  ping() {},
  pong() {},
  info() {},
  error() {},
};
const routeCommands: RouteCommands = {
  connect() {},
  info() {},
  ping() {},
  pong() {},
  error() {},
  interestAdded() {},
  interestRemoved() {},
  message: () => void messages++,
};

/** `count` frames one after another. */
function chunk(frame: (index: number) => string, count: number): Uint8Array {
  return new TextEncoder().encode(Array.from({ length: count }, (_, i) => frame(i)).join(""));
}

const payload = (length: number) => "x".repeat(length) + "\r\n";
const five = (i: number) => String(i % 1000).padStart(5, "0");
const headers = "NATS/1.0\r\nTrace: 1\r\n\r\n";
type Frame = (index: number) => string;
/** By what is sent: from a client, and over a route in one or more forms. */
const cases: Record<string, { client: Frame; routes: Record<string, Frame> }> = {
  "one subject, 16 B": {
    client: () => `PUB bench.00000 16\r\n${payload(16)}`,
    routes: {
      "RMSG": () => `RMSG $G bench.00000 16\r\n${payload(16)}`,
      "RMSG, list": () => `RMSG $G bench.00000 | workers 16\r\n${payload(16)}`,
      "LMSG": () => `LMSG LEAF1 $G bench.00000 0 16\r\n${payload(16)}`,
    },
  },
  "1,000 subjects, 16 B": {
    client: (i) => `PUB bench.${five(i)} 16\r\n${payload(16)}`,
    routes: {
      "RMSG": (i) => `RMSG $G bench.${five(i)} 16\r\n${payload(16)}`,
      "RMSG, 8 accounts": (i) => `RMSG A${i % 8} bench.${five(i)} 16\r\n${payload(16)}`,
    },
  },
  "with a reply, 16 B": {
    client: () => `PUB bench.00000 _INBOX.abcdefgh.1 16\r\n${payload(16)}`,
    routes: {
      "RMSG": () => `RMSG $G bench.00000 _INBOX.abcdefgh.1 16\r\n${payload(16)}`,
      "RMSG, list": () => `RMSG $G bench.00000 + _INBOX.abcdefgh.1 q1 q2 16\r\n${payload(16)}`,
    },
  },
  "with headers, 16 B": {
    client: () => `HPUB bench.00000 22 38\r\n${headers}${payload(16)}`,
    routes: { "HMSG": () => `HMSG $G bench.00000 22 38\r\n${headers}${payload(16)}` },
  },
  "with a tab, 16 B": {
    client: () => `PUB\tbench.00000\t16\r\n${payload(16)}`,
    routes: { "RMSG": () => `RMSG\t$G\tbench.00000\t16\r\n${payload(16)}` },
  },
  "one subject, 1 KiB": {
    client: () => `PUB bench.00000 1024\r\n${payload(1024)}`,
    routes: { "RMSG": () => `RMSG $G bench.00000 1024\r\n${payload(1024)}` },
  },
  "interest": {
    client: (i) => `SUB bench.${i} ${i}\r\n`,
    routes: { "RS+": (i) => `RS+ $G bench.${i}\r\n` },
  },
  "pings": { client: () => "PING\r\n", routes: { "PING": () => "PING\r\n" } },
};

const limits = { maxControlLine: 4096, maxPayload: 1 << 20 };

/** A parser rewrites messages that are not in canonical form: each run is given the bytes anew. */
function bench(
  group: string,
  name: string,
  parser: { parse(slab: Slab, start: number, end: number): number },
  input: Uint8Array,
): void {
  const slab = new Slab(input.length);
  Deno.bench(name, { group, baseline: name.startsWith("client") }, () => {
    slab.bytes.set(input);
    if (parser.parse(slab, 0, input.length) !== input.length) {
      throw new Error("the chunk was not parsed whole");
    }
  });
}

for (const [what, { client, routes }] of Object.entries(cases)) {
  const count = Math.floor(CHUNK_BYTES / client(99).length);
  const group = `parse ${count} messages: ${what}`;
  const parser = new ClientParser(clientCommands, limits);
  parser.state = "authenticated";
  parser.headers = true;
  parser.pedantic = false;
  bench(group, "client", parser, chunk(client, count));
  for (const [name, frame] of Object.entries(routes)) {
    const parser = new RouteParser(routeCommands, limits);
    parser.state = "authenticated";
    bench(group, `route, ${name}`, parser, chunk(frame, count));
  }
}
