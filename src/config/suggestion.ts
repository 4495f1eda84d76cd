/**
 * "Did you mean" for keys and flags that do not exist.
 *
 * @module
 */
import type { BlockShape, Shape } from "./shape.ts";
import { blankMissing, blankMissingHint, formatPath, type Path } from "./problem.ts";

/**
 * How many letters must be changed, added, dropped or swapped with a neighbour to make `b` of `a`.
 * (Optimal string alignment; `a` and `b` are short.)
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(replaced, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? 0;
}

/** The longest name that is compared: nobody mistypes a key at this length. */
const longestName = 64;

/** The one of `names` that `name` was probably meant to be; `undefined` when none is near. */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  if (name.length > longestName) return undefined;
  const plain = plainLetters(name);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(plain.length / 3)) + 1;
  for (const candidate of names) {
    const distance = editDistance(plain, plainLetters(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** `maxPayload`, `max-payload` and `MAX_PAYLOAD` are all meant to be `max_payload`. */
function plainLetters(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** Words on a setting of nats-server that denats does not have yet. */
export const NOT_SUPPORTED = "not supported by this version of denats";

/** What can be said about a key that a block does not have. */
export interface UnknownKey {
  /** What is wrong with it. */
  readonly found: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** Whether the key resembles nothing that denats knows. */
  readonly strange?: boolean;
}

/** Words on the key `key`, which stands in `block` at `path` and is not one of its fields. */
export function describeUnknownKey(
  key: string,
  block: BlockShape,
  path: Path,
  root: BlockShape,
): UnknownKey {
  const refused = block.refused.get(key);
  if (refused !== undefined) return { found: refused };
  if (block.unsupported.has(key)) return { found: NOT_SUPPORTED };
  if (blankMissing(key)) return { found: "unknown key", hint: blankMissingHint };
  const homes = [...blocksOf(root, [])].filter((place) => !samePlace(place.path, path));
  const home = homes.find((place) => place.block.fields.has(key) || place.block.aliases.has(key));
  const laterHome = homes.find((place) => place.block.unsupported.has(key));
  // `permissions` are at home under cluster, but those of users were probably meant.
  if (home !== undefined && (home.path.length === 0 || laterHome === undefined)) {
    return { found: "that key does not belong here", hint: `it belongs ${placeWords(home)}` };
  }
  const near = nearest(key, [...block.fields.keys(), ...block.aliases.keys()]);
  if (near !== undefined) return { found: "unknown key", hint: `did you mean ${near}?` };
  if (laterHome !== undefined) {
    const where = placeWords(laterHome);
    return {
      found: "that key does not belong here",
      hint: `it belongs ${where}, ${NOT_SUPPORTED}`,
    };
  }
  for (const place of homes) {
    const far = nearest(key, place.block.fields.keys());
    if (far !== undefined) {
      const full = place.path.length === 0 ? far : `${formatPlace(place.path)}.${far}`;
      return { found: "unknown key", hint: `did you mean ${full}?` };
    }
  }
  const later = nearest(key, block.unsupported);
  return later === undefined ? { found: "unknown key", strange: true } : {
    found: "unknown key",
    hint: `${later} is ${NOT_SUPPORTED}`,
  };
}

/** Words on the key `name` of a map, which is none of those it may have. */
export function describeUnknownName(name: string, names: readonly string[]): UnknownKey {
  if (blankMissing(name)) return { found: "unknown name", hint: blankMissingHint };
  const near = nearest(name, names);
  const hint = near === undefined ? `expected one of ${names.join(", ")}` : `did you mean ${near}?`;
  return { found: "unknown name", hint };
}

interface Place {
  readonly block: BlockShape;
  readonly path: Path;
}

/** Every block of the configuration; an item of a list has the path of the list and an empty index. */
function* blocksOf(shape: Shape, path: Path): Generator<Place> {
  if (shape.type === "list") yield* blocksOf(shape.item, [...path, anyIndex]);
  if (shape.type !== "block") return;
  yield { block: shape, path };
  for (const [key, field] of shape.fields) yield* blocksOf(field.shape, [...path, key]);
}

const anyIndex = -1;

function placeWords({ path }: Place): string {
  return path.length === 0 ? "at the top level" : `under ${formatPlace(path)}`;
}

function formatPlace(path: Path): string {
  return formatPath(path).replaceAll(`[${anyIndex}]`, "[]");
}

function samePlace(place: Path, path: Path): boolean {
  return place.length === path.length &&
    place.every((step, index) =>
      step === anyIndex ? typeof path[index] === "number" : step === path[index]
    );
}
