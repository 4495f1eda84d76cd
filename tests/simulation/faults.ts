/**
 * What can go wrong in a simulated cluster.
 *
 * @module
 */
import type { Random } from "../../src/platform/mod.ts";
import type { CrashKind } from "./host.ts";
import type { MeshWatch } from "./mesh_watch.ts";
import type { SimulatedNetwork } from "./network.ts";
import type { SimulatedNode } from "./node.ts";
import type { Path } from "./path.ts";
import { between, pick, type Plan, stalenessMs } from "./plan.ts";
import type { Population } from "./population.ts";
import type { SimulatedConnection } from "./simulated_connection.ts";

/** The longest that a process stands still, a path is slow, and a crashed broker stays away. */
const STANDSTILL_MS = 1500, SLOW_MS = 400, AWAY_MS = 2000;
/** The longest that a broker takes to leave. */
const DRAIN_MS = 1000;
/** The farthest that a wall clock jumps. */
const JUMP_MS = 86_400_000;

/** A fault that has begun. */
export interface Fault {
  /** What it is, for the fault log. */
  readonly text: string;
  /** How long it lasts; 0 for one that is over at once. */
  readonly durationMs: number;
  /** Ends it; resolves to false if that is not possible yet. Absent for one that is over at once. */
  readonly end?: () => Promise<boolean> | boolean;
}

/** What faults act upon. */
export interface FaultSurroundings {
  /** The seed's plan. */
  readonly plan: Plan;
  /** What they are drawn from. */
  readonly random: Random;
  /** Paths and connections. */
  readonly network: SimulatedNetwork;
  /** Brokers. */
  readonly nodes: readonly SimulatedNode[];
  /** Is told which pairs are concerned. */
  readonly mesh: MeshWatch;
  /** Clients. */
  readonly population: Population;
}

type Begin = (world: FaultSurroundings) => Fault | null;

/** Every kind of fault, as often as it is to be drawn. */
const KINDS: readonly (readonly [weight: number, begin: Begin])[] = [
  [14, partition],
  [6, split],
  [12, slowPath],
  [18, dropRoute],
  [6, dropClient],
  [12, halfOpen],
  [10, crash],
  [4, leave],
  [6, slowReader],
  [6, standstill],
  [6, clockJump],
];

const TOTAL_WEIGHT = KINDS.reduce((sum, [weight]) => sum + weight, 0);

/** Begins a fault at random. */
export function beginFault(world: FaultSurroundings): Fault {
  for (;;) {
    let draw = world.random.below(TOTAL_WEIGHT);
    for (const [weight, begin] of KINDS) {
      draw -= weight;
      if (draw >= 0) continue;
      const fault = begin(world);
      if (fault !== null) return fault;
      break;
    }
  }
}

function twoNodes({ random, nodes }: FaultSurroundings): [SimulatedNode, SimulatedNode] {
  const one = random.below(nodes.length), step = 1 + random.below(nodes.length - 1);
  return [nodes[one]!, nodes[(one + step) % nodes.length]!];
}

function runningNode({ random, nodes }: FaultSurroundings): SimulatedNode | null {
  const node = pick(random, nodes);
  return node.state === "running" ? node : null;
}

/** Longer or shorter than it takes to notice. */
function silenceMs({ random, plan }: FaultSurroundings): number {
  return between(random, 20, 2 * stalenessMs(plan));
}

/** Silences paths until it is ended. */
function silence(world: FaultSurroundings, text: string, pairs: SimulatedNode[][], both: boolean) {
  const { network, mesh } = world, paths: Path[] = [];
  for (const [one, other] of pairs) {
    paths.push(network.path(one!.host.name, other!.host.name));
    if (both) paths.push(network.path(other!.host.name, one!.host.name));
    mesh.disturb(one!.index, other!.index);
  }
  for (const path of paths) path.silence();
  const end = () => {
    for (const path of paths) path.unsilence();
    for (const [one, other] of pairs) mesh.relieve(one!.index, other!.index);
    return true;
  };
  return { text, durationMs: silenceMs(world), end };
}

function partition(world: FaultSurroundings): Fault {
  const [one, other] = twoNodes(world);
  return silence(world, `partition between ${one.name} and ${other.name}`, [[one, other]], true);
}

function split(world: FaultSurroundings): Fault {
  const { nodes, random } = world, here: SimulatedNode[] = [], there: SimulatedNode[] = [];
  for (const node of nodes) (random.below(2) === 0 ? here : there).push(node);
  const pairs = here.flatMap((one) => there.map((other) => [one, other]));
  const text = `split of ${names(here)} from ${names(there)}`;
  return silence(world, text, pairs, true);
}

