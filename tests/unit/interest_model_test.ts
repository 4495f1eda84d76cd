/**
 * The interest against a naive model: a list of items, filtered by `subjectMatches`.
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Interest, type Match, MatchedGroup, type Members } from "../../src/interest/mod.ts";
import { subjectMatches } from "../../src/protocol/subject.ts";
import { hashSubject } from "../../src/protocol/subject_hash.ts";

interface Item {
  readonly id: number;
  readonly subject: string;
  readonly queue: string | null;
}

interface Answer {
  readonly plain: number[];
  readonly groups: Record<string, number[]>;
}

function ask(interest: Interest<Item>, subject: string): Match<Item> {
  // Not at the beginning of the buffer, and with something behind it, as in a real one.
  const bytes = Uint8Array.from(`PUB ${subject} 5`, (character) => character.charCodeAt(0));
  const end = 4 + subject.length;
  return interest.match(bytes, 4, end, hashSubject(bytes, 4, end));
}

function answerOf(match: Match<Item>): Answer {
  const groups: Record<string, number[]> = {};
  for (const group of match.groups) {
    const name = nameOf(group);
    assert(!(name in groups), `queue group ${name} appears once`);
    const members = group instanceof MatchedGroup ? roundOf(group, group.count >> 1) : [group];
    if (group instanceof MatchedGroup) assertEquals(members.length, group.count);
    assert(members.every((member) => member.queue === name));
    groups[name] = members.map((member) => member.id).sort((a, b) => a - b);
  }
  assertEquals(match.empty, match.plain.length + match.groups.length === 0);
  return { plain: match.plain.map((item) => item.id).sort((a, b) => a - b), groups };
}

/** All members of a group, beginning with the one at `first`. */
function roundOf(group: MatchedGroup<Item>, first: number): Item[] {
  const members: Item[] = [];
  for (let member = group.begin(first); member !== null; member = group.next()) {
    members.push(member);
  }
  return members;
}

function nameOf(group: Members<Item>): string {
  return group instanceof MatchedGroup ? group.name : group.queue!;
}

/** What never changes in a match: its lists, but not who is in a group. */
function listsOf(match: Match<Item>): string {
  return JSON.stringify([match.plain, match.groups.map(nameOf)]);
}

function modelAnswer(items: Iterable<Item>, subject: string): Answer {
  const plain: number[] = [], groups: Record<string, number[]> = {};
  for (const item of items) {
    if (!subjectMatches(item.subject, subject)) continue;
    if (item.queue === null) plain.push(item.id);
    else (groups[item.queue] ??= []).push(item.id);
  }
  plain.sort((a, b) => a - b);
  for (const members of Object.values(groups)) members.sort((a, b) => a - b);
  return { plain, groups };
}

const token = fc.constantFrom("a", "b", "c", "a*", "long-token-of-more-than-13-characters");
const patternToken = fc.oneof({ weight: 3, arbitrary: token }, {
  weight: 2,
  arbitrary: fc.constant("*"),
});
const pattern = fc.tuple(fc.array(patternToken, { maxLength: 4 }), fc.boolean())
  .map(([tokens, isOpen]) =>
    [...tokens, ...(isOpen || tokens.length === 0 ? [">"] : [])].join(".")
  );
const literalPattern = fc.array(token, { minLength: 1, maxLength: 3 }).map((t) => t.join("."));
const subject = fc.oneof(
  { weight: 8, arbitrary: fc.array(token, { minLength: 1, maxLength: 5 }).map((t) => t.join(".")) },
  { weight: 1, arbitrary: pattern },
  { weight: 1, arbitrary: fc.constantFrom("", ".", "a..b", ".a", "a.", "a.b.") },
);
const queue = fc.option(fc.constantFrom("q1", "q2"), { nil: null });

type Step =
  | { kind: "insert"; subject: string; queue: string | null }
  | { kind: "remove"; index: number }
  | { kind: "match"; subject: string }
  | { kind: "churn"; pattern: string; times: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("insert" as const),
      subject: fc.oneof(pattern, literalPattern),
      queue,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("remove" as const), index: fc.nat(1000) }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("match" as const), subject }) },
  {
    // More changes than are remembered, or just as many, between two lookups.
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("churn" as const),
      pattern,
      times: fc.constantFrom(1, 31, 32, 33, 200),
    }),
  },
);

