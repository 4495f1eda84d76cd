/**
 * The worker behind {@linkcode BackgroundLoader}: reads, checks and completes one configuration, and
 * hands it over piece by piece as it is asked to.
 *
 * @module
 */
import { DenoFiles, environmentVariable } from "../platform/mod.ts";
import { type ConfigWarning, loadConfig } from "./load.ts";
import type { LoadFlags, LoadReply, LoadRequest } from "./load_messages.ts";
import { type ConfigPiece, piecesOf, withoutPieces } from "./pieces.ts";
import { ConfigError } from "./problem.ts";
import type { Config } from "./types.ts";

/** The part of the worker's global scope used here; its full type is not in the main thread's library. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<LoadRequest>) => void) | null;
  postMessage(reply: LoadReply): void;
}

const scope = globalThis as unknown as WorkerScope;
let loaded: Config | null = null;
let known: ReadonlyMap<string, number> = new Map();
let pieces: Generator<ConfigPiece> | null = null;

async function load(flags: LoadFlags): Promise<LoadReply> {
  const files = new DenoFiles(), warnings: ConfigWarning[] = [], paths = new Set<string>();
  const readText = (path: string) => {
    paths.add(path);
    return files.readText(path);
  };
  try {
    const config = await loadConfig({
      flags,
      env: environmentVariable,
      files: { readText },
      onWarning: (warning) => warnings.push(warning),
    });
    loaded = config;
    return { type: "config", base: withoutPieces(config), warnings, paths: [...paths] };
  } catch (error) {
    if (!(error instanceof ConfigError)) return { type: "failed", reason: String(error) };
    const { problems, omitted } = error;
    return { type: "refused", problems, omitted, paths: [...paths] };
  }
}

function next(): LoadReply {
  if (loaded === null) return { type: "failed", reason: "nothing is loaded" };
  pieces ??= piecesOf(loaded, known);
  const step = pieces.next();
  return step.done ? { type: "end" } : { type: "piece", piece: step.value };
}

scope.onmessage = ({ data }) => {
  if (data.type === "next") return scope.postMessage(next());
  if (data.type === "known") {
    known = data.digests;
    return;
  }
  void load(data.flags).then((reply) => scope.postMessage(reply));
};