function names(nodes: readonly SimulatedNode[]): string {
  return nodes.map(({ name }) => name).join(" ") || "nobody";
}

function halfOpen(world: FaultSurroundings): Fault {
  const [one, other] = twoNodes(world);
  return silence(world, `${other.name} does not hear ${one.name}`, [[one, other]], false);
}

function slowPath(world: FaultSurroundings): Fault {
  const { network, mesh, random } = world, [one, other] = twoNodes(world);
  const path = network.path(one.host.name, other.host.name), extraMs = between(random, 10, SLOW_MS);
  path.extraDelayMs += extraMs;
  mesh.disturb(one.index, other.index);
  const end = () => {
    path.extraDelayMs -= extraMs;
    mesh.relieve(one.index, other.index);
    return true;
  };
  const text = `${extraMs} ms more from ${one.name} to ${other.name}`;
  return { text, durationMs: silenceMs(world), end };
}

function dropRoute(world: FaultSurroundings): Fault | null {
  const { nodes, mesh, random } = world,
    one = pick(random, nodes),
    hosts = new Map(
      nodes.map((node) => [node.host.name, node]),
    );
  const routes = [...one.host.connections].filter((connection) =>
    hosts.has(connection.peer.host.name)
  );
  if (routes.length === 0) return null;
  const connection = pick<SimulatedConnection>(random, routes);
  const other = hosts.get(connection.peer.host.name)!;
  connection.reset();
  mesh.disturb(one.index, other.index);
  mesh.relieve(one.index, other.index);
  const text = `connection ${connection.id} between ${one.name} and ${other.name} drops`;
  return { text, durationMs: 0 };
}

function dropClient({ population, random }: FaultSurroundings): Fault | null {
  const { clients } = population;
  if (clients.length === 0) return null;
  const client = pick(random, clients);
  client.reset();
  return { text: `client ${client.party.id} drops`, durationMs: 0 };
}

function slowReader({ population, random }: FaultSurroundings): Fault | null {
  const clients = population.clients.filter(({ ready, stalled }) => ready && !stalled);
  if (clients.length === 0) return null;
  const client = pick(random, clients);
  client.stall();
  const end = () => {
    client.resume();
    return true;
  };
  const text = `client ${client.party.id} reads nothing`;
  return { text, durationMs: between(random, 50, 3000), end };
}

function crash(world: FaultSurroundings): Fault | null {
  const { mesh, random, population } = world, node = runningNode(world);
  if (node === null) return null;
  const kind = pick<CrashKind>(random, ["killed", "vanished"]);
  mesh.disturbNode(node.index);
  node.crash(kind);
  for (const client of population.clientsOf(node.index)) client.close();
  return {
    text: `${node.name} is ${kind === "killed" ? "killed" : "gone without a trace"}`,
    durationMs: between(random, 10, AWAY_MS),
    end: () => restart(world, node),
  };
}

function leave(world: FaultSurroundings): Fault | null {
  const { mesh, random } = world, node = runningNode(world);
  if (node === null) return null;
  mesh.disturbNode(node.index);
  const drainMs = random.below(2) * between(random, 1, DRAIN_MS);
  void node.leave(drainMs);
  return {
    text: drainMs === 0 ? `${node.name} leaves` : `${node.name} leaves within ${drainMs} ms`,
    durationMs: between(random, 10, AWAY_MS),
    end: () => node.state === "down" ? restart(world, node) : false,
  };
}

async function restart({ mesh }: FaultSurroundings, node: SimulatedNode): Promise<boolean> {
  await node.start();
  mesh.relieveNode(node.index);
  return true;
}

function standstill(world: FaultSurroundings): Fault | null {
  const { mesh, random } = world, node = runningNode(world);
  if (node === null) return null;
  mesh.disturbNode(node.index);
  node.stand();
  const end = () => {
    node.resume();
    mesh.relieveNode(node.index);
    return true;
  };
  return { text: `${node.name} stands still`, durationMs: between(random, 50, STANDSTILL_MS), end };
}

function clockJump(world: FaultSurroundings): Fault | null {
  const node = runningNode(world);
  if (node === null) return null;
  const byMs = between(world.random, -JUMP_MS, JUMP_MS);
  node.clock.jump(byMs);
  return { text: `the clock of ${node.name} jumps by ${byMs} ms`, durationMs: 0 };
}
