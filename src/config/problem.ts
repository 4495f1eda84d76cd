/**
 * What is wrong with a configuration, told to the person who wrote it.
 *
 * @module
 */

/** One thing that is wrong with a configuration. */
export interface Problem {
  /**
   * The file or the flag (`"--port"`) that the value came from; absent for a program's own object, and
   * for a file that could not be read, which {@linkcode found} names.
   */
  readonly source?: string | undefined;
  /** Line in the file, from 1. */
  readonly line?: number | undefined;
  /** Column in the line, from 1. */
  readonly column?: number | undefined;
  /** The key path as it is written, such as `"authorization.users[2].password"`; empty for the whole. */
  readonly path: string;
  /** What was expected; absent where the problem is the key itself. */
  readonly expected?: string | undefined;
  /** What was found. Secrets are never shown. */
  readonly found: string;
  /** What to do about it, where that can be said. */
  readonly hint?: string | undefined;
}

/** How many problems are told at once: more than anybody reads, and few enough to be found quickly. */
export const PROBLEM_LIMIT = 50;

/** A configuration was refused. The message has a line for each of the problems. */
export class ConfigError extends Error {
  /** Always `"ConfigError"`. */
  override readonly name = "ConfigError";
  /** What is wrong, in the order of the file; never empty, and at most 50. */
  readonly problems: readonly Problem[];
  /** How many more there are. */
  readonly omitted: number;

  /** An error of at least one problem, and of `omitted` more that are only counted. */
  constructor(problems: readonly Problem[], omitted = 0) {
    const lines = problems.map(formatProblem);
    const count = lines.length + omitted;
    if (omitted > 0) lines.push(`and ${omitted} more`);
    super(
      lines.length === 1
        ? lines[0]
        : `the configuration has ${count} problems:\n${
          lines.map((line) => `  ${line}`).join("\n")
        }`,
    );
    this.problems = problems;
    this.omitted = omitted;
  }
}

/**
 * A problem as one line, such as
 * `denats.yaml:3:7: port: expected a port from 1 to 65535, or -1 for a random one, found "http"`.
 */
export function formatProblem(problem: Problem): string {
  const { source, line, column, path, expected, found, hint } = problem;
  const place = [source, line, column].filter((part) => part !== undefined).join(":");
  const prefix = [place, path].filter((part) => part !== "").map((part) => `${part}: `).join("");
  const sentence = expected === undefined ? found : `expected ${expected}, found ${found}`;
  return `${prefix}${sentence}${hint === undefined ? "" : ` (${hint})`}`;
}

/** A step into a configuration: a key or the index of an item. */
export type Step = string | number;

/** A way into a configuration, from its top. */
export type Path = readonly Step[];

/**
 * A path as it is written in a problem: `authorization.users[2].password`. Of a key that is no name
 * of ours only the beginning is shown, see {@link shownKey}.
 */
export function formatPath(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z_][\w-]{0,39}$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(shownKey(step))}]`;
  }
  return text;
}

/** The longest part of a key that is shown. */
const shownLength = 40;

/**
 * What of a key may be shown. A key with a colon in it was a key and a value, `password:sesame`, or is
 * a line of a file that is no configuration, `/etc/shadow`: only what stands before the colon.
 */
function shownKey(key: string): string {
  const colon = key.indexOf(":");
  if (colon >= 0 && colon < shownLength) return `${key.slice(0, colon)}:...`;
  return key.length > shownLength ? `${key.slice(0, shownLength)}...` : key;
}

/** Whether a text begins with a key, a colon, and no blank behind it: YAML takes it for one word. */
export function blankMissing(text: string): boolean {
  return /^[A-Za-z_][\w-]{0,39}:[^\s:]/.test(text);
}

/** What to do about a text of which {@link blankMissing} is true. */
export const blankMissingHint = "is a blank missing after the colon?";

/** A problem whose place in the file is not known yet. */
export interface Finding extends Omit<Problem, "path" | "line" | "column"> {
  /** Where, with the keys as they are written. */
  readonly path: Path;
  /** Whether the key is at fault rather than its value. */
  readonly atKey?: boolean;
  /** Whether the last key of the path may be a secret, and is not shown. */
  readonly hidden?: boolean;
}
