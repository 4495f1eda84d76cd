// deno-lint-ignore-file no-console -- a program whose purpose is to print a table
/**
 * The same load over TLS on nats-server (A) and on denats (B), in turn, and the ratios of B to A.
 *
 *     deno run -A bench/compare_tls.ts [--rounds 3] [--idle 1000] [--only <part of a name>]
 *
 * Needs a nats-server (named in `NATS_SERVER`, or what `tools/nats-server.sh` finds), a C compiler and
 * OpenSSL's headers. The idle scenario starts fresh processes in every round, each on one core.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { CertificateFolder, TestAuthority } from "../tests/support/certificates.ts";
import { findNatsServer } from "../tests/support/nats_server.ts";
import { type Figures, LoadTools } from "./load_tools.ts";
import { type ServerCommand, ServerUnderLoad } from "./server_under_load.ts";

/** What is compared: arguments of natsload_tls, and a figure, smaller is better where it ends in `_us`. */
const SCENARIOS = [
  ["1:1 16 B", "--subs 1 --msgs 600000", "deliveries_per_s", "server_cpu_us_per_msg"],
  ["1:1 1 KiB", "--subs 1 --size 1024 --msgs 300000", "deliveries_per_s", "server_cpu_us_per_msg"],
  ["1:1 8 KiB", "--subs 1 --size 8192 --msgs 60000", "deliveries_per_s", "server_cpu_us_per_msg"],
  ["request/reply p50", "--latency 5000", "p50_us", "server_cpu_us_per_rt"],
] as const;

async function main(): Promise<void> {
  const { rounds, idle, only } = parseArgs(Deno.args, {
    string: ["rounds", "idle", "only"],
    default: { rounds: "3", idle: "1000", only: "" },
  });
  const natsServer = Deno.env.get("NATS_SERVER") ?? await findNatsServer("2.15");
  await using tools = await LoadTools.compile("natsload_tls");
  if (natsServer === undefined || tools === null) {
    return console.log("No comparison: it needs a nats-server and a C compiler.");
  }
  await using folder = await CertificateFolder.create();
  const authority = await TestAuthority.create();
  const { cert_file, key_file } = await folder.pair(
    "server",
    await authority.issue({ dns: ["localhost"] }),
  );
  const tls = ["--tls", "--tlscert", cert_file, "--tlskey", key_file];
  const denats = decodeURIComponent(new URL("../main.ts", import.meta.url).pathname);
  const commands: readonly ServerCommand[] = [
    [natsServer, ...tls],
    [Deno.execPath(), "run", "-A", denats, ...tls],
  ];
  console.log(`A: ${natsServer}, B: denats; median of ${rounds}; CPU < 1: denats is better`);
  const chosen = SCENARIOS.filter(([name]) => name.includes(only));
  if (chosen.length > 0) await compareLoads(tools, commands, chosen, Number(rounds));
  if ("idle".includes(only) && Number(idle) > 0) {
    await compareIdle(tools, commands, Number(idle), Number(rounds));
  }
}

async function compareLoads(
  tools: LoadTools,
  commands: readonly ServerCommand[],
  chosen: readonly (typeof SCENARIOS)[number][],
  rounds: number,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const servers: ServerUnderLoad[] = [];
  for (const command of commands) servers.push(stack.use(await ServerUnderLoad.start(command)));
  for (const [name, load, figure, cpu] of chosen) {
    const results: Figures[][] = servers.map(() => []);
    for (let round = 0; round <= rounds; round++) {
      for (const [side, { port, pid }] of servers.entries()) {
        const figures = await tools.load(port, pid, load);
        if (round > 0) results[side]!.push(figures);
      }
    }
    const [a, b] = results.map((side) => medianOf(side, figure));
    const [cpuA, cpuB] = results.map((side) => medianOf(side, cpu));
    const ratio = figure.endsWith("_us") ? a! / b! : b! / a!;
    const costs = `CPU ${cpuA!.toFixed(2)} and ${cpuB!.toFixed(2)} us, ${
      (cpuB! / cpuA!).toFixed(2)
    }`;
    printRow(name, a!.toFixed(0), b!.toFixed(0), ratio.toFixed(2), costs);
  }
}

async function compareIdle(
  tools: LoadTools,
  commands: readonly ServerCommand[],
  connections: number,
  rounds: number,
): Promise<void> {
  const results: Figures[][] = commands.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [side, command] of commands.entries()) {
      await using server = await ServerUnderLoad.start(["taskset", "-c", "0", ...command]);
      const load = `--idle ${connections} --hold 2`;
      results[side]!.push(await tools.load(server.port, server.pid, load));
    }
  }
  for (
    const [name, figure] of [
      ["accepted a second", "connect_per_s"],
      ["idle KiB a connection", "kb_per_connection"],
    ] as const
  ) {
    const [a, b] = results.map((side) => medianOf(side, figure));
    printRow(
      name,
      a!.toFixed(1),
      b!.toFixed(1),
      (b! / a!).toFixed(2),
      `${connections} connections`,
    );
  }
}

function medianOf(results: readonly Figures[], figure: string): number {
  const sorted = results.map((each) => each[figure]!).toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

function printRow(name: string, a: string, b: string, ratio: string, note: string): void {
  console.log(`${name.padEnd(24)}${a.padStart(12)}${b.padStart(12)}${ratio.padStart(8)}   ${note}`);
}

if (import.meta.main) await main();
