// deno-lint-ignore-file no-console -- a program whose purpose is to print a table
/**
 * The same load on nats-server (A) and on denats (B), in turn, and the ratios of B to A.
 *
 *     deno task bench [--rounds 3] [--only <part of a scenario's name>] [--idle 10000]
 *     deno run -A bench/compare.ts --permissions [--rounds 9] [--only "16 B"]
 *
 * Every scenario runs once unmeasured on each side, then `--rounds` times A, B, A, B, ...; medians are
 * compared. With `--permissions` both are denats, and B's clients are in an account of their own as a
 * user with ten allow and ten deny rules for each direction. The idle scenario starts fresh processes in every round. CPU time per message is the
 * steadiest figure. The environment variable `NATS_SERVER` names the binary to use as A; without it
 * `tools/nats-server.sh` is asked for one. Where something it needs is missing, it says so and ends
 * with exit code 0.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { type Figures, LoadTools } from "./load_tools.ts";
import { type ServerCommand, ServerUnderLoad } from "./server_under_load.ts";

interface Scenario {
  readonly name: string;
  /** Arguments of natsload. */
  readonly load: string;
  /** The compared figure; a smaller one is better when it ends in `_us`. */
  readonly figure: string;
  /** The figure of its CPU time. */
  readonly cpu?: string;
  /** Payload bytes whose copy floor is shown beside it. */
  readonly floorSize?: number;
}

/** Publishers on one of two servers of a cluster, subscribers on the other. */
const acrossScenarios: readonly Scenario[] = [
  { name: "across 16 B", load: "--subs 1 --msgs 2000000", figure: "deliveries_per_s" },
  { name: "across 1 KiB", load: "--subs 1 --size 1024 --msgs 400000", figure: "deliveries_per_s" },
  { name: "across 8 KiB", load: "--subs 1 --size 8192 --msgs 100000", figure: "deliveries_per_s" },
  { name: "across request/reply p50", load: "--latency 10000", figure: "p50_us" },
  { name: "across request/reply p99", load: "--latency 10000", figure: "p99_us" },
];

const deliveries = { figure: "deliveries_per_s", cpu: "server_cpu_us_per_msg" };

const scenarios: readonly Scenario[] = [
  {
    ...deliveries,
    name: "publish, no subscriber",
    load: "--msgs 3000000",
    figure: "pub_msgs_per_s",
  },
  { ...deliveries, name: "1:1 16 B", load: "--subs 1 --msgs 2000000", floorSize: 16 },
  { ...deliveries, name: "1:4 16 B", load: "--subs 4 --msgs 600000" },
  { ...deliveries, name: "4:4 16 B", load: "--pubs 4 --subs 4 --msgs 150000" },
  {
    ...deliveries,
    name: "4:4 queue group 16 B",
    load: "--pubs 4 --subs 4 --queue --msgs 400000",
  },
  {
    ...deliveries,
    name: "1:1 rotating 1000 subjects",
    load: "--subs 1 --rotate 1000 --msgs 1200000",
  },
  { ...deliveries, name: "1:1 with a header", load: "--subs 1 --headers --msgs 1200000" },
  {
    ...deliveries,
    name: "1:1 1 KiB",
    load: "--subs 1 --size 1024 --msgs 500000",
    floorSize: 1024,
  },
  {
    ...deliveries,
    name: "1:1 8 KiB",
    load: "--subs 1 --size 8192 --msgs 100000",
    floorSize: 8192,
  },
  {
    ...deliveries,
    name: "1:1 64 KiB",
    load: "--subs 1 --size 65536 --msgs 12000",
    floorSize: 65536,
  },
  {
    name: "request/reply p50",
    load: "--latency 10000",
    figure: "p50_us",
    cpu: "server_cpu_us_per_rt",
  },
  { name: "request/reply p99", load: "--latency 10000", figure: "p99_us" },
];

