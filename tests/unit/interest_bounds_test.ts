/**
 * What one client can make the interest do or keep: bounded, whatever it subscribes to and publishes.
 */
import { assert, assertEquals } from "@std/assert";
import {
  Interest,
  type Interested,
  type Match,
  MatchedGroup,
  type Members,
} from "../../src/interest/mod.ts";
import { hashSubject } from "../../src/protocol/subject_hash.ts";

/** Nearly the longest subject that the default `max_control_line` lets through. */
const LONG = "a".repeat(4000);

function ask(interest: Interest<Interested>, subject: string): Match<Interested> {
  const bytes = new TextEncoder().encode(subject);
  return interest.match(bytes, 0, bytes.length, hashSubject(bytes, 0, bytes.length));
}

function partsOf(group: Members<Interested>): readonly (readonly Interested[])[] {
  return group instanceof MatchedGroup ? group.parts : [[group]];
}

function sizeOf(group: Members<Interested>): number {
  return partsOf(group).reduce((sum, part) => sum + part.length, 0);
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

Deno.test("a change of a large queue group does not cost what the group is big", () => {
  let looks = 0;
  const member = (subject: string, queue: string | null): Interested => ({
    subject,
    get queue() {
      looks++;
      return queue;
    },
  });
  for (const others of [[], ["*"], ["g", "*", ">"]]) {
    const interest = new Interest<Interested>();
    const workers = Array.from({ length: 20_000 }, () => member("g", "workers"));
    for (const worker of workers) interest.insert(worker);
    for (const subject of others) {
      interest.insert(member(subject, "workers"));
      interest.insert(member(subject, null));
    }
    ask(interest, "g");
    looks = 0;
    for (let i = 0; i < 500; i++) {
      interest.remove(workers[i]!);
      assertEquals(sizeOf(ask(interest, "g").groups[0]!), workers.length - 1 + others.length);
      interest.insert(workers[i]!);
      const match = ask(interest, "g");
      assertEquals(match.groups.length, 1);
      assertEquals(sizeOf(match.groups[0]!), workers.length + others.length);
      assertEquals(match.plain.length, others.length);
    }
    // Each match looks at those that changed and at the few others, not at the 20,000.
    assert(looks < 500 * 50, `${looks} looks`);
  }
});

Deno.test("a subject nobody asked for yet costs the same with a large queue group", () => {
  const interest = new Interest<Interested>();
  for (let i = 0; i < 20_000; i++) interest.insert({ subject: "g.>", queue: "workers" });
  subscribe(interest, "g.*");
  const arrays = new Set<readonly Interested[]>();
  for (let i = 0; i < 100; i++) {
    const match = ask(interest, `g.${i}`);
    assertEquals(match.plain.length, 1);
    assertEquals(sizeOf(match.groups[0]!), 20_000);
    for (const part of partsOf(match.groups[0]!)) arrays.add(part);
  }
  assertEquals(arrays.size, 1, "the members are in no other array than the subscription's own");
});
