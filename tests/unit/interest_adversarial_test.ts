/**
 * Subjects that somebody chose to make the broker slow or big.
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

function ask(interest: Interest<Interested>, subject: string): Match<Interested> {
  const bytes = Uint8Array.from(subject, (character) => character.charCodeAt(0));
  return interest.match(bytes, 0, bytes.length, hashSubject(bytes, 0, bytes.length));
}

function subscribe(interest: Interest<Interested>, subject: string, queue: string | null = null) {
  const item = { subject, queue };
  interest.insert(item);
  return item;
}

function sizeOf(group: Members<Interested>): number {
  return group instanceof MatchedGroup ? group.count : 1;
}

function hashOf(subject: string): number {
  const bytes = Uint8Array.from(subject, (character) => character.charCodeAt(0));
  return hashSubject(bytes, 0, bytes.length);
}

/** Two suffixes with which `prefix` gets the same hash, found by the birthday paradox. */
function collidingSuffixes(prefix: string): [string, string] {
  const suffixes = new Map<number, string>();
  for (let i = 0;; i++) {
    const suffix = (Math.imul(i, 0x9e3779b1) >>> 0).toString(36).padStart(7, "0");
    const hash = hashOf(prefix + suffix);
    const other = suffixes.get(hash);
    if (other !== undefined) return [other, suffix];
    suffixes.set(hash, suffix);
  }
}

Deno.test("subjects of 2048 tokens neither overflow the stack nor multiply", () => {
  const interest = new Interest<Interested>();
  const deep = (tokens: string) => Array.from({ length: 2048 }, () => tokens).join(".");
  const items = [deep("a"), deep("*"), `${deep("a")}.*`, `${deep("a")}.>`, `${deep("*")}.>`]
    .map((subject) => subscribe(interest, subject));
  // One pattern for each token that is a wildcard: all share their beginnings.
  for (let i = 0; i < 2048; i += 16) {
    const tokens = new Array<string>(2048).fill("a");
    tokens[i] = "*";
    items.push(subscribe(interest, tokens.join(".")));
  }
  assertEquals(ask(interest, deep("a")).plain.length, 2 + 128);
  assertEquals(ask(interest, `${deep("a")}.a`).plain.length, 3);
  assertEquals(ask(interest, `${deep("a")}.a.a`).plain.length, 2);
  assertEquals(ask(interest, deep("b")).plain.length, 1);
  assertEquals([...interest.items()].length, items.length);
  for (const item of items) assert(interest.remove(item));
  assertEquals([...interest.items()].length, 0);
});

Deno.test("of every number of tokens, patterns with one wildcard or with all but one are found", () => {
  for (let count = 1; count <= 40; count++) {
    // A search among these alone goes as deep as it can, and may not run out of room there.
    const alone = new Interest<Interested>(), together = new Interest<Interested>();
    subscribe(alone, Array(count).fill("*").join("."));
    for (let at = 0; at < count; at++) {
      const word = Array(count).fill("*").with(at, "a").join(".");
      const star = Array(count).fill("a").with(at, "*").join(".");
      subscribe(alone, word);
      subscribe(together, word);
      subscribe(together, star);
    }
    const subject = Array(count).fill("a").join(".");
    assertEquals(ask(alone, subject).plain.length, count + 1, `${count} tokens`);
    assertEquals(ask(together, subject).plain.length, 2 * count, `${count} tokens`);
  }
});

