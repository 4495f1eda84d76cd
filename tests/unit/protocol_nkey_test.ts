import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromPublic, fromSeed } from "@nats-io/nkeys";
import fc from "fast-check";
import {
  decodeNkey,
  decodeSeed,
  encodeNkey,
  encodeSeed,
  isNkey,
  type NkeyKind,
  nkeyPrefix,
} from "../../src/protocol/mod.ts";

const kinds = Object.keys(nkeyPrefix) as NkeyKind[];
const kind = fc.constantFrom(...kinds);
const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const encoder = new TextEncoder(), decoder = new TextDecoder();

Deno.test("what is encoded is decoded, and begins with the letter of its kind", () => {
  const letters: Record<NkeyKind, string> = {
    account: "A",
    cluster: "C",
    server: "N",
    operator: "O",
    user: "U",
    curve: "X",
  };
  fc.assert(fc.property(kind, key, (kind, key) => {
    const text = encodeNkey(kind, key), seed = encodeSeed(kind, key);
    assertEquals([text.length, text[0]], [56, letters[kind]]);
    assertEquals([seed.length, seed.slice(0, 2)], [58, "S" + letters[kind]]);
    assertEquals(decodeNkey(text), { kind, key: Uint8Array.from(key) });
    assertEquals(decodeSeed(seed), { kind, key: Uint8Array.from(key) });
    for (const other of kinds) assertEquals(isNkey(text, other), other === kind);
    // Neither is taken for the other.
    assertEquals([decodeNkey(seed), decodeSeed(text)], [null, null]);
  }));
});

Deno.test("the official library makes the same keys of the same seeds", () => {
  fc.assert(
    fc.property(kind, key, (kind, bytes) => {
      const seed = encodeSeed(kind, bytes);
      const pair = fromSeed(encoder.encode(seed));
      assertEquals(decoder.decode(pair.getSeed()), seed);
      const { key } = decodeNkey(pair.getPublicKey())!;
      assertEquals(encodeNkey(kind, key), pair.getPublicKey());
    }),
    // Elliptic curves in plain JavaScript take their time.
    { numRuns: 20 },
  );
});

Deno.test("one changed character is noticed", () => {
  const characters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ234567abc018=-_ é"];
  const at = fc.nat(57), character = fc.constantFrom(...characters);
  fc.assert(fc.property(kind, key, at, character, (kind, key, at, character) => {
    for (
      const [text, decode] of [[encodeNkey(kind, key), decodeNkey], [
        encodeSeed(kind, key),
        decodeSeed,
      ]] as const
    ) {
      const index = at % text.length;
      const changed = text.slice(0, index) + character + text.slice(index + 1);
      assertEquals(decode(changed) === null, changed !== text);
    }
  }));
});

Deno.test("what is no key is none", () => {
  const text = encodeNkey("user", new Uint8Array(32)),
    seed = encodeSeed("user", new Uint8Array(32));
  for (
    const wrong of [
      "",
      "U",
      text.toLowerCase(),
      text.slice(1),
      text + "A",
      ` ${text.slice(1)}`,
      text.slice(0, 55),
      // The prefix of a private key, which is written down nowhere.
      "P" + text.slice(1),
    ]
  ) assertEquals(decodeNkey(wrong), null, wrong);
  // The last character of a seed has two bits too many.
  const last = seed.at(-1)!,
    next = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
      .charAt("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(last) + 1);
  assertEquals(decodeSeed(seed.slice(0, -1) + next), null);
  fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => {
    const decoded = decodeNkey(text);
    assert(decoded === null || encodeNkey(decoded.kind, decoded.key) === text);
  }));
  assertThrows(() => encodeSeed("user", new Uint8Array(33)), RangeError, "not 33");
  assertThrows(() => fromPublic(text.slice(1)));
});
