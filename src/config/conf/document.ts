/**
 * A configuration in nats-server's format, in the form that the schema checks.
 *
 * @module
 */
import type { Environment } from "../environment.ts";
import type { BlockShape } from "../shape.ts";
import type { Position } from "../positions.ts";
import { type Path, type Problem, PROBLEM_LIMIT } from "../problem.ts";
import { readConfFiles } from "./files.ts";
import { type PlacedProblem, resolveConf } from "./resolve.ts";
import type { Origin } from "./origin.ts";
import type { ConfNode, MapNode } from "./tree.ts";
import { type ConfValues, writeValues } from "./values.ts";

/** Where a value stands: a file and a position in it. */
export interface Place extends Position {
  /** The file. */
  readonly source: string;
}

/** A configuration that was read. */
export interface ConfDocument extends ConfValues {
  /** What is wrong with its syntax, its variables and includes. */
  readonly problems: readonly Problem[];
  /** Whether parts of it could not be read, so that there is no use in examining the rest. */
  readonly broken: boolean;
  /** What is strange, though nats-server accepts it. */
  readonly oddities: readonly Problem[];
  /** Where the value at `path` of {@link values} stands, or its key, or what is nearest around it. */
  locate(path: Path, atKey: boolean): Place;
}

/**
 * Reads a configuration, with all that it includes. Never throws on what it says.
 *
 * @param path What the file is called; includes are looked for from its folder.
 * @param readText Reads an included file; throws `FileError` when that cannot be done.
 */
export async function readConf(
  path: string,
  text: string,
  shape: BlockShape,
  readText: (path: string) => Promise<string>,
  environment: Environment,
): Promise<ConfDocument> {
  const files = await readConfFiles(path, text, readText, PROBLEM_LIMIT);
  const { root, problems, oddities } = resolveConf(files.main, environment);
  const { values, findings } = writeValues(root, shape);
  return {
    problems: [...files.problems, ...problems].map(placed),
    broken: files.problems.length > 0,
    oddities: [...files.oddities, ...oddities].map(placed),
    values,
    findings,
    locate: (path, atKey) => placeOf(locate(root, path, atKey)),
  };
}

function placed(problem: PlacedProblem): Problem {
  const { found, hint } = problem;
  return { ...placeOf(problem), path: "", found, hint };
}

function placeOf({ file, at }: Origin): Place {
  return { source: file.source, ...file.positionOf(at) };
}

function locate(root: MapNode, path: Path, atKey: boolean): Origin {
  let node: ConfNode | undefined = root;
  let origin: Origin = root;
  for (const [index, step] of path.entries()) {
    if (node?.type === "map") {
      const entry = entryOf(node, String(step));
      if (entry === undefined) break;
      const wantKey = atKey && index === path.length - 1;
      origin = wantKey ? entry : entry.value;
      node = entry.value;
    } else if (node?.type === "list" && typeof step === "number") {
      node = node.items[step];
      if (node === undefined) break;
      origin = node;
    } else {
      break;
    }
  }
  return origin;
}

/** The entry of a key, which may be in lower case where it is not written so. */
function entryOf({ entries }: MapNode, key: string) {
  const exact = entries.get(key);
  if (exact !== undefined) return exact;
  for (const [written, entry] of entries) {
    if (written.toLowerCase() === key) return entry;
  }
  return undefined;
}
