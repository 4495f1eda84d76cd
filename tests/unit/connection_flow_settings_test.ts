import { assertEquals, assertLess } from "@std/assert";
import { flowSettings, SlabPool } from "../../src/connection/mod.ts";

const FLOW = { write_deadline: 1000, no_fast_producer_stall: false };

Deno.test("publishers go on below where they wait, and wait below max_pending, however small it is", () => {
  for (const max_pending of [4096, 200_000, 1_000_000, 64_000_000]) {
    const { outboxSettings } = flowSettings({ ...FLOW, max_pending }, new SlabPool());
    const { watch, maxPending, crowdedAbove } = outboxSettings;
    assertLess(watch.lowWater, watch.highWater, `max_pending ${max_pending}`);
    assertLess(watch.highWater, crowdedAbove, `max_pending ${max_pending}`);
    assertLess(crowdedAbove, maxPending, `max_pending ${max_pending}`);
    assertEquals(maxPending, max_pending);
  }
});

Deno.test("either publishers wait or messages are dropped, before max_pending is reached", () => {
  const settings = { ...FLOW, max_pending: 1_000_000 };
  const stalling = flowSettings(settings, new SlabPool());
  assertEquals(stalling.dropAbove, Infinity);
  const dropping = flowSettings({ ...settings, no_fast_producer_stall: true }, new SlabPool());
  assertLess(dropping.dropAbove, 1_000_000);
  const { crowdedAbove, watch } = dropping.outboxSettings;
  assertEquals([watch.highWater, crowdedAbove, dropping.pressAbove], Array(3).fill(Infinity));
});
