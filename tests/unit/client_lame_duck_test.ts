/** A broker that drains: its clients have time to leave, and those that stay are closed one by one. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { MemoryBroker } from "../support/memory_broker.ts";

const CLIENTS = 10;

async function crowd(): Promise<MemoryBroker> {
  const world = await MemoryBroker.start();
  for (let i = 0; i < CLIENTS; i++) await world.connect();
  return world;
}

Deno.test("nobody is closed within graceMs, then they go one by one, all within drainMs", async () => {
  const world = await crowd();
  let closed = false;
  const closing = world.broker.close({ drain: true, drainMs: 10_000, graceMs: 2000 })
    .then(() => closed = true);
  await world.advance(1900);
  assertEquals(world.ended, []);
  let most = 0;
  for (let passedMs = 1900; passedMs < 10_000 && !closed; passedMs += 100) {
    const before = world.ended.length;
    await world.advance(100);
    most = Math.max(most, world.ended.length - before);
  }
  assertEquals(world.ended.length, CLIENTS);
  assertEquals(most, 1, "so many at once");
  assert(closed);
  await closing;
  assertEquals(world.clock.pendingTimers, 0);
});

for (const [when, afterMs, left] of [["in the grace", 500, CLIENTS], ["later", 3000, 9]] as const) {
  Deno.test(`close() during a drain cuts it short, ${when}`, async () => {
    const world = await crowd();
    let closed = false;
    const closing = world.broker.close({ drain: true, drainMs: 60_000, graceMs: 2000 })
      .then(() => closed = true);
    await world.advance(afterMs);
    assertLessOrEqual(world.broker.statistics.connections, left);
    assert(world.broker.statistics.connections > CLIENTS / 2, "most of them are still there");
    void world.broker.close();
    // Whoever has sent something lately is read from for a second more.
    await world.advance(1100);
    assert(closed);
    await closing;
    assertEquals(world.ended.length, CLIENTS);
  });
}
