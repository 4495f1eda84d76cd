/**
 * Reads a configuration file and all that it includes.
 *
 * @module
 */
import { FileError } from "../../platform/mod.ts";
import { parseConf } from "./syntax_tree.ts";
import type { PlacedProblem, SourceFile } from "./resolve.ts";
import type { IncludeSyntax, MapSyntax, ValueSyntax } from "./syntax.ts";
import { ConfFile } from "./origin.ts";

/** How many files one configuration may have. */
export const FILE_LIMIT = 1000;
/** How many characters they may have together. */
export const LENGTH_LIMIT = 256 * 1024 * 1024;

/** A configuration file with all that it includes, and what is wrong in them. */
export interface SourceFiles {
  /** The file itself. */
  readonly main: SourceFile;
  /** What could not be read. */
  readonly problems: readonly PlacedProblem[];
  /** What is strange, though nats-server accepts it. */
  readonly oddities: readonly PlacedProblem[];
}

interface Reading extends SourceFile {
  readonly includes: Map<string, Reading>;
}

/**
 * Reads and parses a configuration, each file once.
 *
 * @param path What the file is called; includes are looked for from its folder.
 * @param readText Reads an included file; throws {@link FileError} when that cannot be done.
 * @param limit How many problems are looked for in each file.
 */
export async function readConfFiles(
  path: string,
  text: string,
  readText: (path: string) => Promise<string>,
  limit: number,
): Promise<SourceFiles> {
  const problems: PlacedProblem[] = [], oddities: PlacedProblem[] = [];
  const known = new Map<string, Reading>();
  let length = 0;
  const add = (source: string, content: string): Reading => {
    const file = new ConfFile(source, content);
    const parsed = parseConf(file, limit);
    for (const { at, ...problem } of parsed.problems) {
      problems.push({ file, at, ...problem });
    }
    for (const { at, ...oddity } of parsed.oddities) {
      oddities.push({ file, at, ...oddity });
    }
    const reading = { file, root: parsed.root, includes: new Map<string, Reading>() };
    known.set(source, reading);
    length += content.length;
    return reading;
  };
  const main = add(cleanPath(path), text);
  // New files are added while the loop runs.
  for (const { file, root, includes } of known.values()) {
    for (const include of includesOf(root)) {
      if (includes.has(include.path)) continue;
      const target = pathFrom(file.source, include.path);
      const { at } = include;
      let included = known.get(target);
      if (included === undefined && (known.size >= FILE_LIMIT || length > LENGTH_LIMIT)) {
        problems.push({ file, at, found: `more than ${FILE_LIMIT} files, or files too large` });
        return { main, problems, oddities };
      }
      try {
        included ??= add(target, await readText(target));
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        const hint = "the path of an include begins in the folder of the file that includes it";
        problems.push({ file, at, found: error.message, hint });
        continue;
      }
      includes.set(include.path, included);
    }
  }
  return { main, problems, oddities };
}

function* includesOf(syntax: MapSyntax | ValueSyntax): Generator<IncludeSyntax> {
  if (syntax.type === "list") { for (const item of syntax.items) yield* includesOf(item); }
  if (syntax.type !== "map") return;
  for (const entry of syntax.entries) {
    if (entry.type === "include") yield entry;
    else yield* includesOf(entry.value);
  }
}

/** `path` seen from the folder of `file`. Like nats-server this takes `/a` for `a`, too. */
export function pathFrom(file: string, path: string): string {
  const folder = file.replace(/[^/\\]*$/, "");
  return cleanPath(`${folder}${folder === "" ? "" : "/"}${path.replace(/^[/\\]+/, "")}`);
}

/** A path without steps that lead nowhere, so that one file has one path. */
export function cleanPath(path: string): string {
  const steps: string[] = [];
  const root = /^[/\\]/.test(path) ? "/" : "";
  for (const step of path.split(/[/\\]+/)) {
    if (step === "" || step === ".") continue;
    if (step === ".." && steps.length > 0 && steps.at(-1) !== "..") steps.pop();
    else if (step !== ".." || root === "") steps.push(step);
  }
  return `${root}${steps.join("/")}`;
}
