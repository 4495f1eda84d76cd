import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { hasPlainSecret, usersWithoutPassword } from "../../src/auth/mod.ts";
import { PlainSecret } from "../../src/auth/secret.ts";

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

Deno.test("a secret in the clear is found wherever it stands, a bcrypt hash is none", () => {
  const hash = "$2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG";
  assert(hasPlainSecret({ token: "hunter2" }));
  assert(hasPlainSecret({ user: "alice", password: "hunter2" }));
  assert(
    hasPlainSecret({ users: [{ user: "alice", password: hash }, { user: "b", password: "b" }] }),
  );
  assert(!hasPlainSecret({ users: [{ user: "alice", password: hash }, { user: "bob" }] }));
});

Deno.test("a user without a password is found, alone and in a list", () => {
  assertEquals(usersWithoutPassword({}), []);
  assertEquals(usersWithoutPassword({ token: "hunter2" }), []);
  assertEquals(usersWithoutPassword({ user: "alice", password: "hunter2" }), []);
  assertEquals(usersWithoutPassword({ user: "alice" }), ["alice"]);
  assertEquals(
    usersWithoutPassword({
      users: [{ user: "a" }, { user: "b", password: "hunter2" }, { user: "c", password: "" }],
    }),
    ["a", "c"],
  );
});
