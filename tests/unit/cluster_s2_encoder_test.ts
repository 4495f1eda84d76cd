import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { S2Encoder, type S2Level } from "../../src/cluster/s2/mod.ts";
import { SeededRandom } from "../../src/platform/mod.ts";
import { routedEvents } from "../support/json_events.ts";
import { bytesOf, decodeAll, IDENTIFIER } from "../support/s2_frames.ts";

const LEVELS: readonly S2Level[] = ["uncompressed", "fast", "better", "best"];
const ascii = (text: string) => new TextEncoder().encode(text);

function roundTrip(encoder: S2Encoder, input: Uint8Array, piece?: number, into?: number): void {
  const stream = encoder.encode(input);
  assert(
    stream.length <= input.length + S2Encoder.overhead(input.length),
    `${input.length} bytes became ${stream.length}`,
  );
  const decoded = decodeAll(stream, piece, into);
  assert(
    decoded.length === input.length && decoded.every((byte, i) => byte === input[i]),
    `${encoder.level}: ${input.length} bytes changed`,
  );
}

/** Bytes as a compressor may meet them. */
const inputs: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc.array(fc.constantFrom(0, 1, 255), { maxLength: 3000 }).map((array) => Uint8Array.from(array)),
  fc.json().map((json) => ascii(json.repeat(3))),
  // Pieces of itself again and again: copies and repeats of all lengths and offsets.
  fc.tuple(
    fc.uint8Array({ minLength: 1, maxLength: 400 }),
    fc.array(
      fc.record({
        from: fc.nat(100_000),
        length: fc.nat(2000),
        other: fc.uint8Array({ maxLength: 9 }),
      }),
      { maxLength: 60 },
    ),
  ).map(([seed, pieces]) => {
    const bytes = [...seed];
    for (const { from, length, other } of pieces) {
      const start = from % bytes.length;
      for (let i = 0; i < length; i++) bytes.push(bytes[start + i]!);
      bytes.push(...other);
    }
    return Uint8Array.from(bytes);
  }),
);

Deno.test("what official servers write for a PING", () => {
  const ping = bytesOf("ff060000 533273 54774f 010a0000 ab90cc24 50494e470d0a");
  for (const level of LEVELS) assertEquals(new S2Encoder(level).encode(ascii("PING\r\n")), ping);
  assertEquals(new S2Encoder("fast").encode(new Uint8Array(0)), IDENTIFIER);
});

Deno.test("every input comes back, at every level and in all pieces", () => {
  const encoders = LEVELS.map((level) => new S2Encoder(level));
  const property = fc.property(inputs, fc.integer({ min: 1, max: 500 }), (input, piece) => {
    for (const encoder of encoders) {
      roundTrip(encoder, input);
      roundTrip(encoder, input, piece, 501 - piece);
    }
  });
  fc.assert(property, { numRuns: 300 });
});

Deno.test("every length up to 300, of what repeats and of what does not", () => {
  const noise = new SeededRandom(3).bytes(300), text = routedEvents(300);
  for (const level of LEVELS) {
    const encoder = new S2Encoder(level);
    for (let length = 0; length <= 300; length++) {
      for (const bytes of [noise, text, new Uint8Array(300), ascii("ab".repeat(150))]) {
        roundTrip(encoder, bytes.subarray(0, length));
      }
    }
  }
});

Deno.test("inputs of several blocks, and matches far away", () => {
  const random = new SeededRandom(4), far = random.bytes(70_000);
  const large = new Uint8Array((2 << 20) + 12_345);
  large.set(routedEvents(800_000));
  for (const at of [900_000, 1_000_000, 1_100_000, 1_900_000, 2_000_000]) large.set(far, at);
  for (const level of LEVELS) {
    const encoder = new S2Encoder(level);
    roundTrip(encoder, large);
    roundTrip(encoder, large, 10_007, 60_013);
    roundTrip(encoder, random.bytes(1_500_000));
    roundTrip(encoder, ascii("small again"));
  }
});

Deno.test("a view into a larger buffer is encoded as itself", () => {
  const text = routedEvents(5000), buffer = new SeededRandom(5).bytes(9000);
  buffer.set(text, 1234);
  for (const level of LEVELS) {
    const expected = new S2Encoder(level).encode(text);
    assertEquals(new S2Encoder(level).encode(buffer.subarray(1234, 6234)), expected);
  }
});

Deno.test("what does not compress is at most the overhead longer; text gets shorter by level", () => {
  const noise = new SeededRandom(6).bytes(200_000), text = routedEvents(131_072);
  for (const level of LEVELS) {
    assert(
      new S2Encoder(level).encode(noise).length <= noise.length + S2Encoder.overhead(noise.length),
    );
  }
  const sizes = LEVELS.map((level) => new S2Encoder(level).encode(text).length / text.length);
  assert(sizes[0]! > 1 && sizes[1]! < 0.3, `${sizes}`);
  assert(sizes[2]! < sizes[1]! && sizes[3]! < sizes[2]!, `${sizes}`);
});

Deno.test("the level may change from call to call", () => {
  const encoder = new S2Encoder("uncompressed"), text = routedEvents(20_000);
  for (const level of [...LEVELS, ...LEVELS.toReversed()]) {
    encoder.level = level;
    roundTrip(encoder, text);
  }
});

Deno.test("encoding many blocks one after the other does not let old ones in", () => {
  // The positions in the tables count on; earlier, longer blocks must not be taken for this one.
  const random = new SeededRandom(7), text = routedEvents(131_072);
  for (const level of LEVELS) {
    const encoder = new S2Encoder(level);
    for (let i = 0; i < 300; i++) {
      const from = Math.floor(random.next() * text.length);
      const length = Math.floor(random.next() ** 4 * (text.length - from));
      roundTrip(encoder, text.subarray(from, from + length));
    }
  }
});
