import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { S2Error, type S2Level } from "../../src/cluster/s2/format.ts";
import { Kernels } from "../../src/cluster/s2/kernels.ts";
import { SOURCES_SHA256 } from "../../src/cluster/s2/kernels_wasm.ts";
import { SeededRandom } from "../../src/platform/mod.ts";
import { sourcesSha256 } from "../../tools/s2_sources.ts";
import { routedEvents } from "../support/json_events.ts";
import { checksum } from "../support/s2_frames.ts";
import { decodeElements } from "../support/s2_reference.ts";

const LEVELS: readonly Exclude<S2Level, "uncompressed">[] = ["fast", "better", "best"];

Deno.test("the compiled kernels belong to their sources", async () => {
  assertEquals(
    SOURCES_SHA256,
    await sourcesSha256(),
    "src/cluster/s2/assembly was changed: run deno task build:s2, and commit kernels_wasm.ts with it",
  );
});

/** What the kernels make of the elements: bytes, or what is wrong. */
function decode(kernels: Kernels, elements: Uint8Array, length: number): Uint8Array | string {
  try {
    kernels.decode(elements, length);
  } catch (error) {
    if (!(error instanceof S2Error)) throw error;
    return error.message.replace("S2: ", "");
  }
  const decoded = new Uint8Array(length);
  kernels.copyTo(decoded, 0);
  return decoded;
}

/** Elements of all kinds; `copied` is what a copy's offset and length are made of. */
const element: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.array(fc.nat(255), { minLength: 1, maxLength: 60 }).map((b) => [(b.length - 1) << 2, ...b]),
  fc.tuple(fc.integer({ min: 1, max: 3 }), fc.array(fc.nat(255), { minLength: 1, maxLength: 80 }))
    .map(([bytes, b]) => {
      const length = [b.length - 1, 0, 0].slice(0, bytes);
      return [(59 + bytes) << 2, ...length, ...b];
    }),
  // Copies with 11, 16 and 32 bits of offset, mostly small ones; 0 makes a repeat of the first.
  fc.tuple(fc.nat(7), fc.nat(255)).map(([length, offset]) => [(length << 2) | 1, offset]),
  fc.tuple(fc.nat(4), fc.nat(40)).map(([length, offset]) => [(length << 2) | 1, offset]),
  fc.tuple(fc.nat(63), fc.nat(100)).map(([length, offset]) => [(length << 2) | 2, offset, 0]),
  fc.tuple(fc.nat(63), fc.nat(100)).map(([length, offset]) => [
    ...[(length << 2) | 3, offset, 0, 0, 0],
  ]),
  fc.nat(255).map((length) => [(5 << 2) | 1, 0, length]),
  fc.nat(600).map((length) => [(6 << 2) | 1, 0, length & 255, length >> 8]),
);

Deno.test("blocks decode to what the format says, or are refused for the same reason", () => {
  const kernels = new Kernels();
  let refused = 0;
  const property = fc.property(
    fc.array(fc.nat(255), { minLength: 41, maxLength: 60 }),
    fc.array(element, { maxLength: 40 }),
    fc.option(fc.tuple(fc.nat(), fc.nat(255)), { freq: 2 }),
    fc.integer({ min: -3, max: 3 }),
    (first, elements, change, error) => {
      const bytes = Uint8Array.from([(first.length - 1) << 2, ...first, ...elements.flat()]);
      if (change !== null) bytes[change[0] % bytes.length] = change[1];
      // The length that is right, if there is one: the reference says when it is too small.
      let length = 0;
      for (const most = 1 << 15; length < most; length = 2 * length + 64) {
        if (decodeElements(bytes, length) !== "block is longer than it says") break;
      }
      const decoded = decodeElements(bytes, length);
      if (decoded === "block is shorter than it says") {
        let low = 0;
        while (low < length) {
          const middle = (low + length) >> 1;
          if (decodeElements(bytes, middle) === "block is longer than it says") low = middle + 1;
          else length = middle;
        }
      }
      length = Math.max(0, length + (error > 1 ? error - 2 : error < -1 ? error + 2 : 0));
      const expected = decodeElements(bytes, length);
      if (typeof expected === "string") refused++;
      assertEquals(decode(kernels, bytes, length), expected);
    },
  );
  fc.assert(property, { numRuns: 3000 });
  assert(refused > 300 && refused < 2700, `${refused} of 3000 were refused`);
});

Deno.test("what is encoded is read by who only knows the format", () => {
  const kernels = new Kernels(), random = new SeededRandom(11), text = routedEvents(40_000);
  const target = new Uint8Array(50_000);
  let encoded = 0;
  for (let i = 0; i < 200; i++) {
    const from = random.below(30_000), block = text.slice(from, from + 32 + random.below(10_000));
    // Every bit of noise breaks a match somewhere else.
    for (let noise = random.below(200); noise > 0; noise--) {
      block[random.below(block.length)] = random.below(256);
    }
    for (const level of LEVELS) {
      kernels.load(block);
      const end = kernels.encode(level, target, 100);
      if (end < 0) continue;
      encoded++;
      assertEquals(decodeElements(target.slice(100, end), block.length), block);
    }
  }
  assert(encoded > 400, `${encoded} of 600 were encoded`);
});

Deno.test("checksums of every length up to 300, and around where they are shortened first", () => {
  const kernels = new Kernels(), bytes = new SeededRandom(8).bytes(80_000);
  const lengths = Array.from({ length: 300 }, (_, i) => i);
  for (let i = -20; i <= 40; i++) lengths.push(2 * 209 * 16 + i);
  lengths.push(10_000, 65_536, 79_999);
  for (const length of lengths) {
    const block = bytes.subarray(80_000 - length);
    kernels.load(block);
    const sum = kernels.takeChecksum();
    assertEquals(Uint8Array.of(sum, sum >> 8, sum >> 16, sum >> 24), checksum(block), `${length}`);
  }
});

Deno.test("positions count on from block to block; when they get too large the tables are cleared", () => {
  const kernels = new Kernels(), text = routedEvents(10_000), target = new Uint8Array(11_000);
  const encode = (level: typeof LEVELS[number]) => {
    kernels.load(text);
    return target.slice(0, kernels.encode(level, target, 0));
  };
  const expected = LEVELS.map(encode);
  assertEquals(kernels.nextPosition.value, 1 + 3 * text.length);
  for (const before of [1, text.length, text.length + 1, 2 * text.length]) {
    kernels.nextPosition.value = 0x7000_0000 - before;
    // Also what was entered at the largest positions is not taken for something of the next blocks.
    for (let i = 0; i < 4; i++) assertEquals(LEVELS.map(encode), expected);
    assert(kernels.nextPosition.value <= 1 + 12 * text.length);
  }
});

Deno.test("the memory grows to what the largest blocks need, and no further", () => {
  const kernels = new Kernels(), most = 4 << 20, target = new Uint8Array(most);
  const use = (length: number) => {
    kernels.load(target.subarray(0, length));
    kernels.encode("best", target, 0);
    return kernels.memoryBytes;
  };
  assertEquals(use(128 << 10), 512 << 10, "a slab fits into what there is at first");
  assert(use(1 << 20) <= 5 << 19);
  const literal = Uint8Array.of(62 << 2, 0xff, 0xff, 0x3f);
  for (let i = 0; i < 3; i++) {
    const elements = new Uint8Array(literal.length + most);
    elements.set(literal);
    kernels.decode(elements, most);
    assert(kernels.memoryBytes <= 9 << 20, `${kernels.memoryBytes} bytes`);
  }
});
