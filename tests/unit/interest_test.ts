import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Interest, type Interested, type Match, MatchedGroup } from "../../src/interest/mod.ts";
import { InvalidSubjectError } from "../../src/protocol/subject.ts";
import { hashSubject } from "../../src/protocol/subject_hash.ts";

function subscription(subject: string, queue: string | null = null): Interested {
  return { subject, queue };
}

function ask<T extends Interested>(interest: Interest<T>, subject: string): Match<T> {
  const bytes = Uint8Array.from(subject, (character) => character.charCodeAt(0));
  return interest.match(bytes, 0, bytes.length, hashSubject(bytes, 0, bytes.length));
}

function interestIn(...subjects: string[]): Interest<Interested> {
  const interest = new Interest<Interested>();
  for (const subject of subjects) interest.insert(subscription(subject));
  return interest;
}

Deno.test("what cannot be subscribed to is refused and leaves nothing behind", () => {
  const interest = new Interest<Interested>();
  for (const subject of ["", ".", "foo..bar", ".foo", "foo.", "foo.>.bar", ">.x"]) {
    assertThrows(() => interest.insert(subscription(subject)), InvalidSubjectError);
    assertEquals(interest.remove(subscription(subject)), false);
  }
  assertEquals(interest.count, 0);
  assertEquals(interest.stats.inserts, 0);
});

Deno.test("published subjects with empty tokens reach nobody, not even `>`", () => {
  const interest = interestIn(">", "*", "foo.*", "foo.>", "*.*");
  for (const subject of ["", ".", "foo..b", ".foo", "foo."]) {
    assert(ask(interest, subject).empty, subject);
    assert(!interest.hasInterest(subject), subject);
  }
});

Deno.test("wildcards in a published subject are tokens like any other", () => {
  const interest = interestIn(">", "foo.*", "foo.bar", "foo.>");
  const subjects = (text: string) => ask(interest, text).plain.map((item) => item.subject);
  assertEquals(subjects("foo.*"), [">", "foo.>", "foo.*"]);
  assertEquals(subjects("foo.>"), [">", "foo.>", "foo.*"]);
});

Deno.test("subscriptions are found in nats-server's order", () => {
  const check = (text: string, ...inOrder: string[]) => {
    // In whatever order they came.
    for (const order of [inOrder, inOrder.toReversed()]) {
      const found = ask(interestIn(...order), text).plain.map((item) => item.subject);
      assertEquals(found, inOrder);
    }
  };
  check("foo", ">", "foo", "*");
  check("foo.bar", ">", "*.>", "*.bar", "*.*", "foo.>", "foo.bar", "foo.*");
  check("foo.bar", "foo.bar", "foo.*");
  check("foo.bar", "*.bar", "foo.bar");
  check("a.b.c", ">", "*.b.c", "a.>", "a.*.>", "a.*.c", "a.*.*", "a.b.>", "a.b.c", "a.b.*");
});

Deno.test("a queue group is one group, by however many subjects it matches", () => {
  const interest = new Interest<Interested>();
  const items = [
    subscription("foo.bar", "q"),
    subscription("foo.*", "q"),
    subscription("foo.>", "q"),
    subscription("foo.>", "r"),
    subscription("foo.>"),
  ];
  for (const item of items) interest.insert(item);
  const match = ask(interest, "foo.bar");
  assertEquals(match.plain, [items[4]!]);
  assertEquals(match.groups.length, 2);
  const group = match.groups.find((members) => members instanceof MatchedGroup)!;
  assertEquals(new Set(group.parts.flat()), new Set(items.slice(0, 3)));
  assertEquals(group.count, 3);
  assertEquals(group.name, "q");
  assert(match.groups.includes(items[3]!), "the only member of a group stands for the group");
});

Deno.test("items are told apart by identity", () => {
  const interest = new Interest<Interested>();
  for (const subject of ["foo", "foo.*"]) {
    const first = subscription(subject), twin = subscription(subject);
    interest.insert(first);
    assertEquals(interest.remove(twin), false);
    interest.insert(twin);
    interest.insert(first);
    interest.insert(twin);
    assertEquals(interest.count, 2);
    assert(interest.remove(first));
    assertEquals(interest.remove(first), false);
    assertEquals([...interest.items()], [twin]);
    assertStrictEquals(ask(interest, subject).plain[0], twin);
    assert(interest.remove(twin));
  }
  assertEquals(interest.stats.inserts, 4);
  assertEquals(interest.stats.removes, 4);
});

