/**
 * A configuration file as it is read, in YAML or in nats-server's own format, ready to be examined.
 *
 * @module
 */
import { FileError } from "../platform/mod.ts";
import { AccountReader } from "./account_texts.ts";
import type { Environment } from "./environment.ts";
import type { Position } from "./positions.ts";
import { locatePlainYaml, readPlainYaml } from "./plain_yaml.ts";
import { ConfigError, type Finding, type Path, type Problem, PROBLEM_LIMIT } from "./problem.ts";
import { configShape } from "./schema.ts";

/** Reads the text of a file, as `Files` of the platform does. */
export interface FileReader {
  /**
   * The text of a UTF-8 file.
   *
   * @throws {FileError} when it cannot be read.
   */
  readText(path: string): Promise<string>;
}

/** What a file says. */
export interface Source {
  /** Its values; every scalar is text. */
  readonly raw: unknown;
  /** Where `${NAME}` in them is looked up, where it has that meaning. */
  readonly environment?: Environment;
  /** What is wrong with the values already. */
  readonly findings: readonly Finding[];
  /** What could not be read, though the rest can be examined. */
  readonly problems: readonly Problem[];
  /** What is strange, and accepted all the same. */
  readonly oddities: readonly Problem[];
  /** Where accounts stand, if that was asked for and the file is plain YAML; else null. */
  readonly accounts: AccountReader | null;
  /** Where values stand. */
  positions(): Promise<Positions>;
}

/** Places of values in a file. */
export interface Positions {
  /** Where the value at `path` stands, or its key if `atKey`, or what is nearest around it. */
  locate(path: Path, atKey: boolean): Position & { readonly source?: string };
}

/** Whether a file is in nats-server's own format, by its name. */
export function isConf(path: string): boolean {
  return /\.conf$/i.test(path);
}

/**
 * Reads what `path` holds.
 *
 * @param text Its text, where that is known already.
 * @param withAccounts Whether it is to be taken down where accounts stand.
 * @throws {ConfigError} when it cannot be read as a configuration at all.
 */
export async function readSource(
  path: string,
  files: FileReader,
  env: Environment,
  text?: string,
  withAccounts = false,
): Promise<Source> {
  const content = text ?? await readFile(path, files);
  return isConf(path)
    ? await readConfSource(path, content, files, env)
    : await readYamlSource(path, content, env, withAccounts);
}

async function readFile(path: string, files: FileReader): Promise<string> {
  try {
    return await files.readText(path);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    // Which names the file.
    throw new ConfigError([{ path: "", found: error.message }]);
  }
}

async function readConfSource(
  path: string,
  text: string,
  files: FileReader,
  env: Environment,
): Promise<Source> {
  // A broker without such a file need not load the parser.
  const { readDirectly } = await import("./conf/direct.ts");
  // What was read is kept, since it may be read only once, and not what was made of it: that is made
  // again where there is an error to report.
  const texts = new Map<string, Promise<string>>();
  const readText = (path: string) => {
    const known = texts.get(path) ?? files.readText(path);
    texts.set(path, known);
    return known;
  };
  const positions = async () => {
    const { locateConf } = await import("./conf/document.ts");
    return await locateConf(path, text, readText, env);
  };
  const direct = await readDirectly(path, text, configShape, readText, env);
  if (direct !== undefined) {
    return { raw: direct, findings: [], problems: [], oddities: [], accounts: null, positions };
  }
  const { readConf } = await import("./conf/document.ts");
  const { broken, values: raw, findings, problems, oddities } = await readConf(
    path,
    text,
    configShape,
    readText,
    env,
  );
  if (broken) throw new ConfigError(problems.slice(0, PROBLEM_LIMIT));
  return { raw, findings, problems, oddities, accounts: null, positions };
}

async function readYamlSource(
  path: string,
  text: string,
  environment: Environment,
  withAccounts: boolean,
) {
  const accounts = withAccounts ? new AccountReader(text, null) : null;
  const plain = readPlainYaml(text, accounts);
  const raw = plain === undefined ? await parseYaml(text, path) : plain.value;
  return {
    raw,
    environment,
    findings: [],
    problems: [],
    oddities: [],
    accounts: plain === undefined ? null : accounts,
    positions: async () => {
      const located = plain && locatePlainYaml(text);
      if (located !== undefined) return located;
      const { PositionedText } = await import("./positions.ts");
      return new PositionedText(text);
    },
  };
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
  await checkAnchors(text, value, source);
  return value;
}

/** An anchor with nothing behind it in its line. */
const lonelyAnchor = /&[^\s,[\]{}]+[ \t]*(?:#.*)?$/m;

/**
 * Of an anchor above a scalar or a bracket this parser makes nothing: whoever shares the permissions
 * that it names would have none, and with them every right.
 */
async function checkAnchors(text: string, value: unknown, source: string): Promise<void> {
  const match = lonelyAnchor.exec(text);
  if (match === null) return;
  const { PositionedText } = await import("./positions.ts");
  if (new PositionedText(text).isRead(value)) return;
  const before = text.slice(0, match.index).split("\n");
  throw new ConfigError([{
    source,
    line: before.length,
    column: (before.at(-1)?.length ?? 0) + 1,
    path: "",
    found: "an anchor above what it names",
    hint: "write it in the line of the bracket or the text",
  }]);
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
