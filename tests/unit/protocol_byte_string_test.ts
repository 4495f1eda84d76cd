import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  byteString,
  byteStringBytes,
  decodeByteString,
  encodeByteString,
} from "../../src/protocol/mod.ts";

Deno.test("a byte string has one character per byte, whatever the bytes", () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const text = byteString(all, 0, 256);
  assertEquals(text.length, 256);
  for (let byte = 0; byte < 256; byte++) assertEquals(text.charCodeAt(byte), byte);
  assertEquals(byteStringBytes(text), all);
});

Deno.test("a part of the bytes is taken, of every length around what is converted at once", () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, index) => index * 31 & 0xff);
  for (const length of [0, 1, 4095, 4096, 4097, 8191, 8192, 8193, 12_289]) {
    assertEquals(byteStringBytes(byteString(bytes, 7, 7 + length)), bytes.slice(7, 7 + length));
  }
});

Deno.test("bytes to byte string and back is the identity", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 10_000 }), (bytes) => {
      assertEquals(byteStringBytes(byteString(bytes, 0, bytes.length)), Uint8Array.from(bytes));
    }),
    { seed: 1 },
  );
});

Deno.test("text to byte string and back is the identity; its length is that of its UTF-8", () => {
  assertEquals(encodeByteString("grüß"), "gr\u00c3\u00bc\u00c3\u009f");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const encoded = encodeByteString(text);
      assertEquals(decodeByteString(encoded), text.replace(/^\ufeff/, ""));
      assertEquals(encoded.length, new TextEncoder().encode(text).length);
    }),
    { seed: 1 },
  );
});

Deno.test("for people, what is no UTF-8 becomes U+FFFD", () => {
  assertEquals(decodeByteString("a\xffb"), "a\ufffdb");
});
