import { assert, assertEquals, assertGreaterOrEqual, assertRejects } from "@std/assert";
import fc from "fast-check";
import { SystemClock, VirtualClock } from "../../src/platform/mod.ts";

Deno.test("virtual timers fire in due order, equal ones in the order they were set", async () => {
  const clock = new VirtualClock({ startMs: 1_000 });
  const fired: string[] = [];
  const set = (delayMs: number, name: string) =>
    clock.setTimer(delayMs, () => fired.push(`${name}@${clock.monotonic()}`));
  set(30, "c");
  set(10, "a");
  set(10, "b");
  set(0, "now");
  set(20, "cancelled").cancel();
  assertEquals(clock.pendingTimers, 4);
  await clock.advance(29);
  assertEquals(fired, ["now@0", "a@10", "b@10"]);
  assertEquals([clock.monotonic(), clock.now()], [29, 1_029]);
  await clock.advance(1);
  assertEquals(fired.at(-1), "c@30");
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("promise chains come to rest between two timers", async () => {
  const clock = new VirtualClock();
  const story: string[] = [];
  const task = async (name: string, delayMs: number) => {
    await clock.sleep(delayMs);
    for (let step = 0; step < 50; step++) await null;
    story.push(`${name} rested at ${clock.monotonic()}`);
    await clock.sleep(5);
    story.push(`${name} ended at ${clock.monotonic()}`);
  };
  const tasks = [task("x", 10), task("y", 12)];
  await clock.advance(100);
  await Promise.all(tasks);
  assertEquals(story, [
    "x rested at 10",
    "y rested at 12",
    "x ended at 15",
    "y ended at 17",
  ]);
});

Deno.test("an aborted sleep rejects with the reason and leaves no timer", async () => {
  for (const clock of [new VirtualClock(), new SystemClock()]) {
    const reason = new Error("enough");
    const controller = new AbortController();
    const sleeping = clock.sleep(60_000, controller.signal);
    controller.abort(reason);
    assertEquals(await assertRejects(() => sleeping), reason);
    assertEquals(await assertRejects(() => clock.sleep(1, controller.signal)), reason);
    if (clock instanceof VirtualClock) assertEquals(clock.pendingTimers, 0);
  }
});

Deno.test("runUntilIdle ends with the last timer and refuses to follow a ticker for ever", async () => {
  const clock = new VirtualClock();
  let left = 3;
  const chain = () => {
    if (--left > 0) clock.setTimer(100, chain);
  };
  clock.setTimer(100, chain);
  assertEquals(await clock.runUntilIdle(), 300);
  assertEquals(left, 0);
  const forEver = () => void clock.setTimer(1_000, forEver);
  forEver();
  await assertRejects(() => clock.runUntilIdle(10_000), Error, "still pending");
});

Deno.test("a virtual clock is moved by one hand at a time", async () => {
  const clock = new VirtualClock();
  const moving = clock.advance(10);
  await assertRejects(() => clock.advance(10), Error, "already being moved");
  await moving;
  assertEquals(clock.monotonic(), 10);
});

Deno.test("any mix of setting and cancelling fires exactly the live timers, in order", async () => {
  const step = fc.record({ delayMs: fc.integer({ min: 0, max: 500 }), cancel: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 300 }), async (steps) => {
      const clock = new VirtualClock();
      const fired: number[] = [];
      const timers = steps.map(({ delayMs }, index) =>
        clock.setTimer(delayMs, () => fired.push(index))
      );
      timers.forEach((timer, index) => steps[index]!.cancel && timer.cancel());
      const expected = steps
        .map(({ delayMs, cancel }, index) => ({ delayMs, cancel, index }))
        .filter(({ cancel }) => !cancel)
        .sort((a, b) => a.delayMs - b.delayMs || a.index - b.index)
        .map(({ index }) => index);
      assertEquals(clock.pendingTimers, expected.length);
      await clock.advance(500);
      assertEquals(fired, expected);
    }),
    { numRuns: 50 },
  );
});

Deno.test("the system clock's timer fires, and a cancelled one does not", async () => {
  const clock = new SystemClock();
  const start = clock.monotonic();
  clock.setTimer(1, () => {
    throw new Error("cancelled timers must not fire");
  }).cancel();
  await clock.sleep(5);
  assertGreaterOrEqual(clock.monotonic() - start, 4);
  assert(Math.abs(clock.now() - Date.now()) < 1_000);
});

Deno.test("a delay beyond the runtime's limit does not fire at once", async () => {
  const clock = new SystemClock();
  let fired = false;
  const timer = clock.setTimer(40 * 86_400_000, () => fired = true);
  await clock.sleep(5);
  timer.cancel();
  assertEquals(fired, false);
});
