/**
 * Changing the configuration of a broker that runs: planned first, carried out as a whole or not at all.
 *
 * @module
 */
import { changeLine, type Config, obstacleText, type Plan, planInSlices } from "./config/mod.ts";
import type { Log } from "./log/mod.ts";
import { type Clock, resting } from "./platform/mod.ts";

/** How long all participants together may take to prepare. */
const PREPARE_MS = 20_000;
/** How long a reload waits for those before it, and how many may wait. */
const TURN_MS = 60_000, WAITING_MAX = 16;
/** How long the loop may be kept busy with planning at a time. */
const SLICE_MS = 5;
/** Most lines in which the log tells what has changed. */
const LINES_MAX = 100;

/** What came of a reload. */
export interface ReloadReport {
  /**
   * `unchanged`, nothing differs; `applied`, all of it; `refused`, it holds a change that a running
   * server cannot make; `failed`, something went wrong, and was taken back. But for `applied` nothing
   * has changed.
   */
  readonly outcome: "unchanged" | "applied" | "refused" | "failed";
  /** What differs, and what becomes of it. */
  readonly plan: Plan;
  /** In words, as the log has it. */
  readonly message: string;
}

/** What a participant is told of a reload. */
export interface ReloadContext {
  /** The configuration that holds. */
  readonly before: Config;
  /** The configuration that is to hold. */
  readonly after: Config;
  /** What differs. */
  readonly plan: Plan;
  /** Aborted when nobody waits for the preparation any more. */
  readonly signal: AbortSignal;
  /** Lets others have their turn, if the last time was some milliseconds ago. */
  readonly rest: () => Promise<void> | undefined;
}

/** A participant's share of a reload, ready to be applied. */
export interface PreparedChange {
  /** Makes it so, at once. Should not throw: what can fail belongs into the preparation. */
  apply(): void;
  /** Takes it back, at once, also when `apply` has thrown halfway. */
  rollback(): void;
  /** It is not applied, or was taken back: gives back what the preparation has taken. */
  discard?(): void | Promise<void>;
  /** Everybody has applied: does what cannot be taken back, such as closing connections. */
  finish?(): void | Promise<void>;
}

/** A part of the broker that has a share in reloads. */
export interface ReloadParticipant {
  /** For the log. */
  readonly name: string;
  /**
   * Does everything that may fail or take its time, without any effect yet. Null where nothing that
   * differs concerns it.
   */
  prepare(context: ReloadContext): Promise<PreparedChange | null> | PreparedChange | null;
}

/** What a {@link Reloader} is made of. */
export interface ReloaderOptions {
  /** The configuration that holds. */
  readonly config: Config;
  /** Who has a share, in the order in which they apply. */
  readonly participants: readonly ReloadParticipant[];
  /** Time. */
  readonly clock: Clock;
  /** Where it is told what has changed. */
  readonly log: Log;
}

/** Changes the configuration of a broker, one reload after the other. */
export class Reloader {
  readonly #options: ReloaderOptions;
  #config: Config;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  readonly #closed = new AbortController();

  /** Nothing is to be changed yet. */
  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  /** The configuration that holds. */
  get config(): Config {
    return this.#config;
  }

  /**
   * Changes to the configuration `after`, when those before it are done. Never rejects: what went wrong
   * is in the report and in the log.
   */
  reload(after: Config): Promise<ReloadReport> {
    if (this.#waiting >= WAITING_MAX) {
      return Promise.resolve(this.#failed(NO_PLAN, "too many reloads are waiting"));
    }
    this.#waiting++;
    let given: "up" | "turn" | null = null;
    const { promise, resolve } = Promise.withResolvers<ReloadReport>();
    const timer = this.#options.clock.setTimer(TURN_MS, () => {
      if (given !== null) return;
      given = "up";
      this.#waiting--;
      resolve(this.#failed(NO_PLAN, "the reload before it takes too long"));
    });
    this.#last = this.#last.then(async () => {
      if (given !== null) return;
      given = "turn";
      timer.cancel();
      try {
        resolve(await this.#run(after));
      } catch (error) {
        resolve(this.#failed(NO_PLAN, describe(error)));
      } finally {
        this.#waiting--;
      }
    });
    return promise;
  }

  /** Ends what is being prepared, and refuses the rest; resolves when the last one is over. */
  async close(): Promise<void> {
    this.#closed.abort(new Error("the server ends"));
    await this.#last;
  }

