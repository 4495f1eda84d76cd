/** What nats-server answers to more than a hundred short conversations, denats answers too. */
import { assert } from "@std/assert";
import { BATTERY_LIMITS, playRow, readBattery } from "../support/battery.ts";
import { startBroker } from "../support/broker.ts";

/** Names of the rows that are not met yet. */
const NOT_YET: readonly string[] = [];

Deno.test("every row of the client protocol battery is answered as nats-server does", async (test) => {
  const rows = await readBattery();
  assert(rows.length > 100, "the battery is not complete");
  for (const name of NOT_YET) {
    assert(rows.some((row) => row.name === name), `no row is called "${name}"`);
  }
  await using broker = await startBroker(BATTERY_LIMITS);
  for (const row of rows) {
    await test.step({
      name: row.name,
      ignore: NOT_YET.includes(row.name),
      fn: () => playRow(row, broker.address),
    });
  }
});
