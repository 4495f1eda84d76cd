/**
 * What one client can make the interest do or keep: bounded, whatever it subscribes to and publishes.
 */
import { assert, assertEquals } from "@std/assert";
import { Interest, type Interested, type Match } from "../../src/interest/mod.ts";
import { hashSubject } from "../../src/protocol/subject_hash.ts";

/** Nearly the longest subject that the default `max_control_line` lets through. */
const LONG = "a".repeat(4000);

function ask(interest: Interest<Interested>, subject: string): Match<Interested> {
  const bytes = new TextEncoder().encode(subject);
  return interest.match(bytes, 0, bytes.length, hashSubject(bytes, 0, bytes.length));
}

function subscribe(interest: Interest<Interested>, subject: string): Interested {
  const item = { subject, queue: null };
  interest.insert(item);
  return item;
}

Deno.test("a sweep compares nothing: it forgets what was not asked for since the last change", () => {
  const interest = new Interest<Interested>({ cacheEntries: 64 });
  const idle = ask(interest, "idle");
  const busy = ask(interest, "busy");
  interest.sweep();
  assertEquals(interest.stats.cacheEntries, 2, "nothing has changed");
  subscribe(interest, "other.*");
  assertEquals(ask(interest, "busy"), busy);
  interest.sweep();
  assertEquals(interest.stats.cacheEntries, 1);
  assert(interest.isCurrent(busy));
  assert(!interest.isCurrent(idle), "what has left the cache must not be used any more");
});

Deno.test("a sweep of thousands of long subjects after many changes takes no time", () => {
  const interest = new Interest<Interested>();
  for (let i = 0; i < 3000; i++) ask(interest, `${LONG}.${i}`);
  for (let i = 0; i < 63; i++) subscribe(interest, `${LONG}.*.x${i}`);
  const start = performance.now();
  interest.sweep();
  // To compare them all would be 700 MB, and took most of a second.
  assert(performance.now() - start < 100);
  assertEquals(interest.stats.cacheEntries, 0);
});

Deno.test("a match of a long subject is not compared with more than a few changes", () => {
  for (const [length, kept] of [[60, 64], [400, 10], [4000, 1], [5000, 0]] as const) {
    const interest = new Interest<Interested>();
    const subject = "s".repeat(length);
    for (let changes = 0; changes <= 64; changes++) {
      const match = ask(interest, subject);
      for (let i = 0; i < changes; i++) subscribe(interest, `other.${changes}.${i}.*`);
      assertEquals(interest.isCurrent(match), changes <= kept, `${length}: ${changes}`);
      assert(ask(interest, subject).empty);
    }
  }
});

Deno.test("the cache is bounded in bytes of subjects", () => {
  const interest = new Interest<Interested>({ cacheEntries: 1024 });
  for (let i = 0; i < 3000; i++) {
    const match = ask(interest, `${LONG}.${i}`);
    assert(interest.isCurrent(match));
    // 64 words a place, a word for every four bytes.
    assert(interest.stats.cacheEntries * LONG.length <= 1024 * 64 * 4);
  }
  assert(interest.stats.cacheEntries > 0);
  // Of usual length they all fit.
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < 256; i++) ask(interest, `orders.europe.${i}`);
  }
  assert(interest.stats.cacheEntries > 200);
});

Deno.test("what a lookup costs in the trie can be read off", () => {
  const interest = new Interest<Interested>();
  assertEquals(interest.searchWork, 0);
  for (let bits = 0; bits < 2 ** 10; bits++) {
    const tokens = Array.from({ length: 10 }, (_, index) => bits >> index & 1 ? "*" : "a");
    subscribe(interest, `${tokens.join(".")}.*`);
  }
  const workOf = (lookup: () => void) => {
    const before = interest.searchWork;
    lookup();
    return interest.searchWork - before;
  };
  assertEquals(workOf(() => {}), 0, "subscribing is no lookup");
  const all = `${"a.".repeat(10)}x`;
  // A binary tree of ten levels, and a leaf at the end of each way.
  assertEquals(workOf(() => ask(interest, all)), 2 ** 11 - 1);
  assertEquals(workOf(() => ask(interest, all)), 0, "the cache answers");
  assertEquals(workOf(() => interest.matchString(all)), 2 ** 11 - 1);
  assertEquals(workOf(() => interest.hasInterest(all)), 2 ** 11 - 1);
  assert(workOf(() => ask(interest, "b")) < 5);
});
