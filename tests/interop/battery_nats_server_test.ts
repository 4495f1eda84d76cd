/**
 * The battery against the server it was measured on: shows that the rows and their player are right.
 */
import { BATTERY_CONFIG, playRow, readBattery } from "../support/battery.ts";
import { findNatsServer, startNatsServer } from "../support/nats_server.ts";

const binary = await findNatsServer("2.15");

Deno.test({
  name: "nats-server 2.15 answers every row of the client protocol battery as recorded",
  ignore: binary === undefined,
  fn: async (test) => {
    if (binary === undefined) return;
    await using server = await startNatsServer(binary, BATTERY_CONFIG);
    for (const row of await readBattery()) {
      await test.step(row.name, () => playRow(row, server));
    }
  },
});
