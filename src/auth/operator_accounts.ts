/**
 * The accounts of operator mode that are in use: found through the resolver, verified, kept, and changed
 * when their tokens change or run out.
 *
 * @module
 */
import type { AccountDefinition, ImportDefinition } from "../config/mod.ts";
import type { Log } from "../log/mod.ts";
import type { Clock, Timer } from "../platform/mod.ts";
import { isNkey } from "../protocol/mod.ts";
import type { AccountClaims, ExternalAuthorization } from "./account_claims.ts";
import { AccountLookup } from "./account_lookup.ts";
import { AccountLookupError, type AccountResolver } from "./account_resolver.ts";
import { activationStateProblem } from "./activation_claims.ts";
import { secondsOf } from "./claims.ts";
import { isContained } from "./subject_claims.ts";
import type { TrustedOperators } from "./trusted_operators.ts";
import { type VerifiedAccount, verifyAccount } from "./verified_account.ts";

/** An account of operator mode, for those who serve it. */
export interface OperatorAccount {
  /** Its public key, which is its name everywhere but for people. */
  readonly key: string;
  /** Its name for people; may be empty. */
  readonly name: string;
  /** Its tags. */
  readonly tags: readonly string[];
  /** What it exports, imports, maps and is limited to. An activation that does not hold is left out. */
  readonly definition: AccountDefinition;
  /** Whether it has expired or was deleted: nobody may be in it. */
  readonly expired: boolean;
  /** Its token. */
  readonly token: string;
}

/** What {@linkcode OperatorAccounts} needs. */
export interface OperatorAccountsOptions {
  /** Whom to trust. */
  readonly operators: TrustedOperators;
  /** Where accounts are found. */
  readonly resolver: AccountResolver;
  /** The time. */
  readonly clock: Clock;
  /** Gets what went wrong with an account. */
  readonly log: Log;
  /** How long a lookup may take, in milliseconds; 5 s when left out. */
  readonly lookupTimeoutMs?: number | undefined;
}

/**
 * Is told of an account that is in use and has changed. Who asked for the change hears of it when what is
 * returned resolves, and until then no other change is told of.
 */
export type AccountListener = (account: OperatorAccount) => void | Promise<void>;

/** An account as it is kept. */
interface Entry extends VerifiedAccount {
  /** Nobody may be in it: its time is over, or it was deleted. */
  expired: boolean;
  /** Wakes up when the account or an activation of it expires. */
  timer: Timer | null;
  /** What of imports holds, by which a change is seen; null before it was asked for. */
  imports: string | null;
}

/** How soon after a failed lookup the same account is looked up again, in milliseconds. */
const MISS_KEPT_MS = 1000;

/** The accounts in use. */
export class OperatorAccounts {
  readonly #operators: TrustedOperators;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #lookup: AccountLookup;
  readonly #entries = new Map<string, Entry>();
  /** Who imports with an activation from an account. */
  readonly #importers = new Map<string, Set<string>>();
  readonly #listeners = new Set<AccountListener>();
  /** What is under way, one after the other; {@linkcode close} waits for it. */
  #changes: Promise<void> = Promise.resolve();
  #closed = false;

