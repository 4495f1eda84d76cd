/**
 * The hash table of subjects: against a `Map`, while it is divided and joined.
 */
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SubjectTable } from "../../src/interest/subject_table.ts";
import { TokenScan } from "../../src/interest/token_scan.ts";

interface Entry {
  readonly subject: string;
}

/** A table and what should be in it. */
class Checked {
  readonly table = new SubjectTable<Entry>(true);
  readonly model = new Map<string, Entry>();
  readonly #scan: TokenScan;
  readonly #hashOf: (hash: number) => number;

  constructor(seed = 1, hashOf: (hash: number) => number = (hash) => hash) {
    this.#scan = new TokenScan(seed);
    this.#hashOf = hashOf;
  }

  hash(subject: string): number {
    this.#scan.scanText(subject);
    return this.#hashOf(this.#scan.subjectHash);
  }

  add(subject: string): void {
    const entry = { subject };
    this.table.add(this.hash(subject), entry);
    this.model.set(subject, entry);
  }

  replace(subject: string): void {
    const entry = { subject };
    this.table.replace(this.hash(subject), this.model.get(subject)!, entry);
    this.model.set(subject, entry);
  }

  delete(subject: string): void {
    this.table.delete(this.hash(subject), this.model.get(subject)!);
    this.model.delete(subject);
  }

  find(subject: string): Entry | null {
    const hash = this.hash(subject);
    return this.table.find(hash, this.#scan.bytes, this.#scan.start, this.#scan.end, 0);
  }

  check(): void {
    assertEquals(this.table.count, this.model.size);
    for (const [subject, entry] of this.model) assertStrictEquals(this.find(subject), entry);
    const all = new Set(this.table);
    assertEquals(all.size, this.model.size);
    for (const entry of this.model.values()) assert(all.has(entry));
    assertEquals([...this.table].length, all.size, "each once");
  }
}

Deno.test("a table grows to many parts and shrinks to none again", () => {
  const checked = new Checked();
  for (let i = 0; i < 50_000; i++) {
    checked.add(`s.${i}`);
    // Around the first divisions.
    if (i > 5100 && i < 5130 || i > 10_000 && i < 10_800 && i % 20 === 0) checked.check();
  }
  checked.check();
  for (let i = 0; i < 50_000; i += 2) checked.replace(`s.${i}`);
  checked.check();
  for (let i = 0; i < 49_000; i++) checked.delete(`s.${i}`);
  checked.check();
  for (let i = 49_000; i < 50_000; i++) {
    checked.delete(`s.${i}`);
    assertEquals(checked.find(`s.${i}`), null);
    if (i > 49_480 && i < 49_500) checked.check();
  }
  assertEquals([...checked.table], []);
  for (let i = 0; i < 10_000; i++) checked.add(`again.${i}`);
  checked.check();
});

Deno.test("any history of a large table is that of a map", () => {
  const step = fc.record({
    kind: fc.constantFrom("add", "delete", "replace"),
    from: fc.nat(20_000),
    count: fc.constantFrom(1, 100, 6000, 20_000),
  });
  fc.assert(
    fc.property(fc.integer(), fc.array(step, { maxLength: 8 }), (seed, steps) => {
      const checked = new Checked(seed);
      for (const { kind, from, count } of steps) {
        for (let i = from; i < from + count; i++) {
          const subject = `s.${i}`, isThere = checked.model.has(subject);
          if (kind === "add" && !isThere) checked.add(subject);
          else if (kind === "delete" && isThere) checked.delete(subject);
          else if (kind === "replace" && isThere) checked.replace(subject);
        }
        checked.check();
      }
    }),
    { numRuns: 15 },
  );
});

Deno.test("hashes that begin alike make a table slower, not wrong", () => {
  for (const hashOf of [(hash: number) => hash & 0xfff, (hash: number) => hash | 0x3fff0000]) {
    const checked = new Checked(3, hashOf);
    for (let i = 0; i < 12_000; i++) checked.add(`s.${i}`);
    checked.check();
    for (let i = 0; i < 12_000; i++) checked.delete(`s.${i}`);
    checked.check();
  }
});

Deno.test("what is not there cannot be removed or replaced", () => {
  for (const count of [0, 1, 100, 10_000]) {
    const checked = new Checked();
    for (let i = 0; i < count; i++) checked.add(`s.${i}`);
    const missing = { subject: "missing" };
    const hash = checked.hash("missing");
    assertThrows(() => checked.table.delete(hash, missing), Error, "missing");
    assertThrows(() => checked.table.replace(hash, missing, missing), Error, "missing");
    checked.check();
  }
});

Deno.test("no single operation rehashes more than a small part of a large table", () => {
  // Whatever is rehashed is moved to a new array, so the longest one tells how much that was: here,
  // what is a tenth of a second for two million entries would be an array of a million.
  const original = globalThis.Array;
  let longest = 0;
  const checked = new Checked();
  globalThis.Array = new Proxy(original, {
    construct(target, args, self) {
      if (typeof args[0] === "number") longest = Math.max(longest, args[0]);
      return Reflect.construct(target, args, self);
    },
  });
  try {
    for (let i = 0; i < 200_000; i++) checked.add(`s.${i}`);
    for (let i = 0; i < 200_000; i++) checked.delete(`s.${i}`);
  } finally {
    globalThis.Array = original;
  }
  assert(longest > 0, "it is noticed when an array is made");
  assert(longest <= 2 ** 15, `${longest}`);
});
