/** The choice of pairings: few, and every two settings meet. */
import { assert, assertEquals } from "@std/assert";
import { allPairings, meetingsOf, pairwisePairings } from "./cluster_pairing.ts";

Deno.test("every two settings that can meet do meet in at most 30 pairings", () => {
  const chosen = pairwisePairings();
  assert(chosen.length <= 30, `${chosen.length} pairings`);
  const possible = new Set(allPairings().flatMap(meetingsOf));
  assertEquals(new Set(chosen.flatMap(meetingsOf)), possible);
  assert(possible.size > 200);
});

Deno.test("the choice is the same every time", () => {
  assertEquals(pairwisePairings(), pairwisePairings());
});