const idleFigures = [
  ["idle KiB a connection", "kb_per_connection"],
  ["idle CPU %", "idle_cpu_percent"],
] as const;

/** Both sides' results, A first. */
type Sides<T> = readonly [a: T, b: T];

async function main(): Promise<void> {
  const options = parseArgs(Deno.args, {
    string: ["rounds", "only", "idle"],
    boolean: ["permissions"],
    default: { rounds: "3", only: "", idle: "10000" },
  });
  const rounds = Number(options.rounds);
  const idleConnections = Number(options.idle);
  if (!(Number.isInteger(rounds) && rounds > 0 && Number.isInteger(idleConnections))) {
    console.error("--rounds takes a whole number from 1 on, --idle a whole number");
    Deno.exit(1);
  }
  if (Deno.build.os !== "linux") {
    return console.log(
      "No comparison: CPU time and memory of the servers are read from Linux' /proc.",
    );
  }
  await using tools = await LoadTools.compile();
  if (tools === null) {
    return console.log("No comparison: the load generator needs a C compiler, cc.");
  }
  const main = decodeURIComponent(new URL("../main.ts", import.meta.url).pathname);
  const denats: ServerCommand = [Deno.execPath(), "run", "-A", main];
  const chosen = scenarios.filter(({ name }) => name.includes(options.only));
  if (options.permissions) return await comparePermissions(tools, denats, chosen, rounds);
  const natsServer = await findNatsServer();
  if (natsServer === null) {
    return console.log("No comparison: no nats-server at hand; name one in NATS_SERVER.");
  }
  const commands: Sides<ServerCommand> = [[natsServer], denats];
  console.log(
    `A: ${natsServer}, B: denats; median of ${rounds}; ratio > 1 and CPU < 1: denats is better`,
  );
  printRow("scenario", "A", "B", "ratio", "CPU");
  if (chosen.length > 0) await compareLoads(tools, commands, chosen, rounds);
  const across = acrossScenarios.filter(({ name }) => name.includes(options.only));
  if (across.length > 0) await compareAcross(tools, commands, across, rounds);
  if (idleFigures.some(([name]) => name.includes(options.only))) {
    await compareIdle(tools, commands, idleConnections, rounds);
  }
}

async function compareLoads(
  tools: LoadTools,
  commands: Sides<ServerCommand>,
  chosen: readonly Scenario[],
  rounds: number,
): Promise<void> {
  await using a = await ServerUnderLoad.start(commands[0]);
  await using b = await ServerUnderLoad.start(commands[1]);
  await compareOn(tools, [[a, a], [b, b]], chosen, rounds);
}

/** denats without permissions (A) and with them (B). */
async function comparePermissions(
  tools: LoadTools,
  denats: ServerCommand,
  chosen: readonly Scenario[],
  rounds: number,
): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(file, JSON.stringify(permissionSettings()));
    console.log(`A: denats, B: denats with permissions; median of ${rounds}; CPU < 1.1 is the aim`);
    printRow("scenario", "A", "B", "ratio", "CPU");
    await compareLoads(tools, [denats, [...denats, "-c", file]], chosen, rounds);
  } finally {
    await Deno.remove(file);
  }
}

/** Whoever shows nothing is a user with rules, of which the last to allow matches the load. */
function permissionSettings(): Record<string, unknown> {
  const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
  const rules = {
    allow: [...names.map((name) => `orders.*.${name}.>`), "bench.>"],
    deny: [...names.map((name) => `bench.*.${name}`), "*.secret.>"],
  };
  const user = {
    user: "load",
    password: "load",
    permissions: { publish: rules, subscribe: rules },
  };
  return { accounts: { LOAD: { users: [user] } }, no_auth_user: "load" };
}

async function compareAcross(
  tools: LoadTools,
  commands: Sides<ServerCommand>,
  chosen: readonly Scenario[],
  rounds: number,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const pairs: (readonly [ServerUnderLoad, ServerUnderLoad])[] = [];
  for (const command of commands) {
    const pair = await ServerUnderLoad.startPair(command);
    for (const server of pair) stack.use(server);
    pairs.push(pair);
  }
  await compareOn(tools, [pairs[0]!, pairs[1]!], chosen, rounds);
}

