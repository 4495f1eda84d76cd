/**
 * Writes a configuration file as YAML, whatever it is written in.
 *
 * @module
 */
import { type Kind, quoteText } from "./kind.ts";
import { type ConfigSources, type ConfigWarning, examineSources } from "./load.ts";
import { settingsYaml } from "./print.ts";

/** A configuration as YAML. */
export interface ConvertedConfig {
  /** The YAML: what the file says, without defaults, with its secrets. */
  readonly yaml: string;
  /** What is not in it because denats does not have it yet, and what is strange in the file. */
  readonly warnings: readonly ConfigWarning[];
}

/**
 * Converts the file of `sources` to YAML that gives the same configuration. Variables and includes are
 * written out; comments are lost. Settings that denats does not have yet are left out and told.
 *
 * @throws {ConfigError} when anything else is wrong with it.
 */
export async function convertConfig(
  sources: Pick<ConfigSources, "file" | "text" | "env" | "files">,
): Promise<ConvertedConfig> {
  const warnings: ConfigWarning[] = [];
  const { values } = await examineSources({
    ...sources,
    flags: { configFile: undefined, overrides: [], ignoreUnsupported: true },
    onWarning: (warning) => warnings.push(warning),
  });
  return { yaml: settingsYaml(values, writeGiven), warnings };
}

/** Numbers, switches, sizes and durations, which need no quotes. */
const plain = /^[\w.+-]+$/;

/** Writes a scalar as it is given. To denats every scalar of YAML is text, so quotes change nothing. */
function writeGiven(value: unknown, kind: Kind<unknown, unknown>): string {
  const text = String(value);
  const isText = kind.literals?.includes("integer") !== true &&
    !/\b(?:number|boolean)\b/.test(kind.inputType);
  return !isText && plain.test(text) ? text : quoteText(text);
}