  /** Knows no account yet. */
  constructor(options: OperatorAccountsOptions) {
    this.#operators = options.operators;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#lookup = new AccountLookup({
      resolver: options.resolver,
      clock: options.clock,
      timeoutMs: options.lookupTimeoutMs ?? 5000,
      missKeptMs: MISS_KEPT_MS,
      verify: (account, token) => this.#verify(token, account),
    });
  }

  /** Whether an account of this name is in use. */
  isLoaded(account: string): boolean {
    return this.#entries.has(account);
  }

  /** The token of an account in use; undefined where it is not. */
  tokenOf(account: string): string | undefined {
    return this.#entries.get(account)?.token;
  }

  /**
   * What an account's token says; the account is in use from then on.
   *
   * @throws {AccountLookupError} when it cannot be found, is not to be trusted, has expired or was
   * deleted.
   */
  async claimsOf(account: string, signal?: AbortSignal): Promise<AccountClaims> {
    const entry = this.#entries.get(account);
    if (entry !== undefined && !entry.expired) return entry.claims;
    if (!isNkey(account, "account")) throw new AccountLookupError("its name is not a public key");
    const found = this.#adopt(await this.#lookup.find(account, signal));
    if (found.expired) throw new AccountLookupError("its JWT does not hold: it has expired");
    return found.claims;
  }

  /**
   * An account to be served; null where there is none, which the log says why.
   *
   * Never rejects, but for `signal`'s reason.
   */
  async definitionOf(account: string, signal?: AbortSignal): Promise<OperatorAccount | null> {
    try {
      await this.claimsOf(account, signal);
      const entry = this.#entries.get(account);
      return entry === undefined ? null : await this.#describe(entry);
    } catch (error) {
      if (!(error instanceof AccountLookupError)) throw error;
      this.#log.limited(account, 1000)?.warn("Account cannot be used", {
        account,
        reason: error.message,
      });
      return null;
    }
  }

  /** Whether and with what settings a key signs for an account in use; undefined where it does not. */
  signerOf(claims: AccountClaims, key: string): ReturnType<AccountClaims["signingKeys"]["get"]> {
    const own = key === claims.subject && !this.#operators.strictKeys.has(claims.issuer);
    return own ? null : claims.signingKeys.get(key);
  }

  /** What an account in use says now; undefined where it is not in use, null where it ran out. */
  current(account: string): AccountClaims | null | undefined {
    const entry = this.#entries.get(account);
    return entry?.expired ? null : entry?.claims;
  }

  /** Who else is asked about the users of an account in use. */
  authorizationOf(account: string): ExternalAuthorization | null {
    return this.#entries.get(account)?.claims.authorization ?? null;
  }

  /** Calls `listener` whenever an account in use has changed, until what is returned is disposed. */
  onChanged(listener: AccountListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /**
   * Replaces the token of an account in use. Resolves when everybody was told.
   *
   * @throws {AccountLookupError} when the new token is not to be trusted; the old one stays.
   */
  async replace(account: string, token: string): Promise<void> {
    this.#lookup.forget(account);
    const entry = this.#entries.get(account);
    if (entry === undefined || (entry.token === token && !entry.expired)) return;
    this.#adopt(await this.#verify(token, account));
    await this.#changes;
  }

  /** Takes an account out of use, as one that has expired. Resolves when everybody was told. */
  async remove(account: string): Promise<void> {
    const entry = this.#entries.get(account);
    if (entry === undefined) return;
    entry.expired = true;
    this.#changed(entry);
    await this.#changes;
  }

  /** Forgets all accounts; resolves when what is under way is over. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    for (const { timer } of this.#entries.values()) timer?.cancel();
    this.#lookup.close();
    await this.#changes;
    this.#entries.clear();
    this.#importers.clear();
  }

  #verify(token: string, account: string): Promise<VerifiedAccount> {
    const nowSeconds = secondsOf(this.#clock.now());
    return verifyAccount(token, { trustedKeys: this.#operators.keys, nowSeconds, account });
  }

  #adopt(verified: VerifiedAccount): Entry {
    const account = verified.claims.subject;
    const before = this.#entries.get(account);
    // Several may have waited for the same lookup.
    if (before !== undefined && before.token === verified.token && !before.expired) return before;
    before?.timer?.cancel();
    const nowSeconds = secondsOf(this.#clock.now());
    const { expiresAt } = verified.claims;
    const entry: Entry = {
      ...verified,
      expired: expiresAt > 0 && expiresAt <= nowSeconds,
      timer: null,
      imports: before?.imports ?? null,
    };
    this.#entries.set(account, entry);
    for (const { account: exporter, token } of verified.claims.imports) {
      if (token === "") continue;
      const importers = this.#importers.get(exporter) ?? new Set();
      this.#importers.set(exporter, importers.add(account));
    }
    this.#watch(entry);
    if (before !== undefined || this.#importers.has(account)) this.#changed(entry);
    return entry;
  }

  /** Sets the timer to the next time at which something of an account runs out. */
  #watch(entry: Entry): void {
    entry.timer?.cancel();
    const nowSeconds = secondsOf(this.#clock.now());
    const ends = [entry.claims, ...entry.activations]
      .map((claims) => claims?.expiresAt ?? 0)
      .filter((end) => end > nowSeconds);
    if (this.#closed || ends.length === 0) return;
    const delayMs = Math.max(0, Math.min(...ends) * 1000 - this.#clock.now());
    entry.timer = this.#clock.setTimer(delayMs, () => {
      const { expiresAt } = entry.claims;
      if (expiresAt > 0 && expiresAt * 1000 <= this.#clock.now()) entry.expired = true;
      else this.#watch(entry);
      this.#changed(entry);
    });
  }

  /** Tells of an account, and of those that import from it with an activation if that matters to them. */
  #changed(entry: Entry): void {
    const account = entry.claims.subject;
    this.#changes = this.#changes.then(async () => {
      await this.#tell(entry);
      for (const importer of this.#importers.get(account) ?? []) {
        const other = this.#entries.get(importer);
        if (this.#closed || other === undefined || other === entry) continue;
        const before = other.imports;
        const described = await this.#describe(other);
        if (before !== null && before !== other.imports) await this.#notify(described);
      }
    }).catch((error) => {
      this.#log.error("Change of an account failed", { account, error: `${error}` });
    });
  }

  async #tell(entry: Entry): Promise<void> {
    if (this.#closed || this.#entries.get(entry.claims.subject) !== entry) return;
    await this.#notify(await this.#describe(entry));
  }

  async #notify(account: OperatorAccount): Promise<void> {
    for (const listener of this.#listeners) {
      try {
        await listener(account);
      } catch (error) {
        this.#log.error("Change of an account failed", { account: account.key, error: `${error}` });
      }
    }
  }

  async #describe(entry: Entry): Promise<OperatorAccount> {
    const { claims, token, expired } = entry;
    const imports: ImportDefinition[] = [];
    for (const at of claims.imports.keys()) imports.push(await this.#importOf(entry, at));
    entry.imports = JSON.stringify(imports.map(({ token }) => token !== undefined));
    return {
      key: claims.subject,
      name: claims.name,
      tags: claims.tags,
      definition: { ...claims.definition, jetstream: claims.jetstream, imports },
      expired,
      token,
    };
  }

  /** An import, without its activation where that does not hold. */
  async #importOf({ claims, activations }: Entry, at: number): Promise<ImportDefinition> {
    const { definition, account: exporter, subject, kind } = claims.imports[at]!;
    const activation = activations[at] ?? null;
    if (activation === null) return definition;
    let problem: string | null;
    try {
      const issuer = await this.#exporterOf(exporter);
      const revocations = issuer.definition.exports?.find((it) =>
        it[kind] !== undefined && isContained(subject, it[kind])
      )?.revocations;
      const now = secondsOf(this.#clock.now());
      problem = activationStateProblem(activation, issuer, revocations, now);
    } catch (error) {
      if (!(error instanceof AccountLookupError)) throw error;
      problem = `the account that exports it cannot be used: ${error.message}`;
    }
    if (problem === null) return definition;
    this.#log.warn("Import is not active", {
      account: claims.subject,
      subject,
      reason: problem,
    });
    const { token: _, ...inactive } = definition;
    return inactive;
  }

  /** Without telling of it, since that would wait for the change that this is a part of. */
  async #exporterOf(exporter: string): Promise<AccountClaims> {
    const entry = this.#entries.get(exporter);
    if (entry !== undefined) return entry.claims;
    return (await this.#lookup.find(exporter)).claims;
  }
}
