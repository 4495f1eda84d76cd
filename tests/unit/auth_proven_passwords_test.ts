import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { VirtualClock } from "../../src/platform/mod.ts";
import { ProvenPasswords } from "../../src/auth/proven_passwords.ts";

function remembering(entriesMax: number, keptMs: number) {
  const clock = new VirtualClock();
  return { clock, proven: new ProvenPasswords({ clock, entriesMax, keptMs }) };
}

Deno.test("a digest names one pair of password and hash, in one memory, and shows neither", async () => {
  const { proven } = remembering(1, 1);
  const digest = await proven.digest("password", "hash");
  assertMatch(digest, /^[A-Za-z0-9+/]{43}=$/);
  assertEquals(await proven.digest("password", "hash"), digest);
  const others = [
    proven.digest("hash", "password"),
    proven.digest("", "hashpassword"),
    proven.digest("password", "hash2"),
    proven.digest("Password", "hash"),
    proven.digest('","', ""),
    proven.digest("", '","'),
    remembering(1, 1).proven.digest("password", "hash"),
  ];
  assertEquals(new Set([digest, ...await Promise.all(others)]).size, 8);
  proven.clear();
  assertNotEquals(await proven.digest("password", "hash"), digest);
});

Deno.test("a proof holds for its time from the check on, however often it is used", async () => {
  const { clock, proven } = remembering(10, 1000);
  assert(!proven.has("a"));
  proven.add("a");
  await clock.advance(600);
  assert(proven.has("a"));
  proven.add("b");
  await clock.advance(399);
  assert(proven.has("a"));
  await clock.advance(1);
  assert(!proven.has("a"));
  assert(proven.has("b"));
  proven.add("a");
  await clock.advance(999);
  assert(proven.has("a"));
  proven.clear();
  assert(!proven.has("a"));
});

Deno.test("the least recently used proof makes room", () => {
  const { proven } = remembering(3, 1000);
  for (const digest of ["a", "b", "c"]) proven.add(digest);
  assert(proven.has("a"));
  proven.add("b");
  proven.add("d");
  assertEquals(["a", "b", "c", "d"].map((digest) => proven.has(digest)), [true, true, false, true]);
});
