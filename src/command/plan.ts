/**
 * `denats plan`: what a running server would make of another configuration.
 *
 * @module
 */
import { formatPlan, loadConfig, type Plan, planChange, planJson } from "../config/mod.ts";
import { IGNORE_UNSUPPORTED, readArguments } from "./arguments.ts";
import type { Command, CommandWorld } from "./command.ts";

/** What the exit code says. */
const EXIT_CODES: Readonly<Record<Plan["verdict"], number>> = {
  unchanged: 0,
  applied: 0,
  restart: 2,
  refused: 2,
};

/** `denats plan`. */
export const plan: Command = {
  name: "plan",
  usage: "[--ignore-unsupported] [--json] <old file> <new file>",
  help: "Show what a reload from one configuration to another would do",
  details: [
    "A running server applies a new configuration as a whole or, where one change in it needs a",
    "restart or is refused, not at all. Secrets are not shown. Flags of the server are not taken into",
    "account: what they set is the same before and after. Certificates and what else the files name is",
    "not looked at: -t does that.",
    "",
    "  --ignore-unsupported   Say nothing of what denats does not support yet",
    "  --json                 Print the plan as JSON",
    "",
    "Exit code: 0 when nothing differs or all of it can be applied, 2 when it needs a restart or is",
    "refused, 1 when a file cannot be read or is wrong.",
  ],
  async run(args, world) {
    const { switches, words } = readArguments(args, {
      switches: ["json", IGNORE_UNSUPPORTED],
      words: [2, 2],
    });
    const [before, after] = await bothConfigs(words, world, switches.has(IGNORE_UNSUPPORTED));
    const made = planChange(before, after);
    const text = switches.has("json")
      ? `${JSON.stringify(planJson(made), null, 2)}\n`
      : formatPlan(made);
    return world.stdout(text) ? EXIT_CODES[made.verdict] : 1;
  },
};

async function bothConfigs(
  [before = "", after = ""]: readonly string[],
  { env, files }: CommandWorld,
  ignoreUnsupported: boolean,
) {
  const load = (configFile: string) =>
    loadConfig({ flags: { configFile, overrides: [], ignoreUnsupported }, env, files });
  return [await load(before), await load(after)] as const;
}
