/**
 * What a seed stands for.
 *
 * @module
 */
import { type Random, SeededRandom } from "../../src/platform/mod.ts";

/** Which other brokers a broker is configured to dial. */
export type Topology = "all" | "first two" | "chain";

/** The circumstances of one simulation. */
export interface Plan {
  /** What everything is drawn from. */
  readonly seed: number;
  /** How many brokers there are. */
  readonly nodes: number;
  /** Who dials whom. */
  readonly topology: Topology;
  /** Each broker's size of the pool of connections to each other one; -1 for no pool. */
  readonly poolSizes: readonly number[];
  /** Each broker's mode of compression between brokers. */
  readonly compression: readonly string[];
  /** The accounts of its clients. */
  readonly accounts: readonly string[];
  /** Which of them have connections between brokers of their own. */
  readonly pinned: readonly string[];
  /** The interval of PINGs on routes. */
  readonly pingIntervalMs: number;
  /** How many PINGs may be unanswered. */
  readonly pingMax: number;
  /** The longest delay of a healthy path, in milliseconds. */
  readonly pathMs: number;
  /** Clients at each broker. */
  readonly clientsPerNode: number;
  /** How many bytes may wait for a client before it is closed. */
  readonly maxPendingBytes: number;
  /** Phases of faults, each followed by a calm in which everything is checked. */
  readonly rounds: number;
  /** Faults in each. */
  readonly faultsPerRound: number;
  /** The average time between two faults. */
  readonly faultGapMs: number;
  /** The average time between two things that clients do. */
  readonly trafficGapMs: number;
}

/** What a random source is for: one more draw here changes nothing there. */
export type Stream = "plan" | "network" | "faults" | "clients" | "traffic" | "brokers";

/** Small clusters more often: the cost grows with the square. */
const NODES: readonly number[] = [3, 3, 3, 4, 4, 5, 5, 6, 7];

const STREAMS: readonly Stream[] = ["plan", "network", "faults", "clients", "traffic", "brokers"];

/** The chance of one purpose in a seed. */
export function streamOf(seed: number, stream: Stream): SeededRandom {
  return new SeededRandom(seed * STREAMS.length + STREAMS.indexOf(stream));
}

/** One of several, at random. */
export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)]!;
}

/** A whole number from `least` to `most`. */
export function between(random: Random, least: number, most: number): number {
  return least + random.below(most - least + 1);
}

/** One choice for all, more often than not, or one for each. */
function likeOrUnlike<T>(random: Random, count: number, choices: readonly T[]): T[] {
  const common = random.below(4) > 0 ? pick(random, choices) : undefined;
  return Array.from({ length: count }, () => common ?? pick(random, choices));
}

/** The plan of a seed. */
export function planOf(seed: number): Plan {
  const random = streamOf(seed, "plan"), nodes = pick(random, NODES);
  const poolSizes = likeOrUnlike(random, nodes, [1, 2, 3, 3, -1]);
  const accounts = random.below(2) === 0 ? ["$G"] : ["A", "B"];
  const canPin = accounts.length > 1 && !poolSizes.includes(-1);
  return {
    seed,
    nodes,
    topology: pick<Topology>(random, ["all", "all", "all", "first two", "chain"]),
    poolSizes,
    accounts,
    pinned: canPin && random.below(2) === 0 ? ["B"] : [],
    compression: likeOrUnlike(random, nodes, ["off", "off", "accept", "s2_fast", "s2_auto"]),
    pingIntervalMs: pick(random, [200, 300, 500, 1000]),
    pingMax: pick(random, [1, 2, 2, 3]),
    pathMs: pick(random, [2, 5, 20]),
    clientsPerNode: between(random, 1, 3),
    maxPendingBytes: pick(random, [131_072, 67_108_864, 67_108_864]),
    rounds: 3,
    faultsPerRound: 67 + random.below(10),
    faultGapMs: pick(random, [20, 30, 50, 80, 120]),
    trafficGapMs: pick(random, [10, 25, 50]),
  };
}

/** How long a broker may take to find out that a peer is silent. */
export function stalenessMs({ pingIntervalMs, pingMax, pathMs }: Plan): number {
  // The first PING after a connection has up to a fifth more; deadlines are looked at every 100 ms.
  return Math.ceil((pingMax + 1) * (1.2 * pingIntervalMs + 100)) + 4 * pathMs;
}

/** How long it may take after a fault until everything that it led to has come to an end. */
export function aftermathMs(plan: Plan): number {
  return 500 + 10 * plan.pathMs;
}

/** How long the mesh may take to become full once all faults are over. */
export function convergenceMs(plan: Plan): number {
  // Those who do not know it yet find out, dials that are under way fail, and new ones succeed.
  return 3 * stalenessMs(plan) + 8000;
}
