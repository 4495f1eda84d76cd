/**
 * What nats-server says of its connections to denats.
 *
 * @module
 */
import { assertMatch } from "@std/assert";
import { PINNED_ACCOUNT } from "../support/cluster_config.ts";
import { eventually } from "../support/eventually.ts";
import type { Scenario } from "./cluster_pair.ts";
import type { Pairing } from "./cluster_pairing.ts";

/** A connection as `/routez` shows it. */
interface Route {
  readonly remote_name?: string;
  readonly account?: string;
  readonly compression?: string;
}

/** How many connections there are, for what, and how they are compressed. */
export const connections: Scenario = {
  name: "nats-server has the connections that were agreed on, compressed as agreed",
  async run({ peer, pairing }) {
    const { kind, monitorPort } = peer.server.plan;
    if (kind === "denats") return;
    const expected = expectedAccounts(pairing);
    let routes: readonly Route[] = [];
    await eventually(
      () => `routes for ${expected}, not ${JSON.stringify(routes)}`,
      async () => {
        const response = await fetch(`http://127.0.0.1:${monitorPort}/routez`);
        routes = (await response.json()).routes;
        return routes.map(({ account }) => account ?? "").sort().join() === expected;
      },
    );
    for (const { compression } of routes) {
      assertMatch(compression ?? "absent", expectedCompression(pairing));
    }
  },
};

/** The accounts of all connections, "" for those of the pool. */
function expectedAccounts(pairing: Pairing): string {
  const { peer, poolSize, peerPoolSize, pinned } = pairing;
  // A server without a pool has one connection for all.
  if (poolSize === -1 || peerPoolSize === -1 || peer === "2.9") return "";
  return [
    ...new Array<string>(Math.max(poolSize, peerPoolSize)).fill(""),
    "$SYS",
    ...(pinned ? [PINNED_ACCOUNT] : []),
  ].sort().join();
}

/** How the peer compresses what it sends. */
function expectedCompression({ peer, compression, peerCompression }: Pairing): RegExp {
  if (peer === "2.9") return /^absent$/;
  const modes = [compression, peerCompression];
  if (modes.includes("off") || modes.every((mode) => mode === "accept")) return /^off$/;
  // Which level it is depends on the round trip.
  if (peerCompression === "s2_auto") return /^s2_/;
  if (peerCompression !== "accept") return new RegExp(`^${peerCompression}$`);
  return compression === "s2_auto" ? /^s2_fast$/ : new RegExp(`^${compression}$`);
}
