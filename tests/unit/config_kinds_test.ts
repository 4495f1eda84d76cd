import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { isBcrypt } from "../../src/config/mod.ts";
import { type Kind, Refusal } from "../../src/config/kind.ts";
import { duration, integer, port, size } from "../../src/config/number_kinds.ts";
import {
  advertisedAddress,
  host,
  listenAddress,
  password,
  subject,
} from "../../src/config/text_kinds.ts";
import { editDistance, nearest } from "../../src/config/suggestion.ts";

function taken<Output>(kind: Kind<never, Output>, values: readonly unknown[]): void {
  for (const value of values) {
    assert(!(kind.read(value) instanceof Refusal), `${JSON.stringify(value)} is taken`);
  }
}

function refused<Output>(kind: Kind<never, Output>, values: readonly unknown[]): void {
  for (const value of values) {
    assert(kind.read(value) instanceof Refusal, `${JSON.stringify(value)} is refused`);
  }
}

Deno.test("ports are 1 to 65535, or -1", () => {
  taken(port(), [-1, 1, 65535, "-1", "4222", "+1"]);
  refused(port(), [0, -2, 65536, 1.5, NaN, "0", "", "4222x", "0x1", "1e3", " 1", null, true, []]);
});

Deno.test("numbers are held to their range", () => {
  taken(integer({ min: 0, max: 9 }), [0, 9, "0", "9", "007"]);
  refused(integer({ min: 0, max: 9 }), [-1, 10, "-1", "10", "1_0", "5e0", "9".repeat(400)]);
  taken(size({ min: 1, max: 1024 }), [1, "1KB", "1024"]);
  refused(size({ min: 1, max: 1024 }), [0, "1025", "2KB", -1, 0.5, Infinity, "1e3"]);
  taken(duration({ min: 1 }), ["1ms", 1, 0.001, "596h"]);
  refused(duration({ min: 1 }), ["0s", 0, -1, "597h", NaN, Infinity, "-1s", "forever"]);
});

Deno.test("addresses to listen on and to advertise", () => {
  const read = (value: unknown) => listenAddress().read(value);
  assertEquals(read("127.0.0.1:4222"), { host: "127.0.0.1", port: 4222 });
  assertEquals(read("[::1]:-1"), { host: "::1", port: -1 });
  assertEquals(read(":4222"), { port: 4222 });
  assertEquals(read("-1"), { port: -1 });
  assertEquals(read(4222), { port: 4222 });
  refused(listenAddress(), ["", "a", "a:b", "a:0", "::1:4222", "nats://a:1", "[x]:1", 0, null]);
  taken(host(), ["localhost", "0.0.0.0", "::", "fe80::1%eth0"]);
  refused(host(), ["", "a b", "a:1", "[::1]", "nats://a", 1]);
  taken(advertisedAddress(), ["a", "a:1", "[::1]:4222"]);
  refused(advertisedAddress(), ["", ":1", "a:-1", "a:70000", "a:b"]);
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

Deno.test("a bcrypt hash is whole or refused", () => {
  const hash = "$2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG";
  taken(password(), [hash, "$2$x", "$2z$11$x", "plain"]);
  refused(password(), [hash.slice(0, -1), `${hash}x`, "$2b$10$", "", 1]);
});

Deno.test("subjects of rules", () => {
  taken(subject(), ["a", "a.b", "*", ">", "a.*.>", "a*b", "$SYS.>", "a.>b"]);
  refused(subject(), ["a..b", ".a", "a.", "a b", ">.a", "a.>.b", "a\tb", 1]);
  for (const nothing of ["", null]) {
    const refusal = subject().read(nothing);
    assert(refusal instanceof Refusal && refusal.hint?.startsWith("quote it"), String(nothing));
  }
});

Deno.test("the edit distance counts letters changed, added, dropped and swapped", () => {
  assertEquals(editDistance("port", "port"), 0);
  assertEquals(editDistance("prot", "port"), 1);
  assertEquals(editDistance("", "abc"), 3);
  assertEquals(editDistance("kitten", "sitting"), 3);
  fc.assert(fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
    const distance = editDistance(a, b);
    return distance === editDistance(b, a) && (distance === 0) === (a === b) &&
      distance <= Math.max(a.length, b.length);
  }));
});

Deno.test("the nearest name is near", () => {
  const names = ["port", "host", "max_payload"];
  assertEquals(nearest("prt", names), "port");
  assertEquals(nearest("MAX-PAYLOAD", names), "max_payload");
  assertEquals(nearest("cheese", names), undefined);
  assertEquals(nearest("x".repeat(1_000_000), names), undefined);
});
