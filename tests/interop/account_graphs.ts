/**
 * Graphs of accounts played to servers in several arrangements, and where what clients got differs.
 *
 * @module
 */
import { SeededRandom } from "../../src/platform/mod.ts";
import { Broker } from "../../mod.ts";
import type { ServerAddress } from "../support/conversation.ts";
import { freePort, releasePort } from "../support/free_port.ts";
import { startNatsServer } from "../support/nats_server.ts";
import {
  accountsOf,
  describeGraph,
  describeStep,
  generateGraph,
  type Graph,
} from "./account_graph.ts";
import { playGraph, type Receipts } from "./account_graph_play.ts";
import { SEED } from "./side_by_side.ts";

/** How many graphs there are, overridable by `GRAPHS` in the environment. */
export const GRAPH_COUNT = Number(Deno.env.get("GRAPHS") ?? 40);

/** How many graphs are played at once. */
const PARALLEL_LIMIT = 6;

/** What a server is: an official one, or denats. */
export type GraphServer = "nats-server" | "denats";

/** Servers that a graph is played to: one, or two in a cluster. */
export type Arrangement = readonly [GraphServer] | readonly [GraphServer, GraphServer];

/**
 * The graphs of {@link SEED} that nats-server accepts. What its rules are is left to it: cycles, and
 * two imports of one name, among others.
 */
export async function acceptedGraphs(binary: string): Promise<Graph[]> {
  const accepted: Graph[] = [];
  for (let number = 0; accepted.length < GRAPH_COUNT && number < 4 * GRAPH_COUNT; number++) {
    const graph = generateGraph(number, new SeededRandom(SEED * 1000 + number));
    if (await accepts(binary, graph)) accepted.push(graph);
  }
  return accepted;
}

/** Plays every graph to one arrangement, all of them to the same servers. */
export async function playAll(
  binary: string,
  graphs: readonly Graph[],
  arrangement: Arrangement,
): Promise<(Receipts[] | string)[]> {
  await using servers = await startServers(binary, graphs, arrangement);
  const results: (Receipts[] | string)[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < graphs.length; index = next++) {
      results[index] = await playGraph(graphs[index]!, servers.addresses).catch(String);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_LIMIT }, worker));
  return results;
}

/** A description of each graph whose results differ: its first step that does. */
export function differences(
  graphs: readonly Graph[],
  expected: readonly (Receipts[] | string)[],
  actual: readonly (Receipts[] | string)[],
): string[] {
  return graphs.flatMap((graph, index) => {
    const left = expected[index]!, right = actual[index]!;
    if (typeof left === "string" || typeof right === "string") {
      const show = (result: Receipts[] | string) => typeof result === "string" ? result : "played";
      return left === right ? [] : [`${describeGraph(graph)}\n   ${show(left)}\n   ${show(right)}`];
    }
    const step = left.findIndex((receipts, step) =>
      JSON.stringify(receipts) !== JSON.stringify(right[step])
    );
    if (step === -1) return [];
    return [
      `${describeGraph(graph)}\n${describeDifference(graph, step, left[step]!, right[step]!)}`,
    ];
  });
}

function describeDifference(
  graph: Graph,
  index: number,
  expected: Receipts,
  actual: Receipts,
): string {
  const step = graph.steps[index - 1];
  const lines = [`   differs at ${index - 1}: ${step ? describeStep(graph, step) : "the opening"}`];
  const compare = (who: string, left: readonly string[] = [], right: readonly string[] = []) => {
    if (JSON.stringify(left) === JSON.stringify(right)) return;
    const missing = without(left, right), excess = without(right, left);
    lines.push(`     ${who}${missing.length + excess.length === 0 ? ": another order" : ""}`);
    lines.push(...missing.map((one) => `       missing ${one}`));
    lines.push(...excess.map((one) => `       excess  ${one}`));
  };
  expected.clients.forEach((one, client) =>
    compare(`client ${client}`, one, actual.clients[client])
  );
  for (const queue of new Set([...Object.keys(expected.queues), ...Object.keys(actual.queues)])) {
    compare(`queue ${queue}`, expected.queues[queue], actual.queues[queue]);
  }
  return lines.join("\n");
}

/** What is left of a multiset when another one is taken away. */
function without(all: readonly string[], gone: readonly string[]): string[] {
  const rest = [...all];
  for (const one of gone) {
    const place = rest.indexOf(one);
    if (place !== -1) rest.splice(place, 1);
  }
  return rest;
}

async function accepts(binary: string, graph: Graph): Promise<boolean> {
  const file = await Deno.makeTempFile({ suffix: ".conf" });
  try {
    await Deno.writeTextFile(file, JSON.stringify({ accounts: accountsOf([graph]) }));
    const { success } = await new Deno.Command(binary, { args: ["-t", "-c", file] }).output();
    return success;
  } finally {
    await Deno.remove(file);
  }
}

interface Servers extends AsyncDisposable {
  readonly addresses: readonly ServerAddress[];
}

async function startServers(
  binary: string,
  graphs: readonly Graph[],
  arrangement: Arrangement,
): Promise<Servers> {
  await using stack = new AsyncDisposableStack();
  const ports = arrangement.length === 1 ? [] : arrangement.map(() => freePort());
  stack.defer(() => ports.forEach(releasePort));
  const addresses: ServerAddress[] = [];
  for (const [index, kind] of arrangement.entries()) {
    const settings = {
      server_name: `S${index}`,
      accounts: accountsOf(graphs),
      ...ports.length === 0 ? {} : {
        cluster: {
          name: "graphs",
          host: "127.0.0.1",
          port: ports[index]!,
          routes: ports.slice(0, index).map((port) => `nats-route://127.0.0.1:${port}`),
        },
      },
    };
    addresses.push(
      kind === "nats-server"
        ? stack.use(await startNatsServer(binary, JSON.stringify(settings)))
        : stack.use(await Broker.start({ host: "127.0.0.1", port: -1, ...settings } as never))
          .address,
    );
  }
  const owned = stack.move();
  return { addresses, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
