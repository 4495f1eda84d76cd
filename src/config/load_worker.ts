/**
 * The worker behind {@linkcode BackgroundLoader}: reads, checks and completes one configuration, and
 * hands it over piece by piece as it is asked to.
 *
 * @module
 */
import { DenoFiles, environmentVariable, stamping } from "../platform/mod.ts";
import { type AccountTexts, KnownAccounts } from "./account_texts.ts";
import { type ConfigWarning, loadConfig, loadQuickly } from "./load.ts";
import type { AccountFacts } from "./known_account.ts";
import type { LoadFlags, LoadReply, LoadRequest } from "./load_messages.ts";
import { type ConfigPiece, piecesOf, withoutPieces } from "./pieces.ts";
import { ConfigError } from "./problem.ts";
import type { Config } from "./types.ts";

/** The part of the worker's global scope used here; its full type is not in the main thread's library. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<LoadRequest>) => void) | null;
  postMessage(reply: LoadReply, moved: ArrayBuffer[]): void;
}

const scope = globalThis as unknown as WorkerScope;
let loaded: Config | null = null;
let known: ReadonlyMap<string, number> = new Map();
let kept: ReadonlySet<string> = new Set();
const facts = new Map<string, AccountFacts>();
let pieces: Generator<ConfigPiece> | null = null;

async function load(flags: LoadFlags, before: AccountTexts | null): Promise<LoadReply> {
  const files = new DenoFiles(),
    warnings: ConfigWarning[] = [],
    read = new Map<string, string | null>();
  const readText = stamping(read, (path) => files.readText(path));
  const env = environmentVariable;
  try {
    let text: string | undefined;
    if (before !== null && flags.configFile !== undefined) {
      // A file that cannot be read is reported below.
      text = await readText(flags.configFile).catch(() => undefined);
      const quick = text && loadQuickly({ flags, env, text }, new KnownAccounts(before, facts));
      if (quick) {
        const { config, texts } = quick;
        loaded = config;
        kept = quick.kept;
        const base = withoutPieces(config);
        return { type: "config", base, quick: true, texts, warnings, files: read };
      }
    }
    let texts: AccountTexts | null = null;
    const config = await loadConfig({
      flags,
      text,
      env,
      files: { readText },
      onWarning: (warning) => warnings.push(warning),
      onAccounts: (found) => texts = found,
    });
    loaded = config;
    const base = withoutPieces(config);
    return { type: "config", base, quick: false, texts, warnings, files: read };
  } catch (error) {
    if (!(error instanceof ConfigError)) return { type: "failed", reason: String(error) };
    const { problems, omitted } = error;
    return { type: "refused", problems, omitted, texts: before };
  }
}

function next(): LoadReply {
  if (loaded === null) return { type: "failed", reason: "nothing is loaded" };
  pieces ??= piecesOf(loaded, known, kept);
  const step = pieces.next();
  return step.done ? { type: "end" } : { type: "piece", piece: step.value };
}

function post(reply: LoadReply): void {
  const texts = "texts" in reply ? reply.texts : null;
  scope.postMessage(reply, texts === null ? [] : [texts.text.buffer]);
}

scope.onmessage = ({ data }) => {
  switch (data.type) {
    case "next":
      return post(next());
    case "known":
      known = data.digests;
      return;
    case "facts":
      for (const account of data.facts) facts.set(account.name, account);
      return;
    case "load":
      void load(data.flags, data.texts).then(post);
  }
};
