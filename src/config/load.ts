/**
 * Makes the configuration of a broker from a file, flags and the environment, or from an object.
 *
 * @module
 */
import { FileError } from "../platform/mod.ts";
import type { Environment } from "./environment.ts";
import { type Examination, examine } from "./examine.ts";
import type { Flags } from "./flags.ts";
import type { Position } from "./positions.ts";
import { ConfigError, type Finding, formatPath, type Problem, PROBLEM_LIMIT } from "./problem.ts";
import type { Config, ConfigInput } from "./types.ts";

/** Reads the text of a file, as `Files` of the platform does. */
export interface FileReader {
  /**
   * The text of a UTF-8 file.
   *
   * @throws {FileError} when it cannot be read.
   */
  readText(path: string): Promise<string>;
}

/** Where {@link loadConfig} takes a configuration from. */
export interface ConfigSources {
  /** Path of a YAML file; the one that the flags name when absent. */
  readonly file?: string | undefined;
  /** YAML to read instead of the file, whose path is then only named in problems. */
  readonly text?: string | undefined;
  /** Flags; they override the file. */
  readonly flags?: Pick<Flags, "configFile" | "overrides"> | undefined;
  /** Where `${NAME}` in the file is looked up. */
  readonly env: Environment;
  /** Where the file is read. */
  readonly files: FileReader;
}

/**
 * Reads, checks and completes a configuration.
 *
 * @throws {ConfigError} with everything that is wrong, each with its place in the file.
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const { flags, env } = sources;
  const file = sources.file ?? flags?.configFile;
  const text = sources.text ?? (file === undefined ? undefined : await readFile(file, sources));
  const overrides = flags?.overrides ?? [];
  if (text === undefined) return configOf(examine({}, { overrides }));
  const source = file ?? "configuration";
  const examination = examine(await parseYaml(text, source), { environment: env, overrides });
  if ("config" in examination) return examination.config;
  const problems = await withPositions(examination.findings, text, source);
  throw new ConfigError(problems, examination.omitted);
}

/**
 * Checks and completes what an embedding program asks for. Nothing in it is substituted.
 *
 * @throws {ConfigError} with everything that is wrong.
 */
export function normaliseConfig(input: ConfigInput = {}): Config {
  return configOf(examine(input));
}

function configOf(examination: Examination): Config {
  if ("config" in examination) return examination.config;
  const problems = examination.findings.map((finding) => problemOf(finding));
  throw new ConfigError(problems, examination.omitted);
}

function problemOf(finding: Finding, place: Partial<Problem> = {}): Problem {
  const { source, path, expected, found, hint, hidden } = finding;
  const shown = formatPath(hidden ? path.slice(0, -1) : path);
  return { source, path: shown, expected, found, hint, ...place };
}

async function readFile(file: string, { files }: ConfigSources): Promise<string> {
  if (/\.conf$/i.test(file)) {
    throw new ConfigError([{
      source: file,
      path: "",
      found: "nats-server's own format is not supported by this version of denats",
      hint: "write YAML; config.example.yaml shows every setting",
    }]);
  }
  try {
    return await files.readText(file);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    // Which names the file.
    throw new ConfigError([{ path: "", found: error.message }]);
  }
}

/** A line that begins with a tab, unless it is empty or a comment. */
const tabIndentation = /^ *\t\s*[^\s#]/m;

async function parseYaml(text: string, source: string): Promise<unknown> {
  // A broker without a file need not load the parser.
  const { parse } = await import("@std/yaml");
  let value: unknown;
  try {
    value = parse(text, { schema: "failsafe" });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error instanceof RangeError) {
      throw new ConfigError([{ source, path: "", found: "lists or maps are nested too deeply" }]);
    }
    const unplaced = unplacedProblem(source, error);
    const problems = await syntaxProblems(text, source, placeOf(unplaced));
    throw new ConfigError(problems.length > 0 ? problems : [unplaced]);
  }
  // Where YAML allows no tab, this parser takes it for no indentation at all, so that a key would
  // silently leave its section.
  if (tabIndentation.test(text)) {
    const problems = await syntaxProblems(text, source);
    if (problems.length > 0) throw new ConfigError(problems);
  }
  return value;
}

async function syntaxProblems(
  text: string,
  source: string,
  other?: Position,
): Promise<Problem[]> {
  const { PositionedText } = await import("./positions.ts");
  const problems = new PositionedText(text).syntaxProblems(PROBLEM_LIMIT, other);
  return problems.map((problem) => ({ source, path: "", ...problem }));
}

/** An error of one parser that the other does not see. Its message may repeat parts of the text. */
function unplacedProblem(source: string, error: Error): Problem {
  const [message = ""] = error.message.split("\n");
  const match = /^(.*?) at line (\d+), column (\d+)/.exec(message);
  const [, reason = message, line, column] = match ?? [];
  return {
    source,
    path: "",
    found: `this is not valid YAML: ${/^[a-z ,;-]*/i.exec(reason)?.[0].trim()}`,
    ...(line === undefined ? {} : { line: Number(line), column: Number(column) }),
  };
}

function placeOf({ line, column }: Problem): Position | undefined {
  return line === undefined || column === undefined ? undefined : { line, column };
}

async function withPositions(
  findings: readonly Finding[],
  text: string,
  source: string,
): Promise<Problem[]> {
  const { PositionedText } = await import("./positions.ts");
  const positioned = new PositionedText(text);
  const problems = findings.map((finding) =>
    finding.source === undefined
      ? problemOf(finding, { source, ...positioned.locate(finding.path, finding.atKey ?? false) })
      : problemOf(finding)
  );
  // Flags, which have no line, come first.
  return problems.sort((a, b) =>
    (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
  );
}
