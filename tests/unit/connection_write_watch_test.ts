import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { WRITE_WATCH_PERIOD_MS } from "../../src/connection/mod.ts";
import { memoryPipe, VirtualClock } from "../../src/platform/mod.ts";
import { ScriptedConnection } from "../support/scripted_connection.ts";
import { WatchedOutbox, type WatchedOutboxOptions } from "../support/watched_outbox.ts";

const settle = () => new VirtualClock().settle();

/** A watched outbox over a scripted connection, and the time it lives in. */
class Scene {
  readonly connection = new ScriptedConnection();
  readonly watched: WatchedOutbox;
  nowMs = 1000;

  constructor(options: WatchedOutboxOptions = {}) {
    this.watched = new WatchedOutbox(this.connection, options);
  }

  add(length: number): void {
    this.watched.outbox.appendText("x".repeat(length));
    this.watched.outbox.flush();
  }

  /** Lets time pass with looks; the peer takes `bytesPerLook` before each. */
  async pass(durationMs: number, bytesPerLook = 0): Promise<void> {
    for (const untilMs = this.nowMs + durationMs; this.nowMs < untilMs;) {
      this.nowMs += WRITE_WATCH_PERIOD_MS;
      if (bytesPerLook > 0) this.connection.allow(bytesPerLook);
      await settle();
      this.watched.watch.look(this.nowMs);
    }
  }

  /** Lets time pass until `promise` is settled; how long that took, or Infinity for too long. */
  async timeUntil(promise: Promise<unknown>, limitMs: number, bytesPerLook = 0): Promise<number> {
    let settled = false;
    void promise.then(() => settled = true);
    const startMs = this.nowMs;
    await settle();
    while (!settled) {
      if (this.nowMs - startMs > limitMs) return Infinity;
      await this.pass(WRITE_WATCH_PERIOD_MS, bytesPerLook);
      await settle();
    }
    return this.nowMs - startMs;
  }
}

Deno.test("only outboxes that are writing are watched", async () => {
  const scene = new Scene();
  assertEquals(scene.watched.watch.size, 0);
  scene.add(10);
  assertEquals(scene.watched.watch.size, 1);
  scene.connection.allow(10);
  await settle();
  assertEquals(scene.watched.watch.size, 0);
  await scene.pass(60_000);
  assertEquals(scene.watched.failures, []);
});

Deno.test("a batch that is not written within the deadline fails its outbox, not much later", async () => {
  const scene = new Scene({ writeDeadlineMs: 5000 });
  scene.add(10);
  await scene.pass(4900);
  assertEquals(scene.watched.failures, []);
  await scene.pass(300);
  assertEquals(scene.watched.failures, ["write deadline"]);
  await scene.pass(10_000);
  assertEquals(scene.watched.failures, ["write deadline"], "once");
});

Deno.test("a peer that takes too little at a time misses the deadline all the same", async () => {
  const scene = new Scene({ writeDeadlineMs: 5000 });
  scene.add(1000);
  await scene.pass(6000, 1);
  assertEquals(scene.watched.failures, ["write deadline"]);
});

Deno.test("each batch has the whole deadline, however many follow each other", async () => {
  const scene = new Scene({ writeDeadlineMs: 5000, highWater: 1e6 });
  scene.add(300);
  for (let i = 0; i < 200; i++) {
    // 100 bytes more every second, of which as much is taken: the outbox is never empty.
    await scene.pass(1000, 10);
    scene.add(100);
  }
  assertEquals(scene.watched.failures, []);
  assertGreaterOrEqual(scene.watched.outbox.pending, 1);
  assertEquals(scene.watched.writers, 1, "it has been one long write");
});

Deno.test("a write that begins later has its own deadline", async () => {
  const scene = new Scene({ writeDeadlineMs: 5000 });
  scene.add(10);
  await scene.pass(4000);
  scene.connection.allow(10);
  await settle();
  scene.add(10);
  await scene.pass(4500);
  assertEquals(scene.watched.failures, []);
});

Deno.test("nobody waits for a peer that takes nothing", async () => {
  const scene = new Scene({ highWater: 1000, lowWater: 400 });
  scene.add(2000);
  assert(scene.watched.outbox.congested);
  assertLessOrEqual(await scene.timeUntil(scene.watched.outbox.relief(true), 3000), 200);
  assert(!scene.watched.outbox.congested);
  scene.add(5000);
  assert(!scene.watched.outbox.congested, "not for what follows either");
});

Deno.test("whoever waits is let go of although the peer took something before it stalled", async () => {
  const scene = new Scene({ highWater: 1000, lowWater: 400, writeDeadlineMs: 10_000 });
  scene.add(1200);
  const relief = scene.watched.outbox.relief(true);
  scene.connection.allow(300);
  assertLessOrEqual(await scene.timeUntil(relief, 5000), 1500);
});

Deno.test("nobody waits for long for a peer that takes little", async () => {
  const scene = new Scene({ highWater: 1000, lowWater: 400, writeDeadlineMs: 60_000 });
  scene.add(100_000);
  assertLessOrEqual(await scene.timeUntil(scene.watched.outbox.relief(true), 5000, 100), 1500);
});

Deno.test("a peer that keeps up is waited for, and so again", async () => {
  const scene = new Scene({ highWater: 1000, lowWater: 400 });
  for (let round = 0; round < 3; round++) {
    scene.add(1500);
    assert(scene.watched.outbox.congested);
    const waitedMs = await scene.timeUntil(scene.watched.outbox.relief(true), 3000, 400);
    assertEquals(waitedMs, 300, "until it is down to low water");
    scene.connection.allow(scene.watched.outbox.pending);
    await settle();
  }
});

