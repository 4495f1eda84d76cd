// deno-lint-ignore-file no-console -- a program whose purpose is to print a figure
/**
 * How long a broker of many accounts takes to reload one changed user, and for how long that keeps its
 * event loop from anything else: `deno run -A bench/reload.ts [accounts] [users] [rounds]`.
 *
 * It starts a broker from a file, and changes a password in the file before every round. It prints one
 * line of JSON for each round, and one for what all of them came to.
 *
 * @module
 */
import process from "node:process";
import { Broker } from "../mod.ts";
import { ConfigFile } from "../src/config_file.ts";
import { type AccountTexts, loadConfig, parseFlags } from "../src/config/mod.ts";
import { DenoFiles, fileStamp, SystemClock } from "../src/platform/mod.ts";
import { manyAccounts } from "./config_load.ts";

const accountCount = Number(Deno.args[0] ?? 10_000);
const userCount = Number(Deno.args[1] ?? 10);
const rounds = Number(Deno.args[2] ?? 5);

const files = new DenoFiles(), clock = new SystemClock(), env = () => undefined;
const path = await Deno.makeTempFile({ suffix: ".yaml" });
const account = accountCount >> 1;

/** The password of one user, which is as long in every round. */
const password = (round: number) => `round_${String(round).padStart(6, "0")}`;

/** Writes the file, and gives the offset of that password. */
async function write(): Promise<number> {
  const text = manyAccounts(accountCount, userCount)
    .replace(`p4ss_${account}_1`, password(0))
    .replace("port: -1", "host: 127.0.0.1\nport: -1");
  await Deno.writeTextFile(path, text);
  return text.indexOf(password(0));
}

/** Writes another password in its place: to write the whole would cost memory that is not the reload's. */
async function change(offset: number, round: number): Promise<void> {
  using file = await Deno.open(path, { write: true });
  await file.seek(offset, Deno.SeekMode.Start);
  await file.write(new TextEncoder().encode(password(round)));
}

/** The processor time of this thread in milliseconds, where the system tells; else the clock's. */
function threadMs(): number {
  try {
    return Number(Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ")[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

/** What a stretch of time has cost. */
interface Cost {
  /** The longest time between two turns of the event loop. */
  readonly block_ms: number;
  /** The most processor time of this thread between two turns: the same on a machine that is not busy. */
  readonly block_cpu_ms: number;
  /** The processor time of this thread. */
  readonly main_cpu_ms: number;
  /** The processor time of the whole process. */
  readonly all_cpu_ms: number;
}

/** Looks at the event loop until it is stopped. */
function watchLoop(): () => Cost {
  const cpu = process.cpuUsage(), begun = threadMs();
  let last = performance.now(), longest = 0, lastCpu = begun, longestCpu = 0;
  const look = () => {
    const now = performance.now(), nowCpu = threadMs();
    longest = Math.max(longest, now - last);
    longestCpu = Math.max(longestCpu, nowCpu - lastCpu);
    last = now;
    lastCpu = nowCpu;
  };
  const timer = setInterval(look, 5);
  return () => {
    clearInterval(timer);
    look();
    const { user, system } = process.cpuUsage(cpu);
    return {
      block_ms: Math.round(longest),
      block_cpu_ms: Math.round(longestCpu),
      main_cpu_ms: Math.round(lastCpu - begun),
      all_cpu_ms: Math.round((user + system) / 1000),
    };
  };
}

const mebibytes = () => Math.round(Deno.memoryUsage().rss / 2 ** 20);

try {
  const offset = await write();
  const flags = parseFlags(["-c", path]);
  const started = performance.now();
  let texts: AccountTexts | null = null;
  const onAccounts = (found: AccountTexts) => void (texts = found);
  const config = await loadConfig({ flags, env, files, onAccounts });
  const load_ms = Math.round(performance.now() - started);
  await using broker = await Broker.run(config);
  const start_ms = Math.round(performance.now() - started);
  const readText = (path: string) => files.readText(path);
  const file = new ConfigFile(
    { flags, env, readText, stampOf: fileStamp, clock },
    new Map([[path, null]]),
    texts && { config, texts },
  );
  console.log(JSON.stringify({ load_ms, start_ms, rss_mib: mebibytes() }));
  const times: number[] = [], costs: Cost[] = [];
  let peak = 0;
  for (let round = 1; round <= rounds; round++) {
    await change(offset, round);
    const stop = watchLoop(), begun = performance.now();
    const after = await file.load(broker.config, new AbortController().signal, () => {});
    const load_ms = Math.round(performance.now() - begun);
    const { outcome, plan } = await broker.change(after);
    const reload_ms = Math.round(performance.now() - begun), cost = stop();
    times.push(reload_ms);
    costs.push(cost);
    peak = Math.max(peak, mebibytes());
    const changes = plan.changes.length, rss_mib = mebibytes();
    console.log(JSON.stringify({ outcome, changes, load_ms, reload_ms, ...cost, rss_mib }));
  }
  const middle = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];
  console.log(JSON.stringify({
    accounts: accountCount,
    users: userCount,
    reload_ms: middle(times),
    block_ms: middle(costs.map(({ block_ms }) => block_ms)),
    longest_block_ms: Math.max(...costs.map(({ block_ms }) => block_ms)),
    block_cpu_ms: middle(costs.map(({ block_cpu_ms }) => block_cpu_ms)),
    all_cpu_ms: middle(costs.map(({ all_cpu_ms }) => all_cpu_ms)),
    rss_mib: peak,
  }));
} finally {
  await Deno.remove(path);
}
