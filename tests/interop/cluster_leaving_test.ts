/** A member that announces its end, one that is frozen, and one that does not want to be known. */
import { assertEquals } from "@std/assert";
import type { ServerKind } from "../support/cluster_config.ts";
import { startGroup } from "../support/cluster_group.ts";
import { available, DENATS } from "../support/cluster_server.ts";
import { meshed, settled } from "../support/cluster_side.ts";
import { told } from "./cluster_address_scenarios.ts";

const PAIRS: readonly (readonly [leaver: ServerKind, other: ServerKind])[] = [
  [DENATS, "2.15"],
  ["2.15", DENATS],
  ["2.10", DENATS],
  ["2.9", DENATS],
];

for (const [leaver, other] of PAIRS) {
  Deno.test({
    name: `cluster: clients of ${other} are not told of ${leaver} in lame duck mode, which goes on`,
    ignore: !await available([leaver, other]),
    fn: async () => {
      await using group = await startGroup([
        { kind: leaver, dials: [] },
        { kind: other, dials: [0] },
      ]);
      const { sides } = group;
      await meshed(sides);
      await told(sides[1]!, sides);
      sides[0]!.server.signal("SIGUSR2");
      await told(sides[1]!, [sides[1]!]);
      // Its clients have a while to go elsewhere, and miss nothing until then.
      await settled(sides);
    },
  });

  Deno.test({
    name: `cluster: ${other} leaves ${leaver} that answers no pings, and takes it back`,
    ignore: !await available([leaver, other]),
    fn: async () => {
      const pings = { pingInterval: "500ms", pingMax: 2 };
      await using group = await startGroup([
        { kind: leaver, dials: [1], ...leaver === "2.9" ? {} : pings },
        { kind: other, dials: [0], ...other === "2.9" ? {} : pings },
      ]);
      const { sides } = group, [frozen, awake] = sides;
      await meshed(sides);
      frozen!.server.signal("SIGSTOP");
      await awake!.server.logged(/Stale Connection/);
      await told(awake!, [awake!]);
      frozen!.server.signal("SIGCONT");
      await meshed(sides);
      await told(awake!, sides);
      await told(frozen!, sides);
    },
  });

  Deno.test({
    name:
      `cluster: ${leaver} and ${other} tell clients nothing of each other if one is not advertised`,
    ignore: !await available([leaver, other]),
    fn: async () => {
      await using group = await startGroup([
        { kind: leaver, dials: [1], noAdvertise: true },
        { kind: other, dials: [] },
      ]);
      const { sides } = group, [hidden, known] = sides;
      await meshed(sides);
      for (const side of [known!, hidden!]) {
        await using client = await side.connect();
        assertEquals(client.info?.connect_urls, undefined);
      }
    },
  });
}
