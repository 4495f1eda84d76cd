/**
 * `denats convert`: a configuration of nats-server as YAML.
 *
 * @module
 */
import { convertConfig, formatProblem, ignoresUnsupported } from "../config/mod.ts";
import { IGNORE_UNSUPPORTED, readArguments } from "./arguments.ts";
import type { Command } from "./command.ts";

/** Prints a configuration file as YAML. */
export const convert: Command = {
  name: "convert",
  usage: "[--ignore-unsupported] <file>",
  help: "Print a configuration file of nats-server as YAML",
  details: [
    "Variables and includes are written out, secrets are kept, comments are not.",
    "What denats does not support yet is left out and named on the standard error, and",
    "the exit code is then 1, unless it is ignored:",
    "",
    "        --ignore-unsupported           Exit with 0 all the same",
  ],
  run: async (args, { stdout, stderr, env, files }) => {
    const { switches, words: [file] } = readArguments(args, {
      switches: [IGNORE_UNSUPPORTED],
      words: [1, 1],
    });
    const { yaml, warnings } = await convertConfig({ file, env, files });
    const ignored = switches.has(IGNORE_UNSUPPORTED) || ignoresUnsupported(env);
    let code = stdout(yaml) ? 0 : 1;
    for (const warning of warnings) {
      const isError = warning.kind === "unsupported" && !ignored;
      const { hint: _hint, ...problem } = warning;
      stderr(
        isError
          ? `denats: ${formatProblem(problem)}\n`
          : `denats: warning: ${formatProblem(warning)}\n`,
      );
      if (isError) code = 1;
    }
    return code;
  },
};
