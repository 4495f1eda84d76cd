import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import fc from "fast-check";
import { HUGE_SLAB_BYTES, LARGE_SLAB_BYTES, SMALL_SLAB_BYTES } from "../../src/connection/mod.ts";
import { SeededRandom, VirtualClock } from "../../src/platform/mod.ts";
import { ScriptedConnection } from "../support/scripted_connection.ts";
import { WatchedOutbox } from "../support/watched_outbox.ts";
import { fromBytes } from "../support/wire_text.ts";

/** Lets everything happen that promises can make happen. */
const settle = () => new VirtualClock().settle();

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => settled = true);
  await settle();
  return settled;
}

/** One thing done to an outbox. */
type Step =
  | { readonly kind: "text" | "bytes" | "reserved"; readonly length: number }
  | { readonly kind: "flush" }
  | { readonly kind: "allow"; readonly bytes: number };

const length = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 2, arbitrary: fc.integer({ min: SMALL_SLAB_BYTES - 9, max: SMALL_SLAB_BYTES + 9 }) },
  { weight: 1, arbitrary: fc.integer({ min: LARGE_SLAB_BYTES - 9, max: LARGE_SLAB_BYTES + 9 }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom("text" as const, "bytes" as const), length }),
  fc.record({
    kind: fc.constant("reserved" as const),
    length: length.map((wanted) => Math.min(wanted, LARGE_SLAB_BYTES)),
  }),
  fc.constant({ kind: "flush" as const }),
  fc.record({ kind: fc.constant("allow" as const), bytes: fc.integer({ min: 1, max: 100_000 }) }),
);

Deno.test("whatever is added in whatever way leaves in order, once, however little each write takes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 40 }),
      fc.integer(),
      fc.constantFrom(7, 1000, 65_536, 1_000_000),
      async (steps, seed, mostPerWrite) => {
        const random = new SeededRandom(seed);
        const connection = new ScriptedConnection(0, () => 1 + random.below(mostPerWrite));
        const { outbox, failures, pool } = new WatchedOutbox(connection, { maxPending: Infinity });
        const expected: number[] = [];
        for (const step of steps) {
          switch (step.kind) {
            case "flush":
              outbox.flush();
              continue;
            case "allow":
              connection.allow(step.bytes);
              await settle();
              assertEquals(outbox.pending, expected.length - connection.taken.length);
              continue;
          }
          const added = random.bytes(step.length);
          for (const byte of added) expected.push(byte);
          if (step.kind === "text") outbox.appendText(fromBytes(added));
          else if (step.kind === "bytes") {
            const around = new Uint8Array([1, 2, 3, ...added, 4, 5]);
            outbox.appendBytes(around, 3, 3 + added.length);
          } else {
            outbox.reserve(added.length);
            outbox.slab.bytes.set(added, outbox.end);
            // Composing a frame may overwrite a few bytes behind it.
            outbox.slab.bytes.fill(0xee, outbox.end + added.length, outbox.end + added.length + 8);
            outbox.commit(added.length);
          }
        }
        connection.allow(Infinity);
        await outbox.finish();
        assertEquals(outbox.pending, 0);
        assertEquals(outbox.written, expected.length);
        assert(Uint8Array.from(connection.taken).every((byte, i) => byte === expected[i]));
        assertEquals(connection.taken.length, expected.length);
        assertEquals(failures, []);
        await settle();
        assertEquals(pool.taken.size, 0, "an empty outbox holds no buffer");
      },
    ),
    { numRuns: 150, seed: 20_261_122 },
  );
});

Deno.test("an outbox that fails at any moment gives each of its buffers back once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 0, max: 29 }),
      fc.constantFrom("discard", "fail", "break", "pending"),
      async (steps, failAt, how) => {
        const connection = new ScriptedConnection();
        const { outbox, failures, pool } = new WatchedOutbox(connection, {
          maxPending: how === "pending" ? 5000 : Infinity,
        });
        for (const [index, step] of steps.entries()) {
          if (index === failAt) {
            if (how === "discard") outbox.discard();
            else if (how === "fail") outbox.fail("write deadline");
            else if (how === "break") connection.break();
          }
          if (step.kind === "flush") outbox.flush();
          else if (step.kind === "allow") connection.allow(step.bytes);
          else if (step.kind === "reserved") {
            outbox.reserve(step.length);
            outbox.commit(step.length);
          } else outbox.appendText("x".repeat(step.length));
          if (index % 3 === 0) await settle();
        }
        outbox.discard();
        connection.break();
        await settle();
        assert(pool.taken.size <= 1, "at most the one whose write failed is left to be collected");
        assert(failures.length <= 1);
      },
    ),
    { numRuns: 300, seed: 20_261_122 },
  );
});

