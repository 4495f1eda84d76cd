/**
 * The graphs of accounts between nats-servers: what differs there shows a mistake of the tests.
 */
import { assertEquals } from "@std/assert";
import { findNatsServer } from "../support/nats_server.ts";
import { acceptedGraphs, type Arrangement, differences, playAll } from "./account_graphs.ts";
import { SEED } from "./side_by_side.ts";

const binary = await findNatsServer("2.15");

Deno.test({
  name: `nats-servers agree about graphs of accounts (seed ${SEED})`,
  ignore: binary === undefined,
  fn: async () => {
    if (binary === undefined) return;
    const graphs = await acceptedGraphs(binary);
    for (const arrangement of [["nats-server"], ["nats-server", "nats-server"]] as const) {
      const once = await playAll(binary, graphs, arrangement as Arrangement);
      const again = await playAll(binary, graphs, arrangement as Arrangement);
      const found = differences(graphs, once, again);
      assertEquals(
        found.length,
        0,
        `${found.length} of ${graphs.length} differ (DIFFERENTIAL_SEED=${SEED}):\n` +
          found.slice(0, 5).join("\n"),
      );
    }
  },
});
