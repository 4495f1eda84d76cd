/**
 * A program that fills an interest with a million subscriptions, asks it and empties it, and prints
 * what that took, an {@link InterestAtScale}. A process of its own, since it is about memory.
 * Needs `--v8-flags=--expose-gc`.
 *
 * @module
 */
import { Interest, type Interested } from "../../src/interest/mod.ts";
import { hashSubject } from "../../src/protocol/mod.ts";

/** How many subscriptions there are in the end. */
export const SUBSCRIPTIONS = 1_000_000;
/** How many operations are timed together. */
export const PORTION = 100_000;

/** What a million subscriptions took. Times are of {@link PORTION} operations, in milliseconds. */
export interface InterestAtScale {
  /** Inserting them, in the order it was done. */
  readonly insertMs: readonly number[];
  /** Finding who gets a message, in an interest of one portion and in the full one. */
  readonly matchMs: readonly number[];
  /** Removing them, in the order it was done. */
  readonly removeMs: readonly number[];
  /** Subscribers found for the messages above: one each. */
  readonly found: readonly number[];
  /** Bytes that the process has grown by since its start, the subscriptions themselves included. */
  readonly grownBytes: number;
  /** How many subscriptions are there at the end. */
  readonly left: number;
}

/** One subscription; half of them have a wildcard, and some are in a queue group. */
function subscription(index: number): Interested {
  const subject = index % 2 === 0 ? `orders.${index}.new` : `orders.${index}.*`;
  return { subject, queue: index % 10 === 0 ? "workers" : null };
}

function timed(run: () => void): number {
  const startedAtMs = performance.now();
  run();
  return performance.now() - startedAtMs;
}

/**
 * Asks who gets {@link PORTION} messages, on subjects of subscriptions all over the first `count`. No
 * match is known from an earlier one. Returns how many subscribers there were.
 */
function matchPortion(interest: Interest<Interested>, count: number): number {
  const encoder = new TextEncoder();
  const step = count / PORTION;
  let found = 0;
  for (let i = 0; i < PORTION; i++) {
    const bytes = encoder.encode(`orders.${Math.floor(i * 7919 % PORTION * step)}.new`);
    const match = interest.match(bytes, 0, bytes.length, hashSubject(bytes, 0, bytes.length));
    found += match.plain.length + match.groups.length;
  }
  return found;
}

function measure(count: number, residentBefore: number): InterestAtScale {
  const interest = new Interest<Interested>({ hashSeed: 1 });
  const items: Interested[] = [];
  const insertMs: number[] = [], matchMs: number[] = [], removeMs: number[] = [];
  const found: number[] = [];
  for (let from = 0; from < count; from += PORTION) {
    for (let i = from; i < from + PORTION; i++) items.push(subscription(i));
    insertMs.push(timed(() => {
      for (let i = from; i < from + PORTION; i++) interest.insert(items[i]!);
    }));
    const filled = from + PORTION;
    if (filled !== PORTION && filled !== count) continue;
    matchMs.push(timed(() => found.push(matchPortion(interest, filled))));
  }
  const grownBytes = Deno.memoryUsage().rss - residentBefore;
  for (let from = 0; from < count; from += PORTION) {
    removeMs.push(timed(() => {
      for (let i = from; i < from + PORTION; i++) interest.remove(items[i]!);
    }));
  }
  return { insertMs, matchMs, removeMs, found, grownBytes, left: interest.count };
}

if (import.meta.main) {
  const residentBefore = Deno.memoryUsage().rss;
  // Once on a small scale, so that what follows is compiled code.
  measure(PORTION, residentBefore);
  (globalThis as unknown as { gc: () => void }).gc();
  const result = JSON.stringify(measure(SUBSCRIPTIONS, residentBefore));
  Deno.stdout.writeSync(new TextEncoder().encode(`${result}\n`));
}