Deno.test("hundreds of buffers may wait, each filled to another length", async () => {
  const connection = new ScriptedConnection();
  const { outbox, pool } = new WatchedOutbox(connection, { maxPending: Infinity });
  const expected: number[] = [];
  outbox.appendText("x");
  expected.push(120);
  outbox.flush();
  for (let i = 0; i < 600; i++) {
    // So much room is never left behind something else.
    outbox.reserve(HUGE_SLAB_BYTES);
    const length = 1 + i % 97;
    outbox.slab.bytes.fill(i & 0xff, outbox.end, outbox.end + length);
    outbox.commit(length);
    for (let count = 0; count < length; count++) expected.push(i & 0xff);
    if (i % 50 === 0) connection.allow(700);
    if (i % 50 === 0) await settle();
  }
  assertGreater(pool.taken.size, 400);
  connection.allow(Infinity);
  await outbox.finish();
  assertEquals(connection.taken, expected);
});

Deno.test("nothing leaves before a flush, and what is added while writing leaves without another", async () => {
  const connection = new ScriptedConnection(3);
  const watched = new WatchedOutbox(connection), { outbox } = watched;
  outbox.appendText("abcdef");
  await settle();
  assertEquals(connection.taken.length, 0);
  outbox.flush();
  await settle();
  assertEquals(fromBytes(Uint8Array.from(connection.taken)), "abc");
  outbox.appendText("ghi");
  outbox.flush();
  outbox.flush();
  assertEquals(watched.writers, 1, "one writer at a time");
  connection.allow(100);
  await settle();
  assertEquals(fromBytes(Uint8Array.from(connection.taken)), "abcdefghi");
  outbox.flush();
  assertEquals(watched.writers, 1, "nothing to write, no writer");
});

Deno.test("an empty outbox holds no buffer", async () => {
  const connection = new ScriptedConnection(Infinity);
  const { outbox } = new WatchedOutbox(connection);
  assertEquals(outbox.slab.capacity, 0);
  outbox.appendText("abc");
  assertGreater(outbox.slab.capacity, 0);
  outbox.flush();
  await settle();
  assertEquals(outbox.slab.capacity, 0);
});

Deno.test("congestion begins above high water and ends at low water", async () => {
  const connection = new ScriptedConnection();
  const { outbox } = new WatchedOutbox(connection, { highWater: 1000, lowWater: 400 });
  outbox.appendText("x".repeat(1000));
  outbox.flush();
  assertEquals(outbox.congested, false);
  assert(await isSettled(outbox.relief(true)), "nothing to wait for");
  outbox.appendText("x");
  assertEquals(outbox.congested, true);
  const relief = outbox.relief(true);
  connection.allow(600);
  assert(!await isSettled(relief));
  connection.allow(1);
  assert(await isSettled(relief));
});

Deno.test("a failed write tells the owner once, drops everything and lets everybody go", async () => {
  const connection = new ScriptedConnection();
  const watched = new WatchedOutbox(connection), { outbox } = watched;
  outbox.appendText("x".repeat(5000));
  outbox.flush();
  const relief = outbox.relief(true), finished = outbox.finish();
  connection.break();
  assert(await isSettled(relief));
  assert(await isSettled(finished));
  assertEquals(watched.failures, ["write error"]);
  assertEquals({ open: outbox.open, pending: outbox.pending, congested: outbox.congested }, {
    open: false,
    pending: 0,
    congested: false,
  });
  assertEquals(watched.watch.size, 0);
});

