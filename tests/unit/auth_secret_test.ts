import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { isBcrypt, PlainSecret } from "../../src/auth/secret.ts";

Deno.test("a plain secret matches itself and nothing else", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
    const secret = new PlainSecret(a);
    assert(secret.matches(a));
    assertEquals(secret.matches(b), a === b);
  }));
});

Deno.test("a prefix, a repetition and an extension of a plain secret do not match it", () => {
  const secret = new PlainSecret("abab");
  for (const offered of ["", "ab", "aba", "ababab", "abababab", "abab\0", "ABAB"]) {
    assert(!secret.matches(offered), offered);
  }
  const empty = new PlainSecret("");
  assert(empty.matches(""));
  assert(!empty.matches("\0"));
});

Deno.test("only the four known prefixes with a two-digit cost make a bcrypt hash", () => {
  for (const hash of ["$2a$10$abc", "$2b$04$", "$2x$31$...", "$2y$12$x"]) {
    assert(isBcrypt(hash), hash);
  }
  for (
    const plain of [
      "",
      "2a$10$abc",
      "$2$10$abc",
      "$2z$10$abc",
      "$2a$1$abc",
      "$2a$short",
      "x$2a$10$abc",
    ]
  ) assert(!isBcrypt(plain), plain);
});
