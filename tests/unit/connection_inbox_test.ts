import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { Inbox } from "../../src/connection/mod.ts";
import { SeededRandom } from "../../src/platform/mod.ts";

/** Bytes of the length field that a frame of these tests begins with. */
const HEAD = 4;

/** Frames of the given body lengths, one behind the other: length, then body. */
function frames(lengths: readonly number[], random: SeededRandom): Uint8Array {
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + HEAD + length, 0));
  let at = 0;
  for (const length of lengths) {
    new DataView(bytes.buffer).setUint32(at, length);
    bytes.set(random.bytes(length), at + HEAD);
    at += HEAD + length;
  }
  return bytes;
}

/**
 * Reads a stream through an inbox as a parser does: takes whole frames, leaves the rest, and says
 * how much it needs once it can tell.
 */
class Reading {
  readonly inbox = new Inbox();
  readonly consumed: Uint8Array[] = [];
  mostCapacity = 0;
  /** Bytes that were read already and moved to make room for others. */
  movedBytes = 0;
  #needed = 0;

  /** Reads once from `stream` at `from`, at most `most` bytes; returns how many. */
  read(stream: Uint8Array, from: number, most: number): number {
    const { inbox } = this, { slab, start } = inbox, kept = inbox.end - start;
    const space = inbox.space(this.#needed);
    assertGreater(space.length, 0, "a read of nothing would be taken for the end");
    assertLessOrEqual(space.byteOffset + space.length, inbox.slab.capacity);
    if (inbox.slab !== slab || inbox.start !== start) this.movedBytes += kept;
    const count = Math.min(space.length, most, stream.length - from);
    space.set(stream.subarray(from, from + count));
    inbox.filled(count);
    this.mostCapacity = Math.max(this.mostCapacity, inbox.slab.capacity);
    this.#consume();
    return count;
  }

  #consume(): void {
    const { inbox } = this;
    this.#needed = 0;
    for (;;) {
      const available = inbox.end - inbox.start;
      if (available < HEAD) return;
      const length = HEAD + inbox.slab.view.getUint32(inbox.start);
      if (available < length) {
        this.#needed = length;
        return;
      }
      this.consumed.push(inbox.slab.bytes.slice(inbox.start, inbox.start + length));
      inbox.start += length;
    }
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const boundary = [512, 2048, 4096, 32_768, 65_536, 131_072];
const bodyLength = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 600 }) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...boundary), fc.integer({ min: -9, max: 9 }))
      .map(([size, off]) => size + off),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 300_000 }) },
);

Deno.test("no byte is lost, doubled or changed, however the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(bodyLength, { minLength: 1, maxLength: 30 }),
      fc.integer(),
      fc.constantFrom(3, 700, 20_000, 1_000_000),
      (lengths, seed, mostPerRead) => {
        const random = new SeededRandom(seed);
        const stream = frames(lengths, random), reading = new Reading();
        for (let at = 0; at < stream.length;) {
          at += reading.read(
            stream,
            at,
            1 + random.below(Math.max(mostPerRead, stream.length >> 9)),
          );
        }
        const result = joined(reading.consumed);
        assertEquals(result.length, stream.length);
        assert(result.every((byte, i) => byte === stream[i]));
        const largest = HEAD + Math.max(...lengths);
        assertLessOrEqual(
          reading.mostCapacity,
          2 * largest + 2 * 131_072,
          "bounded by what it holds",
        );
      },
    ),
    { numRuns: 200, seed: 20_261_122 },
  );
});

Deno.test("a parser that cannot say what it needs gets more and more room", () => {
  const inbox = new Inbox();
  for (let total = 0; total < 1_000_000;) {
    const space = inbox.space(0);
    assertGreater(space.length, 0);
    for (let i = 0; i < space.length; i++) space[i] = (total + i) % 251;
    inbox.filled(space.length);
    total += space.length;
    assertEquals(inbox.end - inbox.start, total);
  }
  for (let i = inbox.start; i < inbox.end; i++) {
    if (inbox.slab.bytes[i] !== (i - inbox.start) % 251) throw new Error(`byte ${i} is wrong`);
  }
});

Deno.test("an idle connection has a small buffer, also after it was a busy one", () => {
  const random = new SeededRandom(1), reading = new Reading();
  const idle = reading.inbox.space(0).length;
  assertLessOrEqual(idle, 512);
  const stream = frames(Array.from({ length: 2000 }, () => 1000), random);
  for (let at = 0; at < stream.length;) at += reading.read(stream, at, Infinity);
  assertGreater(reading.inbox.slab.capacity, 32_000, "grown with the traffic");
  const large = frames([1_000_000], random);
  for (let at = 0; at < large.length;) at += reading.read(large, at, Infinity);
  assertGreater(reading.inbox.slab.capacity, 900_000);
  const small = frames([10], random);
  for (let i = 0; i < 20; i++) reading.read(small, 0, Infinity);
  reading.inbox.space(0);
  assertLessOrEqual(reading.inbox.slab.capacity, 512);
});

Deno.test("once large frames come, they are read into place and not moved", () => {
  const random = new SeededRandom(1), reading = new Reading();
  const stream = frames(Array.from({ length: 60 }, () => 60_000), random);
  let warmedUpAt = 0;
  for (let at = 0; at < stream.length;) {
    at += reading.read(stream, at, Infinity);
    if (warmedUpAt === 0 && at > 500_000) {
      warmedUpAt = at;
      reading.movedBytes = 0;
    }
  }
  assertLessOrEqual(reading.movedBytes, (stream.length - warmedUpAt) / 100);
});