  async #run(after: Config): Promise<ReloadReport> {
    const { log } = this.#options, before = this.#config;
    if (this.#closed.signal.aborted) return this.#failed(NO_PLAN, "the server ends");
    const rest = resting(this.#options.clock, SLICE_MS);
    const plan = await planInSlices(before, after, rest);
    const obstacle = obstacleText(plan);
    if (obstacle !== null) {
      const message = `Failed to reload server configuration: ${obstacle}`;
      log.error(message);
      return { outcome: "refused", plan, message };
    }
    if (plan.verdict === "unchanged") {
      log.info(RELOADED, { changes: 0 });
      return { outcome: "unchanged", plan, message: RELOADED };
    }
    let prepared: Share[];
    try {
      prepared = await this.#prepare({ before, after, plan, rest });
    } catch (error) {
      return this.#failed(plan, describe(error));
    }
    const wrong = apply(prepared);
    if (wrong !== null) {
      for (const text of wrong.slice(1)) log.error(`Rolling back a reload: ${text}`);
      await this.#each(prepared, "discard");
      return this.#failed(plan, wrong[0]!);
    }
    this.#config = after;
    this.#tell(plan);
    await this.#each(prepared, "finish");
    log.info(RELOADED, { changes: plan.changes.length });
    return { outcome: "applied", plan, message: RELOADED };
  }

  /** Asks one after the other, so that what one finds wrong is not in vain for the others. */
  async #prepare(context: Omit<ReloadContext, "signal">): Promise<Share[]> {
    const { participants, clock } = this.#options;
    const limit = new AbortController();
    const signal = AbortSignal.any([limit.signal, this.#closed.signal]);
    const timer = clock.setTimer(PREPARE_MS, () => limit.abort(new Error("it takes too long")));
    const prepared: Share[] = [];
    try {
      for (const { name, prepare } of participants.map(bound)) {
        const pending = Promise.resolve(prepare({ ...context, signal }));
        let change: PreparedChange | null;
        try {
          change = await unlessAborted(pending, signal);
        } catch (error) {
          // Whatever it still gets ready is of no use.
          pending.then((late) => late?.discard?.()).catch(() => {});
          throw new Error(`${name}: ${describe(error)}`);
        }
        if (change !== null) prepared.push({ name, change });
      }
      signal.throwIfAborted();
      return prepared;
    } catch (error) {
      await this.#each(prepared, "discard");
      throw error;
    } finally {
      timer.cancel();
    }
  }

  async #each(prepared: readonly Share[], step: "discard" | "finish"): Promise<void> {
    for (const { name, change } of prepared) {
      try {
        await change[step]?.();
      } catch (error) {
        this.#options.log.warn(`After a reload: ${name}: ${describe(error)}`);
      }
    }
  }

  #tell(plan: Plan): void {
    const { log } = this.#options;
    for (const change of plan.changes.slice(0, LINES_MAX)) {
      log.info(`Reloaded: ${changeLine(change)}`);
    }
    const more = plan.changes.length - LINES_MAX;
    if (more > 0) log.info(`Reloaded: and ${more} more`);
  }

  #failed(plan: Plan, reason: string): ReloadReport {
    const message = `Failed to reload server configuration: ${reason}`;
    this.#options.log.error(message);
    return { outcome: "failed", plan, message };
  }
}

const RELOADED = "Reloaded server configuration";

const NO_PLAN: Plan = { verdict: "unchanged", changes: [] };

interface Share {
  readonly name: string;
  readonly change: PreparedChange;
}

function bound(participant: ReloadParticipant) {
  return {
    name: participant.name,
    prepare: async (context: ReloadContext) => await participant.prepare(context),
  };
}

/** Applies all, or none: what went wrong, first of all why, or null. */
function apply(prepared: readonly Share[]): string[] | null {
  let applied = 0;
  try {
    for (const { change } of prepared) {
      applied++;
      change.apply();
    }
    return null;
  } catch (error) {
    const wrong = [`${prepared[applied - 1]!.name}: ${describe(error)}`];
    for (const { name, change } of prepared.slice(0, applied).reverse()) {
      try {
        change.rollback();
      } catch (error) {
        // The others are taken back all the same.
        wrong.push(`${name}: ${describe(error)}`);
      }
    }
    return wrong;
  }
}

async function unlessAborted<T>(pending: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([pending, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
    // Nobody else looks at it.
    promise.catch(() => {});
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
