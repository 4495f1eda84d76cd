import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { SeededRandom, SystemRandom } from "../../src/platform/mod.ts";
import { Xoshiro } from "../../src/platform/xoshiro.ts";

Deno.test("the generator matches the reference implementation", () => {
  // The first outputs of xoshiro128starstar.c for the state {1, 2, 3, 4}.
  const generator = new Xoshiro(1, 2, 3, 4);
  const outputs = Array.from({ length: 4 }, () => generator.bits() >>> 0);
  assertEquals(outputs, [11520, 0, 5927040, 70819200]);
});

Deno.test("the same seed draws the same, neighbouring seeds do not", () => {
  const draws = (seed: number) => {
    const random = new SeededRandom(seed);
    return [random.next(), random.below(1000), ...random.bytes(8)];
  };
  assertEquals(draws(7), draws(7));
  assertNotEquals(draws(7), draws(8));
  assertNotEquals(draws(0), draws(-1));
});

Deno.test("numbers stay in their range for every limit", () => {
  const random = new SeededRandom(1);
  fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (limit) => {
    const number = random.below(limit);
    assert(Number.isInteger(number) && number >= 0 && number < limit);
    const fraction = random.next();
    assert(fraction >= 0 && fraction < 1);
  }));
  assertEquals(random.below(1), 0);
  assert(random.below(2 ** 31) < 2 ** 31);
});

Deno.test("below is fair, also where a plain remainder would not be", () => {
  for (const random of [new SeededRandom(42), new SystemRandom()]) {
    // 2^31 draws modulo 1.5 * 2^30 would favour the lower third two to one.
    const limit = 1.5 * 2 ** 30;
    let lower = 0;
    for (let draw = 0; draw < 30_000; draw++) if (random.below(limit) < limit / 3) lower++;
    assert(Math.abs(lower - 10_000) < 600, `${lower} of 30000`);
    const counts = [0, 0, 0, 0, 0];
    for (let draw = 0; draw < 50_000; draw++) counts[random.below(5)]!++;
    for (const count of counts) assert(Math.abs(count - 10_000) < 600, `${counts}`);
  }
});

Deno.test("bytes come in any length, longer than the system gives out at once", () => {
  const random = new SystemRandom();
  assertEquals(random.bytes(0).length, 0);
  const many = random.bytes(200_000);
  assertEquals(many.length, 200_000);
  assert(many.subarray(-1000).some((byte) => byte !== 0), "the last part is filled too");
  assertNotEquals(random.bytes(16), random.bytes(16));
});
