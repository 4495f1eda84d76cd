/**
 * A broker of a simulated cluster, on its machine.
 *
 * @module
 */
import { Broker } from "../../mod.ts";
import { SeededRandom } from "../../src/platform/mod.ts";
import { MemoryFiles } from "../support/memory_files.ts";
import type { BrokerSettings } from "../support/memory_broker.ts";
import type { CrashKind, Host } from "./host.ts";
import { NodeClock } from "./node_clock.ts";
import type { SimulatedNetwork } from "./network.ts";
import type { Plan } from "./plan.ts";
import type { Ticks } from "./ticks.ts";

/** The port of clients and that of routes, on every node. */
export const CLIENT_PORT = 4222, CLUSTER_PORT = 6222;
/** Lines of a broker's log that are kept. */
const LOG_LINES = 2000;

/** What a node's broker is doing. */
export type NodeState = "down" | "running" | "standing" | "leaving";

/** What nodes take from their surroundings. */
export interface NodeSurroundings {
  /** The seed's plan. */
  readonly plan: Plan;
  /** Time. */
  readonly ticks: Ticks;
  /** The way to the others. */
  readonly network: SimulatedNetwork;
}

/** A machine that runs one broker after another. */
export class SimulatedNode {
  /** From 0. */
  readonly index: number;
  /** Its machine. */
  readonly host: Host;
  /** The logs of its brokers, each line with its virtual time. */
  readonly log: string[] = [];
  /** What the broker is doing. */
  state: NodeState = "down";
  readonly #surroundings: NodeSurroundings;
  #broker: Broker | undefined;
  #clock: NodeClock;
  #starts = 0;

  /** A machine on which nothing runs. */
  constructor(surroundings: NodeSurroundings, index: number) {
    this.#surroundings = surroundings;
    this.index = index;
    this.host = surroundings.network.host(addressOf(index));
    this.#clock = new NodeClock(surroundings.ticks);
  }

  /** The broker's `server_name`. */
  get name(): string {
    return nameOf(this.index);
  }

  /** The broker, running, standing or leaving. */
  get broker(): Broker {
    if (this.#broker === undefined) throw new Error(`${this.name} is down`);
    return this.#broker;
  }

  /** The time of the broker's process. */
  get clock(): NodeClock {
    return this.#clock;
  }

  /** Starts a broker with a new identity. Virtual time must stand still until it resolves. */
  async start(): Promise<void> {
    const { plan, ticks, network } = this.#surroundings;
    const clock = this.#clock = new NodeClock(ticks);
    network.start(this.host);
    // Making keys takes real time or none, as it happens. Nothing else may be going on meanwhile.
    await ticks.clock.settle();
    this.#broker = await Broker.start(settingsOf(plan, this.index), {
      transport: network.transport(this.host.name),
      clock,
      random: new SeededRandom((plan.seed * 8 + this.index) * 1024 + ++this.#starts),
      files: new MemoryFiles(),
      writeLog: (line) => this.#note(line.trimEnd()),
    });
    await ticks.clock.settle();
    this.state = "running";
  }

  #note(line: string): void {
    if (this.log.length >= LOG_LINES) this.log.splice(0, LOG_LINES / 2);
    this.log.push(`${String(this.#surroundings.ticks.nowMs).padStart(6)} ms  ${line}`);
  }

  /** The process ends in the middle of whatever it does. */
  crash(kind: CrashKind): void {
    this.#note(kind);
    this.#clock.kill();
    this.host.crash(kind);
    this.#broker = undefined;
    this.state = "down";
  }

  /** The process stands still, as one that is stopped or swapped out. */
  stand(): void {
    this.#clock.stand();
    this.host.stand();
    this.state = "standing";
  }

  /** The process goes on. */
  resume(): void {
    this.#clock.resume();
    this.host.resume();
    this.state = "running";
  }

  /** The broker closes in order, in no hurry if it is told how long to take; then it is down. */
  async leave(drainMs = 0): Promise<void> {
    const broker = this.broker;
    this.state = "leaving";
    await broker.close({ drain: drainMs > 0, drainMs });
    if (this.#broker !== broker) return;
    this.#broker = undefined;
    this.state = "down";
  }
}

/** The address of a node's machine. */
export function addressOf(index: number): string {
  return `10.0.0.${index + 1}`;
}

/** The name of a node's broker. */
export function nameOf(index: number): string {
  return `n${index + 1}`;
}

/** The nodes that a node is configured to dial; itself may be among them, as in real files. */
function dialled({ nodes, topology }: Plan, index: number): number[] {
  switch (topology) {
    case "all":
      return Array.from({ length: nodes }, (_, other) => other);
    case "first two":
      return [0, 1];
    case "chain":
      return index === 0 ? [] : [index - 1];
  }
}

function settingsOf(plan: Plan, index: number): BrokerSettings {
  const users = plan.accounts.filter((account) => account !== "$G");
  const settings = {
    ...(users.length > 0 && {
      accounts: Object.fromEntries(
        users.map((name) => [name, { users: [{ user: name, password: name }] }]),
      ),
    }),
    host: addressOf(index),
    port: CLIENT_PORT,
    server_name: nameOf(index),
    max_payload: 65_536,
    max_pending: plan.maxPendingBytes,
    cluster: {
      name: "simulated",
      host: addressOf(index),
      port: CLUSTER_PORT,
      routes: dialled(plan, index).map((other) =>
        `nats-route://${addressOf(other)}:${CLUSTER_PORT}`
      ),
      pool_size: plan.poolSizes[index]!,
      accounts: [...plan.pinned],
      compression: plan.compression[index]!,
      ping_interval: `${plan.pingIntervalMs}ms`,
      ping_max: plan.pingMax,
      connect_retries: 1000,
    },
  };
  return settings as BrokerSettings;
}
