/**
 * The seeds that every change is simulated with.
 *
 * @module
 */
import { type Outcome, simulate } from "./simulation.ts";

/** How many seeds CI simulates, and among how many files they are divided, to run side by side. */
export const CI_SEEDS = 200, CI_PARTS = 4;
/** The least number of faults that a seed is to have. */
const FAULTS_MIN = 200;
/** Lines of the fault log of a seed that failed. */
const TAIL = 25;

/**
 * Simulates one part of CI's seeds, from 1 to {@link CI_PARTS}.
 *
 * @throws {Error} when any failed, with what broke, the end of its fault log and how to replay it.
 */
export async function simulatePart(part: number): Promise<void> {
  const reports: string[] = [];
  for (let seed = part; seed <= CI_SEEDS; seed += CI_PARTS) {
    const outcome = await simulate(seed);
    if (outcome.failure !== null) reports.push(reportOf(outcome));
    else if (outcome.faults < FAULTS_MIN) reports.push(`seed ${seed} had ${outcome.faults} faults`);
  }
  if (reports.length > 0) {
    throw new Error(`${reports.length} seeds failed\n${reports.join("\n\n")}`);
  }
}

function reportOf({ plan, failure, lines }: Outcome): string {
  const isExpected = failure instanceof Error && failure.name === "Violation";
  const what = failure instanceof Error && !isExpected ? failure.stack : failure;
  return [
    `seed ${plan.seed}: ${what}`,
    ...lines.slice(-TAIL),
    `replay: deno task simulate --seed ${plan.seed}`,
  ].join("\n");
}
