import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLessOrEqual,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { type Timed, TimerWheel } from "../../src/connection/mod.ts";

/** Something on a wheel that writes down when it was called. */
class Alarm implements Timed {
  dueMs = 0;
  wheelSlot = -1;
  readonly firedAtMs: number[] = [];
  onDue: (nowMs: number) => void = () => {};

  due(nowMs: number): void {
    this.firedAtMs.push(nowMs);
    this.onDue(nowMs);
  }
}

const SLOT_MS = 10, SLOTS = 16, ROUND_MS = SLOT_MS * SLOTS;

/** One thing done to the wheel. */
type Step =
  | { readonly kind: "schedule"; readonly alarm: number; readonly delayMs: number }
  | { readonly kind: "cancel"; readonly alarm: number }
  | { readonly kind: "turn"; readonly afterMs: number };

const alarm = fc.integer({ min: 0, max: 7 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("schedule" as const),
      alarm,
      delayMs: fc.oneof(
        fc.integer({ min: -50, max: 60 }),
        fc.integer({ min: 0, max: 5 * ROUND_MS }),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel" as const), alarm }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("turn" as const),
      afterMs: fc.oneof(
        fc.integer({ min: 0, max: 3 * SLOT_MS }),
        fc.integer({ min: 0, max: 3 * ROUND_MS }),
      ),
    }),
  },
);

Deno.test("everything fires once, not before it is due and at most a slot after, unless cancelled", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1000 }),
      fc.array(step, { minLength: 1, maxLength: 80 }),
      (startMs, steps) => {
        const wheel = new TimerWheel(startMs, SLOT_MS, SLOTS);
        const alarms = Array.from({ length: 8 }, () => new Alarm());
        /** When what waits is due, and when it was scheduled. */
        const waiting = new Map<Alarm, { dueMs: number; sinceMs: number }>();
        let nowMs = startMs;
        const turn = (afterMs: number) => {
          nowMs += afterMs;
          for (const one of alarms) one.firedAtMs.length = 0;
          wheel.turn(nowMs);
          assertEquals(wheel.nowMs, nowMs);
          for (const one of alarms) {
            const expected = waiting.get(one);
            if (one.firedAtMs.length > 0) {
              assertEquals(one.firedAtMs, [nowMs], "once");
              assert(expected !== undefined, "neither cancelled nor fired before");
              assertLessOrEqual(expected.dueMs, nowMs, "not early");
              waiting.delete(one);
            } else if (expected !== undefined) {
              const latestMs = Math.max(expected.dueMs, expected.sinceMs) + SLOT_MS;
              assertGreaterOrEqual(latestMs, nowMs, "not late");
            }
          }
        };
        for (const step of steps) {
          const one = step.kind === "turn" ? null : alarms[step.alarm]!;
          if (step.kind === "schedule") {
            wheel.schedule(one!, nowMs + step.delayMs);
            waiting.set(one!, { dueMs: nowMs + step.delayMs, sinceMs: nowMs });
          } else if (step.kind === "cancel") {
            wheel.cancel(one!);
            waiting.delete(one!);
          } else turn(step.afterMs);
        }
        turn(10 * ROUND_MS);
        assertEquals(waiting.size, 0);
      },
    ),
    { numRuns: 2000, seed: 20_261_122 },
  );
});

Deno.test("what schedules itself again while it is due goes on at its pace", () => {
  const wheel = new TimerWheel(0, SLOT_MS, SLOTS), alarm = new Alarm();
  alarm.onDue = (nowMs) => wheel.schedule(alarm, nowMs + 25);
  wheel.schedule(alarm, 25);
  for (let nowMs = 5; nowMs <= 300; nowMs += 5) wheel.turn(nowMs);
  assertEquals(alarm.firedAtMs, [30, 60, 90, 120, 150, 180, 210, 240, 270, 300]);
});

Deno.test("what is cancelled by something due at the same moment does not fire", () => {
  const wheel = new TimerWheel(0, SLOT_MS, SLOTS), first = new Alarm(), second = new Alarm();
  first.onDue = () => wheel.cancel(second);
  second.onDue = () => wheel.cancel(first);
  wheel.schedule(first, 50);
  wheel.schedule(second, 50);
  wheel.turn(100);
  assertEquals(first.firedAtMs.length + second.firedAtMs.length, 1);
});

Deno.test("what is scheduled anew by something due at the same moment fires at its new time only", () => {
  const wheel = new TimerWheel(0, SLOT_MS, SLOTS), first = new Alarm(), second = new Alarm();
  first.onDue = () => wheel.schedule(second, 50 + ROUND_MS);
  wheel.schedule(first, 50);
  wheel.schedule(second, 50);
  wheel.turn(60);
  assertEquals(second.firedAtMs, []);
  wheel.turn(40 + ROUND_MS);
  assertEquals(second.firedAtMs, []);
  wheel.turn(50 + ROUND_MS);
  assertEquals(second.firedAtMs, [50 + ROUND_MS]);
});

Deno.test("many with different deadlines all fire in a wheel of the usual size", () => {
  const wheel = new TimerWheel(0);
  const alarms = Array.from({ length: 5000 }, (_, i) => {
    const alarm = new Alarm();
    wheel.schedule(alarm, 37 * i);
    return alarm;
  });
  for (let nowMs = 100; nowMs <= 37 * 5000 + 100; nowMs += 100) wheel.turn(nowMs);
  for (const [i, alarm] of alarms.entries()) {
    assertEquals(alarm.firedAtMs.length, 1);
    assertGreaterOrEqual(alarm.firedAtMs[0]!, 37 * i);
    assertLessOrEqual(alarm.firedAtMs[0]!, 37 * i + 100);
  }
});

Deno.test("one that throws when it is due does not hold up the others, and is heard of", () => {
  const wheel = new TimerWheel(0, 100, 16), called: string[] = [];
  const timed = (name: string): Timed => ({
    dueMs: 0,
    wheelSlot: -1,
    due: () => {
      called.push(name);
      if (name === "first") throw new RangeError("a bug");
    },
  });
  wheel.schedule(timed("first"), 1000);
  wheel.schedule(timed("second"), 1000);
  assertThrows(() => wheel.turn(1100), RangeError, "a bug");
  assertEquals(called, ["first", "second"]);
});
