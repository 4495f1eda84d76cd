/**
 * The program that {@link ObservedBroker} runs: a broker that tells, whenever a line comes on its
 * standard input, what it holds. Needs `--v8-flags=--expose-gc`.
 */
import type { Broker, TaskInfo } from "../../mod.ts";
import { startBroker } from "./broker.ts";

/** What a broker and its process hold, after garbage was collected. */
export interface Holdings {
  /** Clients connected. */
  readonly connections: number;
  /** Subscriptions of all clients. */
  readonly subscriptions: number;
  /** Tasks of the broker. */
  readonly tasks: number;
  /** Clients that were closed because they did not keep up. */
  readonly slowConsumers: number;
  /** Other servers of the cluster. */
  readonly peers: number;
  /** Connections to them. */
  readonly routes: number;
  /** How often they were dialled. */
  readonly routeDials: number;
  /** Tasks that threw. */
  readonly panics: number;
  /** Open files of the process, sockets included. */
  readonly files: number;
  /** Bytes of live objects on the heap. */
  readonly heapBytes: number;
  /** Bytes of buffers outside the heap. */
  readonly bufferBytes: number;
  /** Bytes of the process that are in memory. */
  readonly residentBytes: number;
}

function holdings(broker: Broker): Holdings {
  const { connections, subscriptions, slowConsumers, panics, routes, routeDials } =
    broker.statistics;
  const { heapUsed, external, rss } = Deno.memoryUsage();
  return {
    connections,
    subscriptions,
    tasks: taskCount(broker.tasks()),
    slowConsumers,
    peers: broker.routes().length,
    routes,
    routeDials,
    panics,
    files: Deno.build.os === "linux" ? [...Deno.readDirSync("/proc/self/fd")].length : 0,
    heapBytes: heapUsed,
    bufferBytes: external,
    residentBytes: rss,
  };
}

/** How many tasks there are, `task` included. */
export function taskCount(task: TaskInfo): number {
  return task.children.reduce((sum, child) => sum + taskCount(child), 1);
}

function print(value: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
}

if (import.meta.main) {
  const collectGarbage = (globalThis as unknown as { gc: () => void }).gc;
  await using broker = await startBroker(JSON.parse(Deno.args[0] ?? "{}"));
  print(broker.address);
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  for await (const line of lines) {
    if (line.startsWith("collect")) collectGarbage();
    print(holdings(broker));
  }
}
