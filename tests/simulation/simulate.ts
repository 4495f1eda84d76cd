// deno-lint-ignore-file no-console
/**
 * Simulates whole clusters, one per seed, and says which seeds broke what:
 *
 * ```sh
 * deno task simulate --seeds 10000            # seeds 1 to 10000
 * deno task simulate --from 500 --seeds 100   # seeds 500 to 599
 * deno task simulate --seed 42                # one seed, with its fault log and its hash
 * ```
 *
 * With `--seed`, `--watch REGEX` shows the lines of protocol that match it among the faults.
 * `--log` adds the brokers' logs to what is printed of a seed, `--first` ends with the first seed that
 * fails, `--jobs N` shares the seeds among N processes. The exit code is 1 when a seed failed.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { type Outcome, simulate } from "./simulation.ts";

/** Lines of the fault log, and of each broker's log, that are printed of a seed that failed. */
const TAIL = 40;
/** After how many seeds it says how far it is. */
const PROGRESS = 50;

const flags = parseArgs(Deno.args, {
  string: ["seeds", "from", "seed", "jobs", "step", "watch"],
  boolean: ["log", "first"],
});

function count(name: "seeds" | "from" | "seed" | "jobs" | "step", otherwise: number): number {
  const value = Number(flags[name] ?? otherwise);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`--${name} must be a whole number above 0, not ${flags[name]}`);
  Deno.exit(2);
}

function report(outcome: Outcome, everything: boolean): void {
  const { plan, failure, lines, logs, hash } = outcome;
  const shown = everything ? lines : lines.slice(-TAIL);
  if (failure !== null) {
    console.log(
      `seed ${plan.seed} FAILED: ${failure instanceof Error ? failure.message : failure}`,
    );
    if (failure instanceof Error && failure.name !== "Violation") console.log(failure.stack);
  }
  if (shown.length < lines.length) console.log(`... ${lines.length - shown.length} lines before`);
  console.log(shown.join("\n"));
  if (flags.log) {
    for (const [name, log] of logs) {
      console.log(`--- log of ${name}`);
      console.log((everything ? log : log.slice(-TAIL)).join("\n"));
    }
  }
  console.log(`hash ${hash}; replay with: deno task simulate --seed ${plan.seed}`);
}

async function runHere(from: number, seeds: number, step: number): Promise<number> {
  let failed = 0, faults = 0, messages = 0, deliveries = 0, virtualMs = 0, run = 0;
  const startedMs = performance.now();
  for (let seed = from; run < seeds; seed += step) {
    const outcome = await simulate(seed);
    run++;
    faults += outcome.faults;
    messages += outcome.messages;
    deliveries += outcome.deliveries;
    virtualMs += outcome.virtualMs;
    if (run % PROGRESS === 0 && run < seeds) console.log(`${run} seeds, ${failed} failed so far`);
    if (outcome.failure === null) continue;
    failed++;
    report(outcome, false);
    if (flags.first) break;
  }
  const tookMs = performance.now() - startedMs;
  console.log(
    `${run} seeds, ${failed} failed, ${faults} faults, ${messages} messages, ${deliveries} deliveries, ` +
      `${Math.round(virtualMs / 1000)} s simulated in ${Math.round(tookMs / 1000)} s, ` +
      `${Math.round(tookMs / run)} ms per seed`,
  );
  return failed === 0 ? 0 : 1;
}

async function runShared(from: number, seeds: number, jobs: number): Promise<number> {
  const codes = await Promise.all(Array.from({ length: Math.min(jobs, seeds) }, async (_, job) => {
    const share = Math.ceil((seeds - job) / jobs);
    const args = ["--from", `${from + job}`, "--seeds", `${share}`, "--step", `${jobs}`];
    if (flags.log) args.push("--log");
    if (flags.first) args.push("--first");
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", new URL(import.meta.url).pathname, ...args],
      stdout: "inherit",
      stderr: "inherit",
    });
    return (await command.output()).code;
  }));
  return Math.max(...codes);
}

if (import.meta.main) {
  if (flags.seed !== undefined) {
    const watched = flags.watch === undefined ? null : new RegExp(flags.watch);
    const outcome = await simulate(count("seed", 1), watched);
    report(outcome, true);
    Deno.exit(outcome.failure === null ? 0 : 1);
  }
  const from = count("from", 1), seeds = count("seeds", 200), jobs = count("jobs", 1);
  Deno.exit(
    await (jobs > 1 ? runShared(from, seeds, jobs) : runHere(from, seeds, count("step", 1))),
  );
}
