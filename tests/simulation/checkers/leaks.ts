/**
 * When all clients have left, nothing is left of them; when the brokers close, nothing is left at all.
 *
 * @module
 */
import type { TaskInfo } from "../../../src/supervisor/mod.ts";
import type { SimulatedNode } from "../node.ts";
import { Violation } from "../violation.ts";
import type { Checked } from "./checker.ts";

/** What a cluster without clients consists of, over all brokers. */
export interface Inventory {
  /** Tasks by name, with numbers and addresses left out. */
  readonly tasks: ReadonlyMap<string, number>;
  /** Timers that are set. */
  readonly timers: number;
  /** Ends of connections. */
  readonly connections: number;
}

/** Counts what there is. */
export function takeInventory({ nodes }: Checked): Inventory {
  const tasks = new Map<string, number>();
  const count = (task: TaskInfo, path: string) => {
    const name = `${path}/${task.name.replace(/:.*/, "")}`;
    tasks.set(name, (tasks.get(name) ?? 0) + 1);
    for (const child of task.children) count(child, name);
  };
  let timers = 0, connections = 0;
  for (const node of nodes) {
    count(node.broker.tasks(), "");
    timers += node.clock.pendingTimers;
    connections += node.host.connections.size;
  }
  return { tasks, timers, connections };
}

/**
 * Compares what is left without clients with what there was before they came.
 *
 * @throws {Violation} when there is more.
 */
export function checkLeftovers(world: Checked, before: Inventory): void {
  const now = takeInventory(world), more: string[] = [];
  for (const [name, count] of now.tasks) {
    const expected = before.tasks.get(name) ?? 0;
    if (count > expected) more.push(`${count} tasks ${name} instead of ${expected}`);
  }
  if (now.timers > before.timers) {
    more.push(`${now.timers} timers instead of ${before.timers}`);
  }
  if (now.connections > before.connections) {
    const ends = world.nodes.flatMap(({ name, host }) =>
      [...host.connections].map(({ id, peer }) => `${id} at ${name} to ${peer.host.name}`)
    );
    more.push(
      `${now.connections} ends of connections instead of ${before.connections}: ${ends.join(", ")}`,
    );
  }
  for (const node of world.nodes) {
    const { connections, subscriptions } = node.broker.statistics;
    for (const { name, routes } of node.broker.routes()) {
      const pending = routes.reduce((sum, { pendingBytes }) => sum + pendingBytes, 0);
      if (pending > 0) more.push(`${node.name} has ${pending} bytes waiting for ${name}`);
    }
    if (connections > 0) more.push(`${node.name} counts ${connections} clients`);
    if (subscriptions > 0) more.push(`${node.name} counts ${subscriptions} subscriptions`);
  }
  if (more.length > 0) throw new Violation("leaks", `without clients, ${more.join("; ")}`);
}

/**
 * Looks at a node whose broker has closed.
 *
 * @throws {Violation} when something of it is left.
 */
export function checkClosed(node: SimulatedNode, tasks: TaskInfo): void {
  const left: string[] = [];
  if (node.state !== "down") left.push(`it is ${node.state}`);
  for (const { name } of tasks.children) left.push(`task ${name}`);
  if (node.clock.pendingTimers > 0) left.push(`${node.clock.pendingTimers} timers`);
  if (node.host.connections.size > 0) left.push(`${node.host.connections.size} connections`);
  if (node.host.listening > 0) left.push(`${node.host.listening} listeners`);
  if (left.length > 0) {
    throw new Violation("leaks", `of ${node.name}, which has closed: ${left.join(", ")}`);
  }
}
