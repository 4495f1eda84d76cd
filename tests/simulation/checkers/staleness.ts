/**
 * A broker that does not hear a peer any more finds out in time.
 *
 * @module
 */
import { peersOf } from "../cluster_view.ts";
import type { SimulatedNode } from "../node.ts";
import type { Path } from "../path.ts";
import { stalenessMs } from "../plan.ts";
import { Violation } from "../violation.ts";
import type { Checked, Checker } from "./checker.ts";

interface Silence {
  readonly sinceMs: number;
  /** When it was noticed. */
  readonly lookedMs: number;
  /** The connections from one to the other then. */
  readonly connections: readonly number[];
}

/** See the module. */
export function stalenessChecker({ plan, ticks, network, nodes }: Checked): Checker {
  const limitMs = stalenessMs(plan), silences = new Map<Path, Silence>();
  const pathsFrom = nodes.map((one) =>
    nodes.map((other) => network.path(one.host.name, other.host.name))
  );
  const look = (one: SimulatedNode, other: SimulatedNode) => {
    const key = pathsFrom[one.index]![other.index]!, back = pathsFrom[other.index]![one.index]!;
    const sinceMs = Math.min(key.silentSinceMs ?? Infinity, back.silentSinceMs ?? Infinity);
    if (sinceMs === Infinity || one.state !== "running" || other.state !== "running") {
      silences.delete(key);
      return;
    }
    const connections = connectionsBetween(one, other), silence = silences.get(key);
    if (silence?.sinceMs !== sinceMs) {
      silences.set(key, { sinceMs, lookedMs: ticks.nowMs, connections });
      return;
    }
    const silentMs = ticks.nowMs - silence.lookedMs;
    if (silentMs <= limitMs) return;
    const stale = silence.connections.filter((id) => connections.includes(id));
    if (stale.length === 0) return;
    throw new Violation(
      "staleness",
      `${one.name} and ${other.name} have not heard each other for ${silentMs} ms, and ` +
        `${one.name} still has connections ${stale.join()} to it; ${limitMs} ms is the limit`,
    );
  };
  return {
    look: () => {
      for (const one of nodes) {
        for (const other of nodes) if (one !== other) look(one, other);
      }
    },
  };
}

function connectionsBetween(one: SimulatedNode, other: SimulatedNode): number[] {
  const peer = peersOf(one.broker).find(({ id }) => id === other.broker.id);
  return [...peer?.connections ?? []];
}
