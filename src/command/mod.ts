/**
 * The commands of `denats` beside running a server: one table, from which they are run and explained.
 * To add one, declare a {@link Command} in a file of its own and name it in {@link commands}.
 *
 * @module
 */
import { ConfigError, FlagError } from "../config/mod.ts";
import type { Command, CommandWorld } from "./command.ts";
import { convert } from "./convert.ts";
import { explain } from "./explain.ts";
import { plan } from "./plan.ts";

export type { Command, CommandWorld } from "./command.ts";

/** The commands, in the order of the help. */
export const commands: readonly Command[] = [convert, explain, plan];

/**
 * Runs the command that the first argument names.
 *
 * @param args The program's arguments.
 * @returns The exit code, or `undefined` when the first argument names no command.
 */
export async function runCommand(
  args: readonly string[],
  world: CommandWorld,
  table: readonly Command[] = commands,
): Promise<number | undefined> {
  const [name, ...rest] = args;
  const command = table.find((item) => item.name === name);
  if (command === undefined) return undefined;
  if (rest.some((arg) => /^--?h(?:elp)?$/.test(arg))) {
    return world.stdout(commandHelp(command)) ? 0 : 1;
  }
  try {
    return await command.run(rest, world);
  } catch (error) {
    if (error instanceof FlagError) {
      world.stderr(`denats: ${error.message}; see denats ${command.name} --help\n`);
    } else if (error instanceof ConfigError) {
      world.stderr(`denats: ${error.message}\n`);
    } else {
      throw error;
    }
    return 1;
  }
}

function commandHelp({ name, usage, help, details = [] }: Command): string {
  const lines = [`Usage: denats ${name} ${usage}`, "", help];
  if (details.length > 0) lines.push("", ...details);
  return `${lines.join("\n")}\n`;
}
