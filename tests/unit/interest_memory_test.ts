/**
 * What a subscription costs beyond its own object, and that nothing of it stays behind.
 */
import { assert, assertEquals } from "@std/assert";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Interest, type Interested } from "../../src/interest/mod.ts";

const COUNT = 50_000;
/** A million subscriptions must stay far below 300 MB. */
const BYTES_EACH = 200;
/** What noise there may be in the heap's size, for each of {@link COUNT}. */
const NOISE_BYTES_EACH = 5;

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function heapBytes(): number {
  collectGarbage();
  return Deno.memoryUsage().heapUsed;
}

function insertAll(interest: Interest<Interested>, items: readonly Interested[]): void {
  for (const item of items) interest.insert(item);
}

function removeAll(interest: Interest<Interested>, items: readonly Interested[]): void {
  for (const item of items) assert(interest.remove(item));
}

const shapes: Record<string, (index: number) => Interested> = {
  "different literals": (index) => ({ subject: `a.b.${index}`, queue: null }),
  "literals with queue groups": (index) => ({ subject: `a.b.${index}`, queue: "q" }),
  "wildcards behind different tokens": (index) => ({ subject: `a.${index}.b.*`, queue: null }),
  "wildcards that part late": (index) => ({
    subject: `a.${index >> 1}.${index & 1}.*`,
    queue: null,
  }),
  "one literal": () => ({ subject: "foo", queue: null }),
  "one wildcard": () => ({ subject: "foo.*", queue: null }),
};

for (const [name, itemOf] of Object.entries(shapes)) {
  Deno.test(`${name} cost little and leave nothing behind`, () => {
    const items = Array.from({ length: COUNT }, (_, index) => itemOf(index));
    // Once with another interest, so that compiled code is not counted.
    const warm = new Interest<Interested>();
    insertAll(warm, items);
    removeAll(warm, items);
    const interest = new Interest<Interested>({ hashSeed: 7 });
    const before = heapBytes();
    insertAll(interest, items);
    const full = heapBytes();
    removeAll(interest, items);
    const after = heapBytes();
    assertEquals(interest.count, 0);
    assert((full - before) / COUNT < BYTES_EACH, `${(full - before) / COUNT} bytes each`);
    assert((after - before) / COUNT < NOISE_BYTES_EACH, `${after - before} bytes left behind`);
  });
}
