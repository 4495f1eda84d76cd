/** A million subscriptions: what each costs when there are many, and what they cost together. */
import { assert, assertEquals } from "@std/assert";
import { type InterestAtScale, PORTION } from "../support/interest_at_scale.ts";

/** How many times as long an operation may take among a million as among the first of them. */
const FLAT = 6;
/** What nats-server grows by for as many. */
const GROWTH_LIMIT_BYTES = 1.1 * 1024 ** 3;

async function measured(): Promise<InterestAtScale> {
  const program = new URL("../support/interest_at_scale.ts", import.meta.url).pathname;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--v8-flags=--expose-gc", decodeURIComponent(program)],
    stderr: "inherit",
  }).output();
  assertEquals(code, 0);
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("a million subscriptions insert, match and leave in flat time and in bounded memory", async () => {
  const { insertMs, matchMs, removeMs, found, grownBytes, left } = await measured();
  assertEquals(insertMs.length, 10);
  assertEquals(removeMs.length, 10);
  assertEquals(left, 0);
  // ".new" is what half of them want, and what the wildcards of the others cover.
  assertEquals(found, [PORTION, PORTION]);
  const crowded = { insert: insertMs.at(-1)!, match: matchMs.at(-1)!, remove: removeMs[0]! };
  const few = { insert: insertMs[0]!, match: matchMs[0]!, remove: removeMs.at(-1)! };
  for (const step of ["insert", "match", "remove"] as const) {
    const text = `${step}: ${crowded[step]} ms for ${PORTION} among a million, ${few[step]} before`;
    assert(crowded[step] < FLAT * few[step], text);
  }
  assert(grownBytes < GROWTH_LIMIT_BYTES, `the process grew by ${grownBytes} bytes`);
});