Deno.test("more than max_pending fails the outbox at its flush", () => {
  const watched = new WatchedOutbox(new ScriptedConnection(), { maxPending: 100 });
  watched.outbox.appendText("x".repeat(100));
  watched.outbox.flush();
  assertEquals(watched.failures, []);
  const other = new WatchedOutbox(new ScriptedConnection(), { maxPending: 100 });
  other.outbox.appendText("x".repeat(101));
  other.outbox.flush();
  assertEquals(other.failures, ["pending bytes"]);
  assertEquals(other.writers, 0, "nothing of it is written");
});

Deno.test("max_pending holds while a write is stuck too, give or take a slab", async () => {
  const watched = new WatchedOutbox(new ScriptedConnection(), { maxPending: 1_000_000 });
  watched.outbox.appendText("x");
  watched.outbox.flush();
  let added = 0;
  while (watched.failures.length === 0) {
    watched.outbox.appendText("x".repeat(1000));
    watched.outbox.flush();
    added += 1000;
    assertLess(added, 1_000_000 + 2 * LARGE_SLAB_BYTES);
  }
  assertGreater(added, 1_000_000 - 1000);
  assertEquals(watched.failures, ["pending bytes"]);
  assertLess(watched.outbox.pending, LARGE_SLAB_BYTES, "and holds on to nothing that came before");
  await settle();
});

Deno.test("finish sends what was added before and nothing that is added behind it", async () => {
  const connection = new ScriptedConnection();
  const { outbox } = new WatchedOutbox(connection);
  outbox.appendText("last words");
  const finished = outbox.finish();
  assertEquals(outbox.open, false);
  assert(!await isSettled(finished));
  connection.allow(100);
  assert(await isSettled(finished));
  assertEquals(fromBytes(Uint8Array.from(connection.taken)), "last words");
  assert(await isSettled(outbox.finish()));
});

Deno.test("finish of an empty outbox resolves at once", async () => {
  assert(await isSettled(new WatchedOutbox(new ScriptedConnection()).outbox.finish()));
});

Deno.test("finish of an outbox that failed resolves at once", async () => {
  const watched = new WatchedOutbox(new ScriptedConnection(), { maxPending: 100 });
  watched.outbox.appendText("x");
  watched.outbox.flush();
  watched.outbox.fail("write deadline");
  assert(await isSettled(watched.outbox.finish()), "although its write is stuck");
  assertEquals(watched.failures, ["write deadline"]);
});

Deno.test("discarding lets go of whoever waits for the end", async () => {
  const { outbox } = new WatchedOutbox(new ScriptedConnection());
  outbox.appendText("never");
  const finished = outbox.finish();
  assert(!await isSettled(finished));
  outbox.discard();
  assert(await isSettled(finished), "although its write is stuck");
});

Deno.test("what is added to an outbox that failed costs no memory", () => {
  const watched = new WatchedOutbox(new ScriptedConnection());
  watched.outbox.discard();
  for (let i = 0; i < 100; i++) {
    watched.outbox.appendText("x".repeat(LARGE_SLAB_BYTES));
    watched.outbox.appendBytes(new Uint8Array(10_000), 0, 10_000);
  }
  assertEquals(watched.pool.taken.size, 0);
});

Deno.test("a discarded outbox drops what it has, says nothing, and survives what is still added", async () => {
  const connection = new ScriptedConnection(2);
  const watched = new WatchedOutbox(connection), { outbox } = watched;
  outbox.appendText("abcdef");
  outbox.flush();
  await settle();
  outbox.discard();
  assertEquals(outbox.open, false);
  outbox.appendText("more");
  outbox.flush();
  connection.allow(100);
  await settle();
  assertEquals(connection.taken.slice(0, 2).length, 2);
  assertLess(connection.taken.length, 7, "at most the write that was under way");
  assertEquals(watched.failures, []);
  assertEquals(watched.writers, 1);
});

Deno.test("the buffer of a single frame is in proportion to it", () => {
  for (const length of [1, 2048, 2049, 3000, 8192, 8193, 40_000, 65_536, 65_600, 200_000]) {
    const { outbox } = new WatchedOutbox(new ScriptedConnection());
    outbox.appendBytes(new Uint8Array(length), 0, length);
    // There may be thousands of outboxes that get just this one.
    assert(
      outbox.slab.capacity <= Math.max(2048, 4 * length),
      `${outbox.slab.capacity} for ${length}`,
    );
    outbox.discard();
  }
});