Deno.test("a change outdates the matches it concerns and no others", () => {
  const interest = interestIn("foo.a", "bar.a");
  const foo = ask(interest, "foo.a"),
    bar = ask(interest, "bar.a"),
    nobody = ask(interest, "nobody");
  const concerns = (change: () => void, ...matches: Match<Interested>[]) => {
    change();
    const outdated = [foo, bar, nobody].filter((match) => !interest.isCurrent(match));
    assertEquals(outdated.map((m) => m.subject), matches.map((m) => m.subject));
    for (const match of outdated) assert(askAgain(match) !== match);
  };
  const askAgain = (match: Match<Interested>) =>
    ask(interest, String.fromCharCode(...match.subject));
  concerns(() => interest.insert(subscription("foo.b")));
  concerns(() => interest.insert(subscription("foo.*.>")));
  concerns(() => interest.insert(subscription("*.b")));
  concerns(() => interest.insert(subscription("nobody")), nobody);
  concerns(() => interest.insert(subscription("bar.*")), bar, nobody);
  concerns(() => interest.insert(subscription("foo.a")), foo, bar, nobody);
});

Deno.test("changes are compared with as long as they are remembered, and outdate everything later", () => {
  for (const others of [0, 1, 62, 63, 64, 65, 1000]) {
    const interest = interestIn("foo.a");
    const concerned = ask(interest, "foo.a");
    interest.insert(subscription("*.a"));
    const unconcerned = ask(interest, "bar.b");
    for (let i = 0; i < others; i++) interest.insert(subscription(`other.${i}.*`));
    assert(!interest.isCurrent(concerned), `after ${others} others`);
    assertEquals(ask(interest, "foo.a").plain.length, 2);
    assertEquals(interest.isCurrent(unconcerned), others <= 64, `after ${others} others`);
    assertEquals(ask(interest, "bar.b").plain.length, 0);
  }
});

Deno.test("an answer is the same object until something changes it", () => {
  const interest = interestIn("foo.*");
  const first = ask(interest, "foo.a"), nobody = ask(interest, "bar");
  assertStrictEquals(ask(interest, "foo.a"), first);
  assertStrictEquals(ask(interest, "bar"), nobody);
  interest.insert(subscription("other.*"));
  assertStrictEquals(ask(interest, "foo.a"), first);
  const { matches, cacheHits, cacheEntries } = interest.stats;
  assertEquals({ matches, cacheHits, cacheEntries }, { matches: 5, cacheHits: 3, cacheEntries: 2 });
});

Deno.test("a delivery may go on while its subscribers leave", () => {
  const interest = new Interest<Interested>();
  const items = Array.from({ length: 100 }, () => subscription("foo"));
  for (const item of items) interest.insert(item);
  const match = ask(interest, "foo");
  const delivered: Interested[] = [];
  for (const item of match.plain) {
    delivered.push(item);
    assert(interest.remove(item));
  }
  assertEquals(delivered, items);
  assert(!interest.isCurrent(match));
  assert(ask(interest, "foo").empty);
});

Deno.test("subjects with the same hash do not get each other's matches", () => {
  const interest = new Interest<Interested>({ cacheEntries: 4 });
  // Of every length at which the packed form has a different shape, with one byte different.
  const subjects: string[] = [];
  for (let length = 1; length <= 17; length++) {
    for (let at = 0; at < length; at++) {
      subjects.push("x".repeat(at) + "y" + "x".repeat(length - at - 1));
    }
  }
  for (const subject of subjects) interest.insert(subscription(subject));
  for (let round = 0; round < 2; round++) {
    for (const subject of subjects) {
      const bytes = Uint8Array.from(subject, (character) => character.charCodeAt(0));
      const match = interest.match(bytes, 0, bytes.length, 42);
      assertEquals(match.plain.map((item) => item.subject), [subject]);
      assertStrictEquals(interest.match(bytes, 0, bytes.length, 42), match);
      assert(match.isFor(bytes, 0, bytes.length));
      assertEquals(match.subject, bytes);
      bytes[bytes.length - 1]! ^= 1;
      assert(!match.isFor(bytes, 0, bytes.length));
    }
  }
  assertEquals(interest.stats.cacheEntries, 4);
});

Deno.test("a match that was pushed out of the cache is not current any more", () => {
  const interest = new Interest<Interested>({ cacheEntries: 4 });
  const item = subscription("s.1");
  interest.insert(item);
  const first = ask(interest, "s.1");
  for (let i = 2; i < 1000; i++) ask(interest, `s.${i}`);
  assert(!interest.isCurrent(first));
  interest.remove(item);
  assert(ask(interest, "s.1").empty);
});

Deno.test("all bytes may occur in subjects", () => {
  const interest = new Interest<Interested>();
  const text = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("")
    .replaceAll(".", "");
  const items = [text, `${text}.*`, `*.${text}`].map((subject) => subscription(subject));
  for (const item of items) interest.insert(item);
  assertEquals(ask(interest, text).plain, [items[0]!]);
  assertEquals(ask(interest, `${text}.${text}`).plain, [items[2]!, items[1]!]);
  for (const item of items) assert(interest.remove(item));
});
