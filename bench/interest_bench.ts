/**
 * The interest by itself: `deno bench bench/interest_bench.ts`.
 *
 * @module
 */
import { Interest, type Interested } from "../src/interest/mod.ts";
import { hashSubject } from "../src/protocol/mod.ts";

const MILLION = 1_000_000;

/** Subjects one after the other in one buffer, as a chunk of messages has them. */
class Subjects {
  readonly bytes: Uint8Array;
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly hashes: number[] = [];
  #next = 0;

  constructor(subjects: readonly string[]) {
    this.bytes = new TextEncoder().encode(subjects.join(" "));
    let start = 0;
    for (const subject of subjects) {
      const end = start + subject.length;
      this.starts.push(start);
      this.ends.push(end);
      this.hashes.push(hashSubject(this.bytes, start, end));
      start = end + 1;
    }
  }

  /** Asks for the next subject, beginning again after the last. */
  askIn(interest: Interest<Interested>): number {
    const i = this.#next;
    this.#next = i + 1 === this.starts.length ? 0 : i + 1;
    return interest.match(this.bytes, this.starts[i]!, this.ends[i]!, this.hashes[i]!).plain.length;
  }
}

function filled(subjectOf: (index: number) => string, count = MILLION): Interest<Interested> {
  const interest = new Interest<Interested>({ hashSeed: 1 });
  for (let i = 0; i < count; i++) interest.insert({ subject: subjectOf(i), queue: null });
  return interest;
}

function numbered(count: number, subjectOf: (index: number) => string): string[] {
  return Array.from({ length: count }, (_, index) => subjectOf(index));
}

const few = filled((index) => `foo.bar.${100 + index}`, 1000);
const literals = filled((index) => `a.b.${index}`);
const wildcards = filled((index) => `a.${index}.b.*`);

const single = new Subjects(["foo.bar.100"]);
Deno.bench("match: one subject, cached", { group: "cached", baseline: true }, () => {
  single.askIn(few);
});

const rotating = new Subjects(numbered(1000, (index) => `foo.bar.${100 + index}`));
Deno.bench("match: 1,000 subjects in turn, cached", { group: "cached" }, () => {
  rotating.askIn(few);
});

const held = few.match(single.bytes, 0, 11, hashSubject(single.bytes, 0, 11));
Deno.bench("isCurrent and isFor of a held match", { group: "cached" }, () => {
  if (!few.isCurrent(held) || !held.isFor(single.bytes, 0, 11)) throw new Error("not current");
});

const scattered = numbered(100_000, (index) => `a.b.${index * 7919 % MILLION}`);
const strewn = new Subjects(scattered);
Deno.bench("match: not cached, one of 1,000,000 literals", { group: "uncached" }, () => {
  strewn.askIn(literals);
});

const covered = new Subjects(numbered(100_000, (index) => `a.${index * 7919 % MILLION}.b.c`));
Deno.bench("match: not cached, one of 1,000,000 wildcards", { group: "uncached" }, () => {
  covered.askIn(wildcards);
});

const unwanted = new Subjects(numbered(100_000, (index) => `a.c.${index}`));
Deno.bench("match: not cached, nobody among 1,000,000", { group: "uncached" }, () => {
  unwanted.askIn(literals);
});

const literal: Interested = { subject: "a.b.x", queue: null };
Deno.bench("insert and remove a literal among 1,000,000", { group: "change" }, () => {
  literals.insert(literal);
  literals.remove(literal);
});

const wildcard: Interested = { subject: "a.x.b.*", queue: null };
Deno.bench("insert and remove a wildcard among 1,000,000", { group: "change" }, () => {
  wildcards.insert(wildcard);
  wildcards.remove(wildcard);
});

const elsewhere: Interested = { subject: "elsewhere.*", queue: null };
Deno.bench("insert and remove a wildcard, match a cached subject", { group: "change" }, () => {
  few.insert(elsewhere);
  few.remove(elsewhere);
  single.askIn(few);
});

const crowded = filled(() => "work", 0);
const workers = Array.from({ length: 50_000 }, () => ({ subject: "work", queue: "workers" }));
for (const worker of workers) crowded.insert(worker);
const work = new Subjects(["work"]);
let leaving = 0;
Deno.bench("a member of 50,000 leaves its group and comes back, match", { group: "change" }, () => {
  const worker = workers[leaving++ % workers.length]!;
  crowded.remove(worker);
  work.askIn(crowded);
  crowded.insert(worker);
  work.askIn(crowded);
});
