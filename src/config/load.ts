/**
 * Makes the configuration of a broker from a file, flags and the environment, or from an object.
 *
 * @module
 */
import { AccountReader, type AccountTexts, type KnownAccounts } from "./account_texts.ts";
import type { Environment } from "./environment.ts";
import { type Examination, examine } from "./examine.ts";
import type { Flags } from "./flags.ts";
import { ConfigError, type Finding, formatPath, type Problem } from "./problem.ts";
import { readPlainYaml } from "./plain_yaml.ts";
import { type FileReader, isConf, readSource, type Source } from "./source.ts";
import type { Config, ConfigInput } from "./types.ts";

/** Something in a configuration that is accepted, and should be looked at all the same. */
export interface ConfigWarning extends Problem {
  /** A setting that denats does not have yet, which is ignored; or something strange. */
  readonly kind: "unsupported" | "strange";
}

/** Where {@link loadConfig} takes a configuration from. */
export interface ConfigSources {
  /**
   * Path of a file, in nats-server's own format where it ends in `.conf` and else in YAML; the one that
   * the flags name when absent.
   */
  readonly file?: string | undefined;
  /** Text to read instead of the file, whose path is then only named in problems. */
  readonly text?: string | undefined;
  /** Flags; they override the file. */
  readonly flags?: Pick<Flags, "configFile" | "overrides" | "ignoreUnsupported"> | undefined;
  /** Where variables in the file are looked up, and `DENATS_IGNORE_UNSUPPORTED`. */
  readonly env: Environment;
  /** Where files are read. */
  readonly files: FileReader;
  /**
   * Is told what is strange in the file and accepted all the same, and which settings are ignored
   * because denats does not have them yet, where that was asked for.
   */
  readonly onWarning?: ((warning: ConfigWarning) => void) | undefined;
  /** Is told where the accounts stand in a file that is good, for the next time that it is loaded. */
  readonly onAccounts?: ((texts: AccountTexts) => void) | undefined;
}

/**
 * Reads, checks and completes a configuration.
 *
 * @throws {ConfigError} with everything that is wrong, each with its place in the file.
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  return (await examineSources(sources)).config;
}

/** A configuration that is good, and the values of its file, without overrides and defaults. */
export type Loaded = Extract<Examination, { readonly config: unknown }>;

/** As {@link loadConfig}, with the values that the file has. */
export async function examineSources(sources: ConfigSources): Promise<Loaded> {
  const { flags, env, files, text, onWarning, onAccounts } = sources;
  const file = sources.file ?? flags?.configFile;
  const overrides = flags?.overrides ?? [];
  if (text === undefined && file === undefined) return loadedOf(examine({}, { overrides }));
  const path = file ?? "configuration";
  const source = await readSource(path, files, env, text, onAccounts !== undefined);
  const unsupported: Finding[] = [];
  const ignored = (flags?.ignoreUnsupported ?? false) || ignoresUnsupported(env);
  const examination = examine(source.raw, {
    ...(source.environment === undefined ? {} : { environment: source.environment }),
    overrides,
    findings: source.findings,
    ...(ignored ? { unsupported } : {}),
  });
  const findings = "config" in examination ? [] : examination.findings;
  const problems = [
    ...source.problems,
    ...await withPositions(findings, path, source, source.problems),
  ].sort(inOrder);
  if (!("config" in examination) || problems.length > 0) {
    throw new ConfigError(problems, "config" in examination ? 0 : examination.omitted);
  }
  for (const problem of source.oddities) onWarning?.({ ...problem, kind: "strange" });
  for (const problem of (await withPositions(unsupported, path, source)).sort(inOrder)) {
    onWarning?.({ ...problem, hint: "ignored", kind: "unsupported" });
  }
  if (source.accounts !== null) {
    // They are to be warned of the next time too.
    const warned = unsupported.filter(({ path }) => path[0] === source.accounts?.key);
    onAccounts?.(source.accounts.texts(new Set(warned.map(({ path }) => path[1]))));
  }
  return examination;
}

/** A configuration most of whose accounts were known. */
export interface QuicklyLoaded {
  /** The configuration. Of accounts that were known it has no more than rules compare. */
  readonly config: Config;
  /** The names of those. */
  readonly kept: ReadonlySet<string>;
  /** What is known from now on. */
  readonly texts: AccountTexts;
}

/**
 * As {@link loadConfig}, without looking into those accounts that are written as they were when they
 * were last read. Undefined where anything is wrong, strange or ignored, and for a file that is not
 * plain YAML: that is to be loaded as a whole, which tells what and where.
 */
export function loadQuickly(
  { flags, env, text }: Pick<ConfigSources, "flags" | "env"> & { readonly text: string },
  known: KnownAccounts,
): QuicklyLoaded | undefined {
  if (flags?.configFile === undefined || isConf(flags.configFile)) return undefined;
  const accounts = new AccountReader(text, known);
  const plain = readPlainYaml(text, accounts);
  if (plain === undefined) return undefined;
  const { overrides } = flags;
  const examination = examine(plain.value, { environment: env, overrides });
  if (!("config" in examination)) return undefined;
  return { config: examination.config, kept: accounts.kept, texts: accounts.texts() };
}

/** Whether the environment asks for settings to be ignored that denats does not have yet. */
export function ignoresUnsupported(env: Environment): boolean {
  return /^(?:1|true|yes|on)$/i.test(env("DENATS_IGNORE_UNSUPPORTED") ?? "");
}

/**
 * Checks and completes what an embedding program asks for. Nothing in it is substituted.
 *
 * @throws {ConfigError} with everything that is wrong.
 */
export function normaliseConfig(input: ConfigInput = {}): Config {
  return loadedOf(examine(input)).config;
}

function loadedOf(examination: Examination): Loaded {
  if ("config" in examination) return examination;
  const problems = examination.findings.map((finding) => problemOf(finding));
  throw new ConfigError(problems, examination.omitted);
}

function problemOf(finding: Finding, place: Partial<Problem> = {}): Problem {
  const { source, path, expected, found, hint, hidden } = finding;
  const shown = formatPath(hidden ? path.slice(0, -1) : path);
  return { source, path: shown, expected, found, hint, ...place };
}

/** Findings with their places, without those at a place that `told` names already. */
async function withPositions(
  findings: readonly Finding[],
  source: string,
  { positions }: Pick<Source, "positions">,
  told: readonly Problem[] = [],
): Promise<Problem[]> {
  if (findings.length === 0) return [];
  const places = await positions();
  const toldPlaces = new Set(told.map(placeKey));
  return findings
    .map((finding) =>
      finding.source === undefined
        ? problemOf(finding, { source, ...places.locate(finding.path, finding.atKey ?? false) })
        : problemOf(finding)
    )
    .filter((problem) => !toldPlaces.has(placeKey(problem)));
}

function placeKey({ source, line, column }: Problem): string {
  return JSON.stringify([source, line, column]);
}

/** Flags, which have no line, come first; then file by file. */
function inOrder(a: Problem, b: Problem): number {
  if (a.source !== b.source && a.line !== undefined && b.line !== undefined) {
    return (a.source ?? "") < (b.source ?? "") ? -1 : 1;
  }
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
