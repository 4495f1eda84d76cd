/**
 * Graphs of accounts on denats, alone and in a cluster with nats-server, beside nats-servers only.
 */
import { assertEquals } from "@std/assert";
import { findNatsServer } from "../support/nats_server.ts";
import { acceptedGraphs, type Arrangement, differences, playAll } from "./account_graphs.ts";
import { SEED } from "./side_by_side.ts";

const binary = await findNatsServer("2.15");

const OFFICIAL = "nats-server", DENATS = "denats";

const ARRANGEMENTS: readonly (readonly [expected: Arrangement, actual: readonly Arrangement[]])[] =
  [
    [[OFFICIAL], [[DENATS]]],
    [[OFFICIAL, OFFICIAL], [[DENATS, OFFICIAL], [OFFICIAL, DENATS], [DENATS, DENATS]]],
  ];

Deno.test({
  name: `denats does with graphs of accounts what nats-server does (seed ${SEED})`,
  ignore: binary === undefined,
  fn: async () => {
    if (binary === undefined) return;
    const graphs = await acceptedGraphs(binary);
    const found: string[] = [];
    for (const [arrangement, others] of ARRANGEMENTS) {
      const expected = await playAll(binary, graphs, arrangement);
      for (const other of others) {
        const actual = await playAll(binary, graphs, other);
        const where = `instead of ${arrangement.join(" and ")}: ${other.join(" and ")}`;
        found.push(...differences(graphs, expected, actual).map((text) => `${where}\n${text}`));
      }
    }
    assertEquals(
      found.length,
      0,
      `${found.length} of ${graphs.length} graphs differ somewhere (DIFFERENTIAL_SEED=${SEED}):\n` +
        found.slice(0, 5).join("\n"),
    );
  },
});
