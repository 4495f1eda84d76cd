/**
 * The story of one seed.
 *
 * @module
 */
import { checkClosed, checkLeftovers, type Inventory, takeInventory } from "./checkers/leaks.ts";
import { probe } from "./checkers/probe.ts";
import {
  aftermathMs,
  between,
  convergenceMs,
  type Plan,
  planOf,
  stalenessMs,
  streamOf,
} from "./plan.ts";
import { Violation } from "./violation.ts";
import { World } from "./world.ts";

/** How often it is looked whether something has come about. */
const STEP_MS = 50;
/** How long clients may take to come back once nothing is in their way. */
const RETURN_MS = 5000;
/** How long brokers may take to close, the longest of their own limits included. */
const CLOSING_MS = 25_000;

/** What came of a seed. */
export interface Outcome {
  /** The seed's plan. */
  readonly plan: Plan;
  /** Why it failed; null if everything held. */
  readonly failure: unknown;
  /** The hash of everything that happened. */
  readonly hash: string;
  /** Faults and phases. */
  readonly lines: readonly string[];
  /** The logs of the brokers by name. */
  readonly logs: ReadonlyMap<string, readonly string[]>;
  /** How many faults there were. */
  readonly faults: number;
  /** How many messages were published, and how many deliveries came of them. */
  readonly messages: number;
  /** See {@link Outcome.messages}. */
  readonly deliveries: number;
  /** How much virtual time passed. */
  readonly virtualMs: number;
}

/**
 * Simulates the cluster that a seed stands for. Never rejects; leaves nothing running. Lines of
 * protocol that match `watched` are shown among the faults.
 */
export async function simulate(seed: number, watched: RegExp | null = null): Promise<Outcome> {
  const plan = planOf(seed), world = new World(plan);
  world.trace.watched = watched;
  let failure: unknown = null;
  try {
    await tell(world);
  } catch (error) {
    failure = error;
    world.trace.note(`failed: ${error instanceof Error ? error.message : error}`);
  }
  // What is left of a failed run can do nothing any more: its time stands still.
  return {
    plan,
    failure,
    hash: world.trace.hash,
    lines: world.trace.lines,
    logs: new Map(world.nodes.map(({ name, log }) => [name, log])),
    faults: world.faults,
    messages: world.ledger.messages.length,
    deliveries: world.ledger.deliveries,
    virtualMs: world.ticks.nowMs,
  };
}

async function tell(world: World): Promise<void> {
  const { plan, population, trace } = world, random = streamOf(plan.seed, "plan");
  trace.note(`plan ${JSON.stringify(plan)}`);
  for (const node of world.nodes) {
    await node.start();
    await world.pass(between(random, 0, 100));
  }
  await converge(world);
  const before = takeInventory(world);
  population.begin();
  await calmDown(world);
  for (let round = 1; round <= plan.rounds; round++) {
    trace.note(`round ${round}`);
    population.start();
    for (let count = plan.faultsPerRound; count > 0; count--) {
      world.beginFault();
      await world.pass(between(random, 1, 2 * plan.faultGapMs));
    }
    trace.note("calm");
    await world.heal();
    for (let waitedMs = 0; world.faulty && waitedMs < CLOSING_MS; waitedMs += STEP_MS) {
      await world.pass(STEP_MS);
    }
    await converge(world);
    population.stop();
    await calmDown(world);
  }
  await end(world, before);
}

/** Waits until all brokers are connected to each other. */
async function converge(world: World): Promise<void> {
  const { plan, mesh, trace } = world, limitMs = convergenceMs(plan);
  let waitedMs = 0;
  for (; !mesh.full; waitedMs += STEP_MS) {
    if (waitedMs > limitMs) {
      throw new Violation("mesh", `not full after ${waitedMs} ms: ${mesh.describe()}`);
    }
    await world.pass(STEP_MS);
  }
  trace.note(`full after ${waitedMs} ms`);
}

/** Waits until everybody is there and quiet, and checks what must be true then. */
async function calmDown(world: World): Promise<void> {
  const { population, plan, trace } = world;
  for (let waitedMs = 0; !population.settled; waitedMs += STEP_MS) {
    if (waitedMs > RETURN_MS) throw new Violation("mesh", "clients cannot connect to their broker");
    await world.pass(STEP_MS);
  }
  await world.pass(aftermathMs(plan));
  if (!world.mesh.full) throw new Violation("mesh", `not full any more: ${world.mesh.describe()}`);
  world.checkCalm();
  await probe(world, (durationMs) => world.pass(durationMs));
  trace.note("checked");
}

/**
 * A connection may still be in its handshake although its other end has gone without a trace: it is
 * left for as long as it takes to find that out.
 */
async function leftoversGone(world: World, before: Inventory): Promise<void> {
  const limitMs = stalenessMs(world.plan);
  for (let waitedMs = 0; waitedMs < limitMs; waitedMs += STEP_MS) {
    try {
      return checkLeftovers(world, before);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      await world.pass(STEP_MS);
    }
  }
  checkLeftovers(world, before);
}

/** Everybody leaves: first the clients, then the brokers. */
async function end(world: World, before: Inventory): Promise<void> {
  const { population, plan, nodes } = world;
  world.trace.note("end");
  population.end();
  await world.pass(aftermathMs(plan));
  world.checkCalm();
  await leftoversGone(world, before);
  const brokers = nodes.map(({ broker }) => broker);
  for (const node of nodes) {
    world.mesh.disturbNode(node.index);
    void node.leave();
  }
  for (let waitedMs = 0; waitedMs < CLOSING_MS; waitedMs += STEP_MS) {
    if (nodes.every(({ state }) => state === "down")) break;
    await world.pass(STEP_MS);
  }
  // Ends of connections that are under way still.
  await world.pass(aftermathMs(plan));
  for (const [index, node] of nodes.entries()) checkClosed(node, brokers[index]!.tasks());
}
