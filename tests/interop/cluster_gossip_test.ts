/** Servers that know only one of the cluster, and find the others by what that one tells. */
import { ACCOUNTS, PINNED_ACCOUNT, type ServerKind } from "../support/cluster_config.ts";
import { startGroup } from "../support/cluster_group.ts";
import { available, DENATS } from "../support/cluster_server.ts";
import { meshed, settled } from "../support/cluster_side.ts";

/** Who is known to the others, and the two that learn of each other. */
const TRIOS: readonly (readonly [ServerKind, ServerKind, ServerKind])[] = [
  [DENATS, "2.15", "2.10"],
  ["2.15", DENATS, "2.10"],
  ["2.10", "2.15", DENATS],
  [DENATS, "2.9", "2.15"],
  ["2.9", DENATS, "2.15"],
  ["2.15", "2.9", DENATS],
  [DENATS, DENATS, DENATS],
];

for (const kinds of TRIOS) {
  const [known, first, second] = kinds;
  Deno.test({
    name: `cluster: ${first} and ${second}, which know ${known}, find each other`,
    ignore: !await available(kinds),
    fn: async () => {
      await using group = await startGroup([
        { kind: known, dials: [] },
        { kind: first, dials: [0] },
        { kind: second, dials: [0] },
      ]);
      // A message takes one hop, so what arrives has not gone round by the one that both know.
      await meshed(group.sides);
      await group.sides[0]!.server.kill("SIGKILL");
      for (const account of ACCOUNTS) await settled(group.sides.slice(1), account);
    },
  });
}

Deno.test({
  name: "cluster: connections dedicated to an account and passwords go by gossip, too",
  ignore: !await available([DENATS, "2.15"]),
  fn: async () => {
    const options = { pinned: [PINNED_ACCOUNT], password: "sesame", compression: "s2_fast" };
    for (const kinds of [[DENATS, "2.15", "2.15"], ["2.15", DENATS, "2.15"]] as const) {
      await using group = await startGroup(
        kinds.map((kind, index) => ({ kind, dials: index === 0 ? [] : [0], ...options })),
      );
      await meshed(group.sides);
    }
  },
});
