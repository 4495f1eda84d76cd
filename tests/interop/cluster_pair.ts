/**
 * Two members of a cluster with their clients, and what a scenario of the battery is.
 *
 * @module
 */
import {
  ACCOUNTS,
  type MemberOptions,
  type MemberPlan,
  PINNED_ACCOUNT,
} from "../support/cluster_config.ts";
import { available, ClusterServer, DENATS, planMember } from "../support/cluster_server.ts";
import { meshed, Side } from "../support/cluster_side.ts";
import { describe, type Pairing } from "./cluster_pairing.ts";

/** Two members that reach each other; disposing it stops them. */
export interface Pair extends AsyncDisposable {
  /** How they are configured. */
  readonly pairing: Pairing;
  /** The member that this project is tested with. */
  readonly ours: Side;
  /** The other one. */
  readonly peer: Side;
  /** Both. */
  readonly sides: readonly [Side, Side];
  /** Both, from one to the other. */
  readonly directions: readonly (readonly [from: Side, to: Side])[];
}

/** One story about two members. */
export interface Scenario {
  /** What is shown. */
  readonly name: string;
  /** Plays it. Rejects when something is not as it should be. */
  run(pair: Pair): Promise<void>;
}

/** Starts both members of a pairing and waits until every account reaches from one to the other. */
export async function startPair(pairing: Pairing): Promise<Pair> {
  await using stack = new AsyncDisposableStack();
  const plans = {
    ours: planMember(DENATS, "ours"),
    peer: planMember(pairing.peer === "denats" ? DENATS : pairing.peer, "peer"),
  };
  const start = async (which: "ours" | "peer"): Promise<ClusterServer> => {
    const other = plans[which === "ours" ? "peer" : "ours"];
    return stack.use(
      await ClusterServer.start(plans[which], memberOptions(pairing, which, plans[which], other)),
    );
  };
  let servers: { ours: ClusterServer; peer: ClusterServer };
  if (pairing.dialer === "both") {
    const [ours, peer] = await Promise.all([start("ours"), start("peer")]);
    servers = { ours, peer };
  } else if (pairing.dialer === "ours") {
    // The one that is dialed first, so that no dial has to be tried again.
    const peer = await start("peer");
    servers = { ours: await start("ours"), peer };
  } else {
    const ours = await start("ours");
    servers = { ours, peer: await start("peer") };
  }
  const ours = stack.use(await Side.connect(servers.ours));
  const peer = stack.use(await Side.connect(servers.peer));
  await meshed([ours, peer]);
  const owned = stack.move();
  return {
    pairing,
    ours,
    peer,
    sides: [ours, peer],
    directions: [[ours, peer], [peer, ours]],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Registers a test that plays `scenarios` with one pair of servers. */
export async function testPairing(
  pairing: Pairing,
  scenarios: readonly Scenario[],
): Promise<void> {
  Deno.test({
    name: `cluster: ${describe(pairing)}`,
    ignore: !await available([DENATS, pairing.peer === "denats" ? DENATS : pairing.peer]),
    fn: async (test) => {
      await using pair = await startPair(pairing);
      for (const scenario of scenarios) {
        await test.step({
          name: scenario.name,
          fn: () => scenario.run(pair).catch((error) => explain(error, pair)),
          // The clients live longer than a step. The test around it looks for what is left.
          sanitizeOps: false,
          sanitizeResources: false,
        });
      }
    },
  });
}

function memberOptions(
  pairing: Pairing,
  which: "ours" | "peer",
  plan: MemberPlan,
  other: MemberPlan,
): MemberOptions {
  const dials = pairing.dialer === "both" || pairing.dialer === which;
  const common: MemberOptions = {
    ...(dials ? { routes: [other] } : {}),
    ...(pairing.auth ? { password: "sesame" } : {}),
  };
  // Pools, dedicated connections and compression are younger than 2.9.
  if (plan.kind === "2.9") return common;
  const compression = which === "ours" ? pairing.compression : pairing.peerCompression;
  return {
    ...common,
    poolSize: which === "ours" ? pairing.poolSize : pairing.peerPoolSize,
    ...(compression === "none" ? {} : { compression }),
    ...(pairing.pinned ? { pinned: [PINNED_ACCOUNT] } : {}),
  };
}

function explain(error: unknown, pair: Pair): never {
  const logs = pair.sides.map((side) => side.server.report).join("\n");
  throw new Error(`${error instanceof Error ? error.message : error}\n${logs}`, { cause: error });
}

/** Runs `check` for each account, all at once. */
export async function inEachAccount(
  check: (account: typeof ACCOUNTS[number]) => Promise<void>,
): Promise<void> {
  await Promise.all(ACCOUNTS.map(check));
}
