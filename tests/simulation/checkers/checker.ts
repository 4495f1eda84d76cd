/**
 * What the checkers of invariants have in common.
 *
 * @module
 */
import type { DeliveryListener, Ledger } from "../ledger.ts";
import type { MeshWatch } from "../mesh_watch.ts";
import type { SimulatedNetwork } from "../network.ts";
import type { SimulatedNode } from "../node.ts";
import type { Plan } from "../plan.ts";
import type { Population } from "../population.ts";
import type { Ticks } from "../ticks.ts";

/** What checkers look at. */
export interface Checked {
  /** The seed's plan. */
  readonly plan: Plan;
  /** Time. */
  readonly ticks: Ticks;
  /** The truth. */
  readonly ledger: Ledger;
  /** Paths and connections. */
  readonly network: SimulatedNetwork;
  /** Brokers. */
  readonly nodes: readonly SimulatedNode[];
  /** Which of them are connected. */
  readonly mesh: MeshWatch;
  /** Clients. */
  readonly population: Population;
}

/** Watches over one invariant; each of its functions throws a `Violation` when it does not hold. */
export interface Checker {
  /** A delivery is about to be entered into the ledger. */
  readonly delivered?: DeliveryListener;
  /** Some time has passed, whatever is going on. */
  readonly look?: () => void;
  /** No fault is left, the mesh has converged, and nobody has done anything for some time. */
  readonly calm?: () => void;
}