Deno.test("a peer that lagged is waited for again some time after it has caught up", async () => {
  const scene = new Scene({ highWater: 1000, lowWater: 400 });
  scene.add(2000);
  const relief = scene.watched.outbox.relief(true);
  await scene.pass(1500);
  await relief;
  assert(!scene.watched.outbox.congested);
  scene.connection.allow(2000);
  await scene.pass(15_000);
  scene.add(10);
  scene.connection.allow(10);
  await settle();
  scene.add(2000);
  assert(scene.watched.outbox.congested);
});

Deno.test("over a real pipe that stalls: the deadline passes, the write ends with the connection", async () => {
  const [near, far] = memoryPipe({ capacityBytes: 100 });
  const watched = new WatchedOutbox(near, { writeDeadlineMs: 500 });
  near.stall("sent");
  watched.outbox.appendText("x".repeat(1000));
  watched.outbox.flush();
  for (let nowMs = 100; nowMs < 1000; nowMs += 100) watched.watch.look(nowMs);
  assertEquals(watched.failures, ["write deadline"]);
  near.close();
  await watched.writer;
  far.close();
});

Deno.test("a peer that is deaf is found out although nobody waits for it yet", async () => {
  const scene = new Scene();
  scene.add(5000);
  assert(scene.watched.outbox.congested);
  await scene.pass(300);
  assert(scene.watched.outbox.lagging, "many of them are not found out one after the other");
});

Deno.test("a standstill of the whole process is not the peer's fault", async () => {
  const scene = new Scene({ writeDeadlineMs: 1000 });
  scene.add(100);
  await scene.pass(500);
  scene.nowMs += 60_000;
  scene.watched.watch.resumed(60_000);
  await scene.pass(300);
  assertEquals(scene.watched.failures, [], "the deadline stood still as well");
  await scene.pass(600);
  assertEquals(scene.watched.failures, ["write deadline"]);
});

Deno.test("a peer that keeps nobody else waiting may pause for longer, at the same pace", async () => {
  const scene = new Scene({ highWater: 500_000, lowWater: 250_000, maxPending: 1e9 });
  scene.add(5_000_000);
  // Nothing for 800 ms, then what makes it 2 MB/s: a system's receive buffer that was full.
  const relief = scene.watched.outbox.relief(false);
  for (let i = 0; i < 2; i++) {
    await scene.pass(800);
    assertEquals(scene.watched.outbox.lagging, false);
    scene.connection.allow(1_600_000);
    await scene.pass(100);
  }
  // Then nothing any more.
  assertLessOrEqual(await scene.timeUntil(relief, 3000), 1200);
  assertEquals(scene.watched.outbox.lagging, true);
});

Deno.test("a peer that keeps nobody else waiting does not set any pace, however slow", async () => {
  const scene = new Scene({ highWater: 500_000, lowWater: 250_000, maxPending: 1e9 });
  scene.add(5_000_000);
  // 300 KB/s.
  assertLessOrEqual(await scene.timeUntil(scene.watched.outbox.relief(false), 5000, 30_000), 1600);
  assertEquals(scene.watched.outbox.lagging, true);
});

Deno.test("a look that is late does not take its own lateness for the peer's", async () => {
  const scene = new Scene({ highWater: 1000 });
  await scene.pass(100);
  scene.add(5000);
  await scene.pass(100);
  const { outbox, watch } = scene.watched;
  watch.look(scene.nowMs += 700);
  assertEquals(outbox.lagging, false);
  await scene.pass(300);
  assertEquals(outbox.lagging, true, "but the next ones count");
});

Deno.test("a peer that lagged is not waited for before its time is up, although it caught up at once", async () => {
  const scene = new Scene({ highWater: 1000, lowWater: 400 });
  const { outbox } = scene.watched;
  scene.add(2000);
  await scene.pass(300);
  assert(outbox.lagging);
  scene.connection.allow(2000);
  await settle();
  assertEquals([outbox.pending, outbox.lagging], [0, true]);
  // Ten seconds later the next thing that it takes ends it.
  for (const [afterMs, lagging] of [[9000, true], [2000, false]] as const) {
    await scene.pass(afterMs);
    scene.add(1);
    // A look while it is being written tells the time.
    await scene.pass(WRITE_WATCH_PERIOD_MS);
    scene.connection.allow(1);
    await settle();
    assertEquals(outbox.lagging, lagging, `after ${afterMs} ms more`);
  }
});

Deno.test("a peer that keeps others waiting for half a second in ten lags; now and then is no matter", () => {
  const held = () => {
    const { watched } = new Scene();
    return {
      outbox: watched.outbox,
      hold: (fromMs: number, toMs: number) => watched.watch.held(watched.outbox, fromMs, toMs),
    };
  };
  const together = held();
  for (let waiting = 0; waiting < 3; waiting++) together.hold(1000, 1200);
  assert(!together.outbox.lagging, "three who wait at the same time wait once");

  const seldom = held();
  for (let nowMs = 20_000; nowMs < 200_000; nowMs += 12_000) {
    seldom.hold(nowMs, nowMs + 200);
    assert(!seldom.outbox.lagging, `in the hold at ${nowMs} ms`);
  }

  const often = held();
  often.hold(20_000, 20_300);
  often.hold(20_400, 20_600);
  assert(!often.outbox.lagging, "half a second is allowed");
  often.hold(20_700, 20_701);
  assert(often.outbox.lagging);
});
