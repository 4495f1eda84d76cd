/** A failing seed is worth something only if it fails the same way again. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { planOf } from "./plan.ts";
import { simulate } from "./simulation.ts";

Deno.test("a seed replays exactly: every byte arrives at the same millisecond again", async () => {
  for (const seed of [3, 20]) {
    const [first, second] = [await simulate(seed), await simulate(seed)];
    assertEquals(first.failure, null);
    assertEquals(first.hash, second.hash);
    assertEquals(first.lines, second.lines);
    assertEquals(first.deliveries, second.deliveries);
  }
});

Deno.test("two at the same time replay as one alone does", async () => {
  const [first, second] = await Promise.all([simulate(20), simulate(20)]);
  assertEquals(first.hash, second.hash);
});

Deno.test("seeds stand for clusters of every size, and differ", async () => {
  const plans = Array.from({ length: 200 }, (_, index) => planOf(index + 1));
  assertEquals([...new Set(plans.map(({ nodes }) => nodes))].sort(), [3, 4, 5, 6, 7]);
  assert(plans.every(({ rounds, faultsPerRound }) => rounds * faultsPerRound >= 200));
  assertNotEquals((await simulate(20)).hash, (await simulate(22)).hash);
});
