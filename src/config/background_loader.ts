/**
 * Loads configurations off the event loop: one of ten thousand accounts takes seconds.
 *
 * @module
 */
import {
  type Clock,
  type ReadFiles,
  resting,
  type WorkerEvents,
  type WorkerThread,
  workerThread,
} from "../platform/mod.ts";
import { type AccountTexts, factsOf } from "./account_texts.ts";
import { rememberedDigest } from "./digest.ts";
import type { ConfigWarning } from "./load.ts";
import type { AccountFacts } from "./known_account.ts";
import type { LoadFlags, LoadReply, LoadRequest } from "./load_messages.ts";
import { ConfigAssembly } from "./pieces.ts";
import { ConfigError } from "./problem.ts";
import type { Config } from "./types.ts";

/** How long the event loop is kept from other work at a time. */
const SLICE_MS = 5;
/** How long loading may take in all. */
const LOAD_LIMIT_MS = 120_000;

/** How many users the facts are of that are told at a time, at the least. */
const TOLD_AT_A_TIME = 2000;

/** A configuration that was loaded, and where its accounts stand in its file. */
export interface LoadedBefore {
  /** The configuration, whether or not it holds. */
  readonly config: Config;
  /** Where its accounts stand; null where that is not known, or another thread has it. */
  texts: AccountTexts | null;
}

/** What {@link loadInBackground} takes from its surroundings. */
export interface BackgroundLoadOptions {
  /** What to load. */
  readonly flags: LoadFlags;
  /** The configuration that holds: what is the same in it is taken from there. Null for none. */
  readonly before: Config | null;
  /**
   * What was last loaded from the file: what is written in the same way is taken from there. It has no
   * texts any more when something else has been loaded.
   */
  readonly last?: LoadedBefore | null | undefined;
  /** Times it. */
  readonly clock: Clock;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
  /** Starts the worker thread; the loading worker when left out. */
  readonly startWorker?: ((events: WorkerEvents) => WorkerThread) | undefined;
}

/** A configuration that was loaded. */
export interface LoadedInBackground {
  /** The configuration. */
  readonly config: Config;
  /** What is strange in it. */
  readonly warnings: readonly ConfigWarning[];
  /** The files that were read for it. */
  readonly files: ReadFiles;
  /** Where its accounts stand, where that is of use the next time. */
  readonly texts: AccountTexts | null;
}

/** A configuration could not be loaded in another thread; the message says why. */
export class BackgroundLoadError extends Error {
  /** Always `"BackgroundLoadError"`. */
  override readonly name = "BackgroundLoadError";
}

/**
 * Reads, checks and completes a configuration in a thread of its own, which ends with it.
 *
 * @throws {ConfigError} with everything that is wrong, each with its place in the file.
 * @throws {BackgroundLoadError} when the thread fails or takes too long, and when `signal` is aborted.
 */
export async function loadInBackground(
  options: BackgroundLoadOptions,
): Promise<LoadedInBackground> {
  const { flags, before, last = null, clock, signal, startWorker = startLoadWorker } = options;
  const texts = last?.texts ?? null;
  const { promise, resolve, reject } = Promise.withResolvers<LoadedInBackground>();
  let known: Extract<LoadReply, { type: "config" }> | null = null;
  let assembly: ConfigAssembly | null = null;
  const post = (request: LoadRequest) => worker.post(request);
  const fail = (reason: string) => reject(new BackgroundLoadError(reason));
  const received = (reply: LoadReply) => {
    switch (reply.type) {
      case "config":
        known = reply;
        assembly = new ConfigAssembly(reply.base, before, reply.quick ? last?.config : before);
        if (reply.quick) return post({ type: "next" });
        told ??= tellDigests();
        told.then(() => post({ type: "next" })).catch(reject);
        return;
      case "piece":
        assembly?.add(reply.piece);
        return post({ type: "next" });
      case "end":
        if (known === null || assembly === null) return fail("the thread has answered out of turn");
        return resolve({
          config: assembly.finish(),
          warnings: known.warnings,
          files: known.files,
          texts: known.texts,
        });
      case "refused":
        if (last !== null) last.texts = reply.texts;
        return reject(new ConfigError(reply.problems, reply.omitted));
      case "failed":
        return fail(reply.reason);
    }
  };
  const worker = startWorker({
    message: (data) => {
      try {
        received(data as LoadReply);
      } catch (error) {
        reject(error);
      }
    },
    failed: ({ message }) => fail(message),
  });
  const tellDigests = () =>
    digests(before, clock).then((digests) => post({ type: "known", digests }));
  let told: Promise<void> | null = null;
  // It may be before anybody waits for it that the thread fails.
  promise.catch(() => {});
  const timer = clock.setTimer(LOAD_LIMIT_MS, () => fail("loading takes too long"));
  const abort = () => fail(String(signal?.reason));
  signal?.addEventListener("abort", abort, { once: true });
  try {
    if (signal?.aborted) abort();
    else if (last === null || texts === null) {
      post({ type: "load", flags, texts: null });
      // While the thread reads and checks.
      told = tellDigests();
    } else {
      for await (const facts of factsOfAll(last.config, texts, clock)) {
        post({ type: "facts", facts });
      }
      last.texts = null;
      worker.post({ type: "load", flags, texts } satisfies LoadRequest, [texts.text.buffer]);
    }
    return await promise;
  } finally {
    told?.catch(() => {});
    timer.cancel();
    signal?.removeEventListener("abort", abort);
    worker.terminate();
  }
}

/** Digests of the accounts that there are, made in slices. */
async function digests(before: Config | null, clock: Clock): Promise<Map<string, number>> {
  const made = new Map<string, number>(), rest = resting(clock, SLICE_MS);
  for (const [name, account] of Object.entries(before?.accounts ?? {})) {
    made.set(name, rememberedDigest(account));
    await rest();
  }
  return made;
}

/** What rules compare of the accounts whose text is known, made in slices. */
async function* factsOfAll(
  { accounts = {} }: Config,
  texts: AccountTexts,
  clock: Clock,
): AsyncGenerator<readonly AccountFacts[]> {
  const rest = resting(clock, SLICE_MS);
  let facts: AccountFacts[] = [], count = 0;
  for (const name of texts.names) {
    const account = accounts[name];
    if (account === undefined) continue;
    facts.push(factsOf(name, account));
    count += 1 + account.users.length;
    if (count < TOLD_AT_A_TIME) continue;
    yield facts;
    facts = [];
    count = 0;
    await rest();
  }
  yield facts;
}

function startLoadWorker(events: WorkerEvents): WorkerThread {
  const module = new URL("./load_worker.ts", import.meta.url);
  return workerThread(new Worker(module, { type: "module" }), events);
}