function play(interest: Interest<Item>, steps: readonly Step[]): void {
  const items: Item[] = [];
  const held = new Map<string, { match: Match<Item>; copy: string }>();
  let nextId = 0;
  for (const action of steps) {
    switch (action.kind) {
      case "insert": {
        const item = { id: nextId++, subject: action.subject, queue: action.queue };
        interest.insert(item);
        items.push(item);
        break;
      }
      case "remove": {
        if (items.length === 0) break;
        const [item] = items.splice(action.index % items.length, 1);
        assert(interest.remove(item!));
        assert(!interest.remove(item!));
        break;
      }
      case "churn":
        for (let i = 0; i < action.times; i++) {
          const item = { id: -1, subject: action.pattern, queue: null };
          interest.insert(item);
          assert(interest.remove(item));
        }
        break;
      case "match": {
        const match = ask(interest, action.subject);
        const expected = modelAnswer(items, action.subject);
        assertEquals(answerOf(match), expected);
        assert(interest.isCurrent(match));
        assertEquals(answerOf(interest.matchString(action.subject)), expected);
        assertEquals(interest.hasInterest(action.subject), !match.empty);
        assertEquals(String.fromCharCode(...match.subject), action.subject);
        held.set(action.subject, { match, copy: listsOf(match) });
        break;
      }
    }
    assertEquals(interest.count, items.length);
    for (const [text, { match, copy }] of held) {
      assertEquals(listsOf(match), copy, "a match never changes");
      if (interest.isCurrent(match)) assertEquals(answerOf(match), modelAnswer(items, text));
    }
  }
  assertEquals([...interest.items()].map((i) => i.id).sort(), items.map((i) => i.id).sort());
  for (const item of items) assert(interest.remove(item));
  assertEquals(interest.count, 0);
  assertEquals([...interest.items()], []);
  for (const text of held.keys()) assert(ask(interest, text).empty);
}

Deno.test("any history gives the model's answers, whatever the cache's size", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 4, 8192),
      fc.integer(),
      fc.array(step, { maxLength: 120, size: "max" }),
      (cacheEntries, hashSeed, steps) => play(new Interest({ cacheEntries, hashSeed }), steps),
    ),
    { numRuns: 400 },
  );
});

Deno.test("many items with few distinct subjects give the model's answers", () => {
  const narrow = fc.oneof(
    fc.record({
      kind: fc.constant("insert" as const),
      subject: fc.constantFrom("a", "a.*", "*"),
      queue: fc.constantFrom(null, "q1", "q1", "q2", "q3"),
    }),
    fc.record({ kind: fc.constant("match" as const), subject: fc.constantFrom("a", "a.b") }),
    fc.record({ kind: fc.constant("remove" as const), index: fc.nat(1000) }),
  );
  fc.assert(
    fc.property(
      fc.array(narrow, { minLength: 150, maxLength: 250 }),
      (steps) => {
        // Begin with enough of them that there are crowds, and groups that change in place; end with
        // enough removals that they become few again.
        const many = steps.filter((s) => s.kind === "insert");
        const removals = steps.map((_, index) => ({ kind: "remove" as const, index }));
        play(new Interest(), [...many, ...many, ...steps, ...removals, ...removals, ...steps]);
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("a round of a queue group asks everybody once, whoever leaves when asked", () => {
  const scenario = fc.record({
    // How many subscribe to each of three subjects that one message matches.
    sizes: fc.tuple(
      fc.oneof(fc.nat(80), fc.integer({ min: 250, max: 270 })),
      fc.nat(80),
      fc.nat(3),
    ),
    first: fc.nat(1000),
    leaving: fc.array(fc.boolean(), { minLength: 1, maxLength: 200 }),
  });
  fc.assert(
    fc.property(scenario, ({ sizes, first, leaving }) => {
      const interest = new Interest<Item>();
      const all: Item[] = [];
      ["a.b", "a.*", "*.b"].forEach((subject, index) => {
        for (let i = 0; i < sizes[index]!; i++) all.push({ id: all.length, subject, queue: "q" });
      });
      for (const item of all) interest.insert(item);
      if (all.length === 0) return;
      const [group] = ask(interest, "a.b").groups;
      if (!(group instanceof MatchedGroup)) {
        assertEquals([group], all);
        return;
      }
      assertEquals(group.count, all.length);
      const asked = new Set<Item>(), gone = new Set<Item>();
      let turns = 0;
      for (
        let member = group.begin(first % all.length);
        member !== null;
        member = group.next()
      ) {
        assert(!gone.has(member), "who has left is not asked again");
        asked.add(member);
        if (leaving[turns++ % leaving.length]) {
          assert(interest.remove(member));
          gone.add(member);
        }
      }
      assertEquals(asked.size, all.length);
      if (gone.size === 0) assertEquals(turns, all.length);
      const left = all.filter((item) => !gone.has(item));
      assertEquals(answerOf(ask(interest, "a.b")), modelAnswer(left, "a.b"));
      while (left.length > 0) {
        assert(interest.remove(left.splice((first + left.length * 7) % left.length, 1)[0]!));
        if (left.length % 50 !== 0) continue;
        assertEquals(answerOf(ask(interest, "a.b")), modelAnswer(left, "a.b"));
      }
    }),
    { numRuns: 200 },
  );
});