/** Runs scenarios on both sides, each of which is where to publish and where to subscribe. */
async function compareOn(
  tools: LoadTools,
  sides: Sides<readonly [publish: ServerUnderLoad, subscribe: ServerUnderLoad]>,
  chosen: readonly Scenario[],
  rounds: number,
): Promise<void> {
  for (const scenario of chosen) {
    const results: Sides<Figures[]> = [[], []];
    try {
      for (let round = 0; round <= rounds; round++) {
        for (const [side, [server, other]] of sides.entries()) {
          const load = `${scenario.load} --sub-port ${other.port}`;
          const figures = await tools.load(server.port, server.pid, load);
          if (round > 0) results[side]!.push(figures);
        }
      }
    } catch (error) {
      printRow(scenario.name, `failed: ${error instanceof Error ? error.message : error}`);
      continue;
    }
    await printScenario(tools, scenario, results);
  }
}

async function printScenario(
  tools: LoadTools,
  { name, figure, cpu, floorSize }: Scenario,
  results: Sides<Figures[]>,
): Promise<void> {
  const [a, b] = medians(results, figure);
  const ratio = figure.endsWith("_us") ? a / b : b / a;
  let cpuRatio = "-";
  if (cpu !== undefined) {
    const [cpuA, cpuB] = medians(results, cpu);
    if (cpuA > 0) cpuRatio = (cpuB / cpuA).toFixed(2);
  }
  let note = "";
  if (floorSize !== undefined) {
    const floors: number[] = [];
    for (let run = 0; run < 3; run++) floors.push(await tools.copyFloor(floorSize));
    const percent = (rate: number) => Math.round(100 * rate / median(floors));
    note = `${percent(b)} % of the copy floor (A: ${percent(a)} %)`;
  }
  printRow(name, whole(a), whole(b), ratio.toFixed(2), cpuRatio, note);
}

async function compareIdle(
  tools: LoadTools,
  commands: Sides<ServerCommand>,
  connections: number,
  rounds: number,
): Promise<void> {
  const results: Sides<Figures[]> = [[], []];
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [side, command] of commands.entries()) {
        await using server = await ServerUnderLoad.start(command);
        const load = `--idle ${connections} --hold 3`;
        results[side]!.push(await tools.load(server.port, server.pid, load));
      }
    }
  } catch (error) {
    printRow("idle connections", `failed: ${error instanceof Error ? error.message : error}`);
    return;
  }
  for (const [name, figure] of idleFigures) {
    const [a, b] = medians(results, figure);
    const ratio = b > 0 ? (a / b).toFixed(2) : "-";
    printRow(name, a.toFixed(2), b.toFixed(2), ratio, "-", `${connections} connections`);
  }
}

/** The path of a nats-server, or null where none can be had. */
async function findNatsServer(): Promise<string | null> {
  const named = Deno.env.get("NATS_SERVER");
  if (named !== undefined) return named;
  const script = decodeURIComponent(new URL("../tools/nats-server.sh", import.meta.url).pathname);
  try {
    const { success, stdout } = await new Deno.Command("bash", {
      args: [script, "2.15"],
      stdin: "null",
      stderr: "inherit",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function medians(results: Sides<Figures[]>, figure: string): Sides<number> {
  const of = (side: Figures[]) => median(side.map((figures) => figures[figure]!));
  return [of(results[0]), of(results[1])];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function printRow(name: string, ...[a = "", b = "", ratio = "", cpu = "", note = ""]: string[]) {
  const row = name.padEnd(28) + a.padStart(14) + b.padStart(14) + ratio.padStart(8) +
    cpu.padStart(7) + `   ${note}`;
  console.log(row.trimEnd());
}

if (import.meta.main) await main();
