/**
 * The parser of the client protocol, a 64 KiB chunk at a time.
 *
 *     deno bench -A bench/parser_bench.ts
 *
 * @module
 */
import { type ClientCommands, ClientParser, Slab } from "../src/protocol/mod.ts";

const CHUNK_BYTES = 65536;

let messages = 0;
const commands: ClientCommands = {
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

/** A chunk full of whole frames, and how many bytes of it are used. */
function chunk(frame: (index: number) => string): { slab: Slab; end: number } {
  const slab = new Slab(CHUNK_BYTES);
  const encoder = new TextEncoder();
  let end = 0;
  for (let index = 0;; index++) {
    const bytes = encoder.encode(frame(index));
    if (end + bytes.length > CHUNK_BYTES) return { slab, end };
    slab.bytes.set(bytes, end);
    end += bytes.length;
  }
}

const payload = (length: number) => "x".repeat(length) + "\r\n";
const cases: Record<string, (index: number) => string> = {
  "PUB, one subject, 16 B": () => `PUB bench.00000 16\r\n${payload(16)}`,
  "PUB, 1,000 subjects, 16 B": (i) =>
    `PUB bench.${String(i % 1000).padStart(5, "0")} 16\r\n${payload(16)}`,
  "PUB with a reply, 16 B": () => `PUB bench.00000 _INBOX.abcdefgh.1 16\r\n${payload(16)}`,
  "HPUB, 16 B": () => `HPUB bench.00000 22 38\r\nNATS/1.0\r\nTrace: 1\r\n\r\n${payload(16)}`,
  "PUB with a tab, 16 B": () => `PUB\tbench.00000\t16\r\n${payload(16)}`,
  "PUB, one subject, 1 KiB": () => `PUB bench.00000 1024\r\n${payload(1024)}`,
  "SUB": (i) => `SUB bench.${i} ${i}\r\n`,
  "PING": () => "PING\r\n",
};

for (const [name, frame] of Object.entries(cases)) {
  const { slab, end } = chunk(frame);
  const parser = new ClientParser(commands, { maxControlLine: 4096, maxPayload: 1 << 20 });
  parser.headers = true;
  parser.pedantic = false;
  Deno.bench(`parse 64 KiB: ${name}`, { group: "parser" }, () => {
    if (parser.parse(slab, 0, end) !== end) throw new Error("the chunk was not parsed whole");
  });
}
