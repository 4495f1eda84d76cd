/**
 * Which brokers are connected as they should be, and for how long.
 *
 * @module
 */
import { peersOf } from "./cluster_view.ts";
import type { SimulatedNode } from "./node.ts";
import { aftermathMs, type Plan } from "./plan.ts";
import type { Ticks } from "./ticks.ts";
import { Violation } from "./violation.ts";

interface Pair {
  /** Faults that keep the two from hearing each other as they should. */
  faults: number;
  /** When the last of them began or ended. */
  disturbedMs: number;
  /** Since when nothing has been missing on either side; Infinity: they do not. */
  fullSinceMs: number;
  /** The connections then. */
  connections: string;
}

/**
 * Looks at all pairs of brokers again and again. A pair is steady when no connection has been
 * missing for some time and no fault has touched it. Once it is, nothing but a fault may change its connections.
 */
export class MeshWatch {
  readonly #ticks: Ticks;
  readonly #nodes: readonly SimulatedNode[];
  /** By the lower index times the number of nodes plus the higher one; of one node with itself, too. */
  readonly #pairs: Pair[];
  readonly #aftermathMs: number;

  /** Nothing is connected yet. */
  constructor(plan: Plan, ticks: Ticks, nodes: readonly SimulatedNode[]) {
    this.#ticks = ticks;
    this.#nodes = nodes;
    this.#aftermathMs = aftermathMs(plan);
    this.#pairs = Array.from({ length: nodes.length ** 2 }, () => ({
      faults: 0,
      disturbedMs: 0,
      fullSinceMs: Infinity,
      connections: "",
    }));
  }

  #pair(one: number, other: number): Pair {
    return this.#pairs[Math.min(one, other) * this.#nodes.length + Math.max(one, other)]!;
  }

  /** A fault between two nodes begins; {@link MeshWatch.relieve} ends it. */
  disturb(one: number, other: number): void {
    const pair = this.#pair(one, other);
    pair.faults++;
    pair.disturbedMs = this.#ticks.nowMs;
    pair.fullSinceMs = Infinity;
  }

  /** A fault between two nodes is over. */
  relieve(one: number, other: number): void {
    const pair = this.#pair(one, other);
    pair.faults--;
    pair.disturbedMs = this.#ticks.nowMs;
  }

  /** A fault of one node, which concerns all it has to do with. */
  disturbNode(node: number): void {
    for (const { index } of this.#nodes) this.disturb(node, index);
  }

  /** A fault of one node is over. */
  relieveNode(node: number): void {
    for (const { index } of this.#nodes) this.relieve(node, index);
  }

  /** Since when messages from one node to another must arrive; Infinity: they need not. */
  steadySinceMs(one: number, other: number): number {
    const { faults, disturbedMs, fullSinceMs } = this.#pair(one, other);
    if (faults > 0) return Infinity;
    return (one === other ? disturbedMs : Math.max(disturbedMs, fullSinceMs)) + this.#aftermathMs;
  }

  /** Whether all nodes run and every pair is full. */
  get full(): boolean {
    return this.#nodes.every((one) =>
      one.state === "running" &&
      this.#nodes.every((other) =>
        one.index >= other.index || this.#pair(one.index, other.index).fullSinceMs !== Infinity
      )
    );
  }

  /**
   * Looks at all pairs.
   *
   * @throws {Violation} when a steady pair is not what it was.
   */
  look(): void {
    const nowMs = this.#ticks.nowMs;
    const connections = this.#nodes.map(connectionsOf);
    for (const one of this.#nodes) {
      for (const other of this.#nodes.slice(one.index + 1)) {
        const pair = this.#pair(one.index, other.index);
        const here = connections[one.index]!.get(idOf(other));
        const there = connections[other.index]!.get(idOf(one));
        const now = here === undefined || there === undefined ? "" : `${here} / ${there}`;
        if (now === pair.connections && now !== "" && pair.fullSinceMs !== Infinity) continue;
        const steadySinceMs = this.steadySinceMs(one.index, other.index);
        if (nowMs > steadySinceMs) {
          throw new Violation(
            "steadiness",
            `${one.name} and ${other.name} were steady from ${steadySinceMs} ms on, and without ` +
              `any fault their connections changed from ${pair.connections} to ${now || "fewer"}`,
          );
        }
        pair.connections = now;
        pair.fullSinceMs = now === "" || pair.faults > 0 ? Infinity : nowMs;
      }
    }
  }

  /** What is not full, in words. */
  describe(): string {
    const lines = this.#nodes.map((node) => {
      if (node.state !== "running") return `${node.name} is ${node.state}`;
      const peers = peersOf(node.broker).map(({ id, connections, missing }) => {
        const peer = this.#nodes.find((other) => idOf(other) === id);
        const lack = missing === 0 ? "" : ` without ${missing}`;
        return `${peer?.name ?? `stranger ${id.slice(0, 8)}`} [${connections}]${lack}`;
      });
      return `${node.name} sees ${peers.join(", ") || "nobody"}`;
    });
    return lines.join("; ");
  }
}

function idOf(node: SimulatedNode): string {
  return node.state === "down" ? "" : node.broker.id;
}

/** What a node is connected by to each of those to whom nothing is missing, by their ids. */
function connectionsOf(node: SimulatedNode): Map<string, string> {
  const full = new Map<string, string>();
  if (node.state !== "running" && node.state !== "standing") return full;
  for (const { id, connections, missing } of peersOf(node.broker)) {
    if (missing === 0) full.set(id, connections.join());
  }
  return full;
}