Deno.test("ending many subscriptions of one subject takes time in proportion to their number", () => {
  const FEW = 10_000, MANY = 8 * FEW;
  const endAll = (count: number) => {
    const interest = new Interest<Interested>();
    const items = Array.from({ length: count }, () => subscribe(interest, "one"));
    const startMs = performance.now();
    // The last one first: whoever looks for it from the beginning looks at all of them.
    for (const item of items.reverse()) interest.remove(item);
    assertEquals(interest.count, 0);
    return performance.now() - startMs;
  };
  let fewMs = Infinity, manyMs = Infinity;
  // The best of several rounds is the code's own doing, and the others the machine's. 8 times as many
  // would take 64 times as long.
  for (let round = 0; round < 3 || (round < 12 && manyMs >= 40 * fewMs); round++) {
    fewMs = Math.min(fewMs, endAll(FEW));
    manyMs = Math.min(manyMs, endAll(MANY));
  }
  assert(manyMs < 40 * fewMs, `${FEW} took ${fewMs} ms, ${MANY} took ${manyMs} ms`);
});

Deno.test("every combination of wildcards and tokens is found once", () => {
  const interest = new Interest<Interested>();
  for (let bits = 0; bits < 2 ** 12; bits++) {
    const tokens = Array.from({ length: 12 }, (_, index) => bits >> index & 1 ? "*" : "a");
    subscribe(interest, tokens.join("."), bits % 2 === 0 ? null : "workers");
  }
  const match = ask(interest, "a.a.a.a.a.a.a.a.a.a.a.a");
  assertEquals(new Set(match.plain).size, 2 ** 11);
  assertEquals(match.plain.length, 2 ** 11);
  assertEquals(match.groups.map(sizeOf), [2 ** 11]);
});

Deno.test("subjects chosen to collide in FNV-1a only miss the cache", () => {
  // The basis is known, so it takes no time to find 32 subjects with one hash: five parts, each
  // with two spellings that lead to the same state.
  let subjects = [""];
  for (let part = 0; part < 5; part++) {
    const spellings = collidingSuffixes(subjects[0]!);
    subjects = subjects.flatMap((text) => spellings.map((spelling) => text + spelling));
  }
  assertEquals(new Set(subjects.map(hashOf)).size, 1);
  const interest = new Interest<Interested>({ hashSeed: 12345 });
  for (const subject of subjects) subscribe(interest, subject);
  for (const subject of subjects) subscribe(interest, `${subject}.*`);
  for (let round = 0; round < 2; round++) {
    for (const subject of subjects) {
      assertEquals(ask(interest, subject).plain.map((item) => item.subject), [subject]);
      assertEquals(ask(interest, `${subject}.x`).plain.map((item) => item.subject), [
        `${subject}.*`,
      ]);
    }
  }
  assertEquals(interest.stats.cacheHits, 0, "this test is about collisions");
  for (const item of [...interest.items()]) assert(interest.remove(item));
});

Deno.test("the cache stays within its bounds in entries and in references", () => {
  const interest = new Interest<Interested>({ cacheEntries: 64 });
  const many = Array.from({ length: 1000 }, () => subscribe(interest, ">"));
  for (let i = 0; i < 10_000; i++) {
    const match = ask(interest, `s.${i}`);
    assertEquals(match.plain.length, many.length);
    assert(interest.isCurrent(match));
    // 64 references a place: four matches of 1,000.
    assert(interest.stats.cacheEntries <= 4);
  }
  for (const item of many) interest.remove(item);
  for (let i = 0; i < 10_000; i++) ask(interest, `s.${i}`);
  assertEquals(interest.stats.cacheEntries, 64);
});

Deno.test("a subject with more subscriptions than the cache may refer to is still cached", () => {
  const interest = new Interest<Interested>({ cacheEntries: 4 });
  for (let i = 0; i < 1000; i++) subscribe(interest, "crowd");
  const match = ask(interest, "crowd");
  assertEquals(match.plain.length, 1000);
  assert(interest.isCurrent(match));
  ask(interest, "other");
  assert(!interest.isCurrent(match));
  assertEquals(ask(interest, "crowd").plain.length, 1000);
  // A large queue group is not copied, so that its match is as small as any.
  for (let i = 0; i < 1000; i++) subscribe(interest, "group", "workers");
  const group = ask(interest, "group");
  ask(interest, "other");
  assert(interest.isCurrent(group));
});
