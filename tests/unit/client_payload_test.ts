import { assert, assertEquals } from "@std/assert";
import { SeededRandom } from "../../src/platform/mod.ts";
import { MemoryBroker, type MemoryClient } from "../support/memory_broker.ts";

const KIB = 1024, MIB = 1024 * KIB;
/** Where something ends inside the broker: reads, slabs, the connection's own buffer. */
const BOUNDARIES = [512, 2048, 4096, 8192, 32_768, 65_536, 131_072];
/** The same for the largest buffers of all. */
const FAR_BOUNDARIES = [147_456, 278_528];
/** How far around a boundary sizes are tried: more than a frame's head and tail. */
const AROUND = 40;

const random = new SeededRandom(20_261_122);
const noise = random.bytes(3 * MIB + 4096);
const encoder = new TextEncoder();

/** A stream of bytes that is put together piece by piece. */
class Stream {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  add(...parts: (string | Uint8Array)[]): void {
    for (const part of parts) {
      const bytes = typeof part === "string" ? encoder.encode(part) : part;
      this.#parts.push(bytes);
      this.#length += bytes.length;
    }
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}

/** What a publisher sends, and what a subscriber with sid 1 must get for it. */
function conversation(sizes: Iterable<number>) {
  const sent = new Stream(), received = new Stream();
  let index = 0;
  for (const size of sizes) {
    const payload = noise.subarray(index % 4096, index % 4096 + size);
    // All four kinds of head, whose lengths differ.
    const reply = index % 2 === 0 ? "" : "reply.to.me ", head = index % 4 >= 2 && size >= 12;
    const lengths = head ? `12 ${size}` : `${size}`;
    sent.add(`${head ? "HPUB" : "PUB"} data.${index % 3} ${reply}${lengths}\r\n`, payload, "\r\n");
    received.add(
      `${head ? "HMSG" : "MSG"} data.${index % 3} 1 ${reply}${lengths}\r\n`,
      payload,
      "\r\n",
    );
    index++;
  }
  return { sent: sent.bytes(), received: received.bytes() };
}

/** The pieces that `bytes` are written in. */
function* pieces(bytes: Uint8Array, most: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const length = 1 + random.below(most);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  const different = expected.findIndex((byte, at) => actual[at] !== byte);
  assertEquals({ length: actual.length, different }, { length: expected.length, different: -1 });
}

/** Plays sizes to subscribers, in pieces up to each of `splits`. */
async function play(
  sizes: readonly number[],
  subscribers: number,
  splits: readonly number[],
  settings: { readonly max_payload?: number } = {},
): Promise<void> {
  await using world = await MemoryBroker.start(settings);
  const receivers: MemoryClient[] = [];
  for (let i = 0; i < subscribers; i++) {
    const receiver = await world.connect();
    await world.exchange(receiver, "SUB data.* 1\r\n");
    receivers.push(receiver);
  }
  const publisher = await world.connect();
  const { sent, received } = conversation(sizes);
  for (const split of splits) {
    for (const piece of pieces(sent, split)) await publisher.send(piece);
    await world.settle();
    assertEquals(publisher.take(), "");
    for (const receiver of receivers) assertSame(receiver.takeBytes(), received);
  }
  assertEquals(world.ended, []);
}

const small = Array.from({ length: 301 }, (_, size) => size);
const around = (boundary: number) =>
  Array.from({ length: 2 * AROUND + 1 }, (_, i) => boundary - AROUND + i);

for (const subscribers of [1, 3]) {
  Deno.test(`1:${subscribers}: payloads of 0 to 300 bytes arrive as they were sent`, async () => {
    await play(small, subscribers, [13, 100, 700, 5000, MIB]);
  });

  for (const boundary of BOUNDARIES) {
    Deno.test(`1:${subscribers}: payloads of about ${boundary} bytes arrive as they were sent`, async () => {
      await play(around(boundary), subscribers, [boundary >> 2, boundary + 100, MIB]);
    });
  }

  Deno.test(`1:${subscribers}: payloads of a megabyte arrive as they were sent`, async () => {
    await play([MIB - 1, 10, MIB, MIB, 0, MIB - 4096, 5], subscribers, [60_000, 300_000, 3 * MIB]);
  });

  Deno.test(`1:${subscribers}: payloads of 3 MiB arrive where max_payload allows them`, async () => {
    const settings = { max_payload: 3 * MIB };
    await play([3 * MIB, 3, 3 * MIB - 1, MIB, 2 * MIB, 3 * MIB], subscribers, [3 * MIB], settings);
  });
}

for (const boundary of FAR_BOUNDARIES) {
  Deno.test(`payloads of about ${boundary} bytes arrive as they were sent`, async () => {
    await play(around(boundary), 1, [MIB]);
  });
}

Deno.test("byte by byte: every payload arrives although no read has more than one byte", async () => {
  await play([0, 1, 5, 30, 300, 600], 2, [1]);
});

Deno.test("one byte more than max_payload is refused before the payload comes", async () => {
  await using world = await MemoryBroker.start({ max_payload: 1000 });
  const client = await world.connect();
  await world.exchange(client, "SUB a 1\r\n");
  const most = "x".repeat(1000);
  assertEquals(
    await world.exchange(client, `PUB a 1000\r\n${most}\r\n`),
    `MSG a 1 1000\r\n${most}\r\n`,
  );
  assertEquals(
    await world.exchange(client, `PUB a 1001\r\n`),
    "-ERR 'Maximum Payload Violation'\r\n",
  );
  assert(client.ended);
});
