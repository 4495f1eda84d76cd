/**
 * What clients are told about the members of the cluster, and what happens when one goes.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { meshed, type Side } from "../support/cluster_side.ts";
import { eventually } from "../support/eventually.ts";
import type { Scenario } from "./cluster_pair.ts";

/** Waits until a member has told its client that these members, and no other, take clients. */
export async function told(side: Side, members: readonly Side[]): Promise<void> {
  const expected = members.map(({ server }) => server.clientUrl).sort().join();
  const urls = () => side.client().info?.connect_urls?.toSorted().join() ?? "";
  await eventually(
    () => `${side.name} tells its clients of ${expected}, not of ${urls()}`,
    () => urls() === expected,
  );
}

/** The INFO that clients get. */
export const addresses: Scenario = {
  name: "clients are told where both members take clients, and which cluster it is",
  async run({ sides }) {
    for (const side of sides) {
      await told(side, sides);
      assertEquals(side.client().info?.cluster, "interop");
      assertEquals(side.client().info?.server_name, side.name);
    }
  },
};

/** The dialed member is killed and comes back; it has to be the last scenario of a battery. */
export const returning: Scenario = {
  name: "a member that was killed is struck off the addresses, and found again when it is back",
  async run({ ours, peer, sides, pairing }) {
    const [victim, survivor] = pairing.dialer === "peer" ? [ours, peer] : [peer, ours];
    await victim.server.kill("SIGKILL");
    await told(survivor, [survivor]);
    await victim.server.restart();
    await victim.reconnect();
    await meshed(sides);
    for (const side of sides) await told(side, sides);
  },
};
