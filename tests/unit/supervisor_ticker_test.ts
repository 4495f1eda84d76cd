import { assertEquals } from "@std/assert";
import { SeededRandom, VirtualClock } from "../../src/platform/mod.ts";
import { every, type Panic, Scope, ticker } from "../../src/supervisor/mod.ts";

Deno.test("ticks never drift, whatever the body takes", async () => {
  const clock = new VirtualClock();
  const controller = new AbortController();
  const ticks: [number, number][] = [];
  const loop = (async () => {
    for await (const tick of ticker(clock, 1_000, controller.signal)) {
      ticks.push([tick, clock.monotonic()]);
      await clock.sleep(300);
    }
  })();
  await clock.advance(5_500);
  controller.abort();
  await loop;
  assertEquals(ticks, [[1, 1_000], [2, 2_000], [3, 3_000], [4, 4_000], [5, 5_000]]);
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("ticks that pass during the body are skipped, and the numbers tell", async () => {
  const clock = new VirtualClock();
  const controller = new AbortController();
  const ticks: [number, number][] = [];
  const loop = (async () => {
    for await (const tick of ticker(clock, 10, controller.signal)) {
      ticks.push([tick, clock.monotonic()]);
      if (tick === 2) await clock.sleep(35);
      if (tick === 6) await clock.sleep(20);
    }
  })();
  await clock.advance(95);
  controller.abort();
  await loop;
  assertEquals(ticks, [[1, 10], [2, 20], [6, 60], [8, 80], [9, 90]]);
});

Deno.test("a timer that fires early does not repeat a tick", async () => {
  const clock = new VirtualClock();
  const hasty = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimer: (delayMs: number, callback: () => void) => clock.setTimer(delayMs, callback),
    sleep: (delayMs: number, signal?: AbortSignal) => clock.sleep(delayMs * 0.99, signal),
    yield: () => clock.yield(),
  };
  const controller = new AbortController();
  const ticks: number[] = [];
  const loop = (async () => {
    for await (const tick of ticker(hasty, 1_000, controller.signal)) ticks.push(tick);
  })();
  await clock.advance(4_500);
  controller.abort();
  await loop;
  assertEquals(ticks, [1, 2, 3, 4]);
});

Deno.test("an aborted signal ends a ticker at once, before it begins or between ticks", async () => {
  const clock = new VirtualClock();
  for await (const _ of ticker(clock, 10, AbortSignal.abort())) throw new Error("no tick is due");
  const controller = new AbortController();
  const iterator = ticker(clock, 10, controller.signal);
  const next = iterator.next();
  controller.abort();
  assertEquals(await next, { done: true, value: undefined });
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("every runs one tick at a time and survives a throwing one", async () => {
  const clock = new VirtualClock();
  const panics: Panic[] = [];
  const root = new Scope("broker", {
    clock,
    random: new SeededRandom(1),
    onPanic: (panic) => panics.push(panic),
  });
  let running = 0;
  let ticks = 0;
  const job = every(root, "statistics", 1_000, async () => {
    assertEquals(++running, 1);
    ticks++;
    await clock.sleep(ticks === 2 ? 1_500 : 1);
    running--;
    if (ticks === 3) throw new Error("a bug");
  });
  await clock.advance(3_999);
  assertEquals(ticks, 2);
  await clock.advance(4_001);
  assertEquals(panics.map(({ path, policy }) => [path, policy]), [
    ["broker/statistics", "restart"],
  ]);
  assertEquals(ticks, 6, "the third threw at 4 s; ticks go on from a new start");
  assertEquals(root.tree().children[0]!.restarts, 1);
  await root.close();
  assertEquals([job.state, clock.pendingTimers], ["closed", 0]);
});
