/**
 * Looking up accounts that anybody may ask for: once at a time for each, a few at a time in all, with a
 * deadline, and not again at once for one that was not found.
 *
 * @module
 */
import type { Clock } from "../platform/mod.ts";
import { AccountLookupError, type AccountResolver } from "./account_resolver.ts";
import { GateFullError, LookupGate } from "./lookup_gate.ts";
import type { VerifiedAccount } from "./verified_account.ts";

/** What {@linkcode AccountLookup} needs. */
export interface AccountLookupOptions {
  /** Where accounts are found. */
  readonly resolver: AccountResolver;
  /** The time. */
  readonly clock: Clock;
  /** How long a lookup may take once it has begun, in milliseconds. */
  readonly timeoutMs: number;
  /** How long it is remembered that an account could not be had, in milliseconds. */
  readonly missKeptMs: number;
  /** Verifies what was found. */
  readonly verify: (account: string, token: string) => Promise<VerifiedAccount>;
}

/** An account that could not be had. */
interface Miss {
  readonly error: AccountLookupError;
  /** By the monotonic clock. */
  readonly untilMs: number;
}

const RUNNING_MAX = 64, WAITING_MAX = 4096, MISSES_MAX = 4096;

/** Looks up accounts. */
export class AccountLookup {
  readonly #options: AccountLookupOptions;
  readonly #gate = new LookupGate(RUNNING_MAX, WAITING_MAX);
  readonly #running = new Map<string, Promise<VerifiedAccount>>();
  /** In the order in which they were missed. */
  readonly #misses = new Map<string, Miss>();
  readonly #closing = new AbortController();

  /** Looks nothing up yet. */
  constructor(options: AccountLookupOptions) {
    this.#options = options;
  }

  /**
   * A verified account.
   *
   * @throws {AccountLookupError} when it cannot be had or not be trusted, or too many are looked up.
   */
  async find(account: string, signal?: AbortSignal): Promise<VerifiedAccount> {
    const miss = this.#misses.get(account);
    if (miss !== undefined) {
      if (miss.untilMs > this.#options.clock.monotonic()) throw miss.error;
      this.#misses.delete(account);
    }
    let running = this.#running.get(account);
    if (running === undefined) {
      running = this.#find(account).finally(() => this.#running.delete(account));
      // Whoever asked may have left when it fails.
      running.catch(() => {});
      this.#running.set(account, running);
    }
    return await orAborted(running, signal);
  }

  /** Forgets that an account could not be had. */
  forget(account: string): void {
    this.#misses.delete(account);
  }

  /** Ends all lookups. */
  close(): void {
    this.#closing.abort(new AccountLookupError("the server shuts down"));
    this.#misses.clear();
  }

  async #find(account: string): Promise<VerifiedAccount> {
    try {
      return await this.#gate.run(async () => {
        const token = await this.#fetch(account);
        return await this.#options.verify(account, token);
      });
    } catch (error) {
      if (error instanceof GateFullError) {
        throw new AccountLookupError(`too many lookups: ${error.message}`, { cause: error });
      }
      if (error instanceof AccountLookupError) this.#miss(account, error);
      throw error;
    }
  }

  async #fetch(account: string): Promise<string> {
    const { clock, resolver, timeoutMs } = this.#options;
    const deadline = new AbortController();
    const timer = clock.setTimer(
      timeoutMs,
      () => deadline.abort(new AccountLookupError(`it was not found within ${timeoutMs} ms`)),
    );
    const signal = AbortSignal.any([deadline.signal, this.#closing.signal]);
    try {
      signal.throwIfAborted();
      return await orAborted(resolver.fetch(account, signal), signal);
    } finally {
      timer.cancel();
    }
  }

  #miss(account: string, error: AccountLookupError): void {
    const { clock, missKeptMs } = this.#options;
    if (this.#closing.signal.aborted) return;
    this.#misses.delete(account);
    this.#misses.set(account, { error, untilMs: clock.monotonic() + missKeptMs });
    if (this.#misses.size <= MISSES_MAX) return;
    for (const oldest of this.#misses.keys()) {
      this.#misses.delete(oldest);
      break;
    }
  }
}

/** What `promise` resolves to, unless `signal` is aborted first. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
