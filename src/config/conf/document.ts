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
import { type PlacedProblem, resolveConf, type Resolved } from "./resolve.ts";
import type { Origin } from "./origin.ts";
import type { ConfNode, MapNode } from "./tree.ts";
import { type ConfValues, writeValues } from "./values.ts";

/** Where a value stands: a file and a position in it. */
export interface Place extends Position {
  /** The file. */
  readonly source: string;
}

/** Places in a configuration. */
export interface ConfPlaces {
  /** Where the value at `path` of the values stands, or its key, or what is nearest around it. */
  locate(path: Path, atKey: boolean): Place;
}

/** A configuration that was read. */
export interface ConfDocument extends ConfValues, ConfPlaces {
  /** What is wrong with its syntax, its variables and includes. */
  readonly problems: readonly Problem[];
  /** Whether parts of it could not be read, so that there is no use in examining the rest. */
  readonly broken: boolean;
  /** What is strange, though nats-server accepts it. */
  readonly oddities: readonly Problem[];
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
  const tree = await readTree(path, text, readText, environment);
  const { root } = tree;
  return {
    problems: tree.problems.map(placed),
    broken: tree.broken,
    oddities: tree.oddities.map(placed),
    ...writeValues(root, shape),
    ...placesIn(root),
  };
}

/** As {@link readConf}, for no more than the places. */
export async function locateConf(
  path: string,
  text: string,
  readText: (path: string) => Promise<string>,
  environment: Environment,
): Promise<ConfPlaces> {
  return placesIn((await readTree(path, text, readText, environment)).root);
}

function placesIn(root: MapNode): ConfPlaces {
  return { locate: (path, atKey) => placeOf(locate(root, path, atKey)) };
}

/** What the files say in one piece. What they said each is let go before more is made of it. */
async function readTree(
  path: string,
  text: string,
  readText: (path: string) => Promise<string>,
  environment: Environment,
): Promise<Resolved & { readonly broken: boolean }> {
  const { main, ...files } = await readConfFiles(path, text, readText, PROBLEM_LIMIT);
  const { root, problems, oddities } = resolveConf(main, environment);
  return {
    root,
    problems: [...files.problems, ...problems],
    broken: files.problems.length > 0,
    oddities: [...files.oddities, ...oddities],
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
