import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { KeyedHash } from "../../src/auth/keyed_hash.ts";

const key = (last: number) => Uint8Array.of(0, 1, 2, 3, 4, 5, 6, last);

Deno.test("equal pairs have the same name under one key, and another under another", () => {
  const one = new KeyedHash(key(7)), other = new KeyedHash(key(8));
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string(), (a, b) => {
    assertEquals(one.of(a, b), new KeyedHash(key(7)).of(a, b));
    assertNotEquals(one.of(a, b), other.of(a, b));
  }));
});

Deno.test("different pairs have different names", () => {
  const hash = new KeyedHash(key(7));
  const texts = ["", "a", "b", "aa", "ab", "\0", "\0\0", "a\0", "\0a", "é", "𝄞", "a".repeat(999)];
  const pairs = [
    ...texts.flatMap((one) => texts.map((other) => [one, other] as const)),
    ...Array.from({ length: 20_000 }, (_, i) => [String(i), "x"] as const),
  ];
  const names = new Set(pairs.map(([one, other]) => hash.of(one, other)));
  assertEquals(names.size, pairs.length);
  // Each bit of a name is as often set as not.
  const ones = pairs.filter(([one, other]) => parseInt(hash.of(one, other), 36) & 1).length;
  assert(Math.abs(ones / pairs.length - 0.5) < 0.02);
});
