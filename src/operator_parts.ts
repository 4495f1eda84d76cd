/**
 * What a broker makes of operator mode: accounts come and change while it runs.
 *
 * @module
 */
import type { AccountDirectory } from "./account/mod.ts";
import {
  type Credentials,
  type Decision,
  type Eviction,
  type Identity,
  isOperatorMode,
  type OperatorAccount,
  OperatorMode,
  type OtherCredentials,
  type PeerFacts,
  Refusal,
  type SystemBus,
} from "./auth/mod.ts";
import { type ClientSession, closeSurplusOf } from "./client/mod.ts";
import type { AccountDefinition, Config } from "./config/mod.ts";
import type { Log } from "./log/mod.ts";
import { type Clock, DenoHttpClient, type Files } from "./platform/mod.ts";
import { isNkey, NATS_VERSION } from "./protocol/mod.ts";

/** What operator mode takes from its broker before there is one. */
export interface OperatorSurroundings {
  /** The file system. */
  readonly files: Files;
  /** The time. */
  readonly clock: Clock;
  /** Gets what goes wrong with accounts. */
  readonly log: Log;
}

/**
 * Opens operator mode; null where a configuration has no operator.
 *
 * @throws {OperatorError} when settings contradict each other, or something they name cannot be used.
 * @throws {FileError} when the file of an operator or the folder of accounts cannot be read.
 */
export async function openOperator(
  config: Config,
  surroundings: OperatorSurroundings,
): Promise<OperatorMode | null> {
  if (!isOperatorMode(config)) return null;
  return await OperatorMode.open(config, otherCredentials(config), {
    ...surroundings,
    version: NATS_VERSION,
    http: () => new DenoHttpClient(),
  });
}

/**
 * Looks whether a configuration's operators, if any, can be used; opens nothing.
 *
 * @throws {OperatorError} when settings contradict each other, or a JWT cannot be used.
 * @throws {FileError} when the file of an operator cannot be read.
 */
export async function checkOperator(
  config: Config,
  surroundings: OperatorSurroundings,
): Promise<void> {
  if (!isOperatorMode(config)) return;
  const options = { ...surroundings, version: NATS_VERSION };
  await OperatorMode.check(config, otherCredentials(config), options);
}

function otherCredentials(config: Config): OtherCredentials {
  const { authorization, accounts, no_auth_user } = config;
  const { token, user, users = [], auth_callout } = authorization;
  return {
    accounts: accounts !== undefined,
    users: token !== undefined || user !== undefined || users.length > 0,
    noAuthUser: no_auth_user,
    authCallout: auth_callout !== undefined,
  };
}

/** The configuration with the system account that the operator names. */
export function withSystemAccount(config: Config, mode: OperatorMode | null): Config {
  const systemAccount = mode?.operators.systemAccount ?? null;
  return systemAccount === null ? config : { ...config, system_account: systemAccount };
}

/** What {@linkcode OperatorAccess} takes from its broker. */
export interface OperatorAccessOptions {
  /** Operator mode. */
  readonly mode: OperatorMode;
  /** The accounts that are served. */
  readonly accounts: AccountDirectory;
  /** All clients that are connected. */
  readonly sessions: () => Iterable<ClientSession>;
  /** The time. */
  readonly clock: Clock;
  /** Gets what goes wrong. */
  readonly log: Log;
}

/** How often an account that changes while it is looked up is looked up again. */
const SERVE_TRIES = 5;

/** Lets clients in by their JWTs, into accounts that are served from then on. */
export class OperatorAccess {
  readonly #options: OperatorAccessOptions;
  readonly #mode: OperatorMode;
  /** What is served as it was told of last. */
  readonly #served = new Set<string>();
  readonly #listening: Disposable;
  #closed = false;

  /** Accounts of the directory change from now on as operator mode says. */
  constructor(options: OperatorAccessOptions) {
    this.#options = options;
    const mode = this.#mode = options.mode;
    const { accounts } = options;
    // Other servers may speak of accounts before anybody connects here.
    accounts.isOpen = (name) => isNkey(name, "account");
    // An activation that does not hold is left out of its import.
    accounts.activates = (_importer, { token }) => token !== undefined;
    this.#listening = mode.accounts.onChanged((account) => this.#change(account));
  }

  /** Who a client is; see {@linkcode OperatorAuthenticator.authenticate}. Its account is served then. */
  async authenticate(
    credentials: Credentials,
    peer: PeerFacts,
    signal?: AbortSignal,
  ): Promise<Decision> {
    const { authenticator } = this.#mode;
    const decision = await authenticator.authenticate(credentials, peer, signal);
    if (decision instanceof Refusal) return decision;
    const { account } = decision;
    if (!this.#served.has(account) && !await this.#serve(account)) {
      return new Refusal("its account cannot be used", { account });
    }
    // The account may have changed since its user was looked at.
    const eviction = this.evictionOf(decision);
    if (eviction === null) return authenticator.revised(decision);
    const { reason, text } = eviction;
    return new Refusal(reason, { account, ...(text !== null && { text }) });
  }

  /** See {@linkcode OperatorAuthenticator.evictionOf}. */
  evictionOf(identity: Identity): Eviction | null {
    return this.#mode.authenticator.evictionOf(identity);
  }

  /** Takes part in the system account, which is served from then on if it can be found. */
  async connect(system: SystemBus): Promise<void> {
    this.#mode.connect(system);
    const { systemAccount } = this.#mode.operators;
    if (systemAccount !== null) await this.#serve(systemAccount);
  }

  /** A configuration with what the operator adds to it; see {@linkcode withSystemAccount}. */
  complete(config: Config): Config {
    return withSystemAccount(config, this.#mode);
  }

  /** Reads the folder of accounts again; never rejects. */
  async reload(): Promise<void> {
    try {
      await this.#mode.reload();
    } catch (error) {
      this.#options.log.error("The folder of accounts cannot be read again", { error: `${error}` });
    }
  }

  /** Ends operator mode; resolves when what is under way is over. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#listening[Symbol.dispose]();
    await this.#mode.close();
  }

  /** Has an account served, and those that it imports from; false where there is no such account. */
  async #serve(name: string): Promise<boolean> {
    for (let tries = 0; tries < SERVE_TRIES; tries++) {
      const found = await this.#withExporters(name);
      if (this.#closed || !found.has(name)) return false;
      // Changes of what is not served yet are not told of.
      const isCurrent = found.values().every(({ key, token }) =>
        this.#mode.accounts.tokenOf(key) === token
      );
      if (!isCurrent) continue;
      for (const account of found.keys()) this.#served.add(account);
      this.#options.accounts.update(
        [...found.values()].map(({ key, definition }) => [key, definition] as const),
      );
      return true;
    }
    return false;
  }

  /** What is to be served with an account that is not yet. */
  async #withExporters(name: string): Promise<Map<string, OperatorAccount>> {
    const found = new Map<string, OperatorAccount>();
    const wanted = [name], asked = new Set(wanted);
    for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
      const account = await this.#mode.accounts.definitionOf(next);
      if (account === null) continue;
      found.set(next, account);
      for (const exporter of exportersOf(account.definition)) {
        if (asked.has(exporter) || this.#served.has(exporter)) continue;
        asked.add(exporter);
        wanted.push(exporter);
      }
    }
    return found;
  }

  async #change(account: OperatorAccount): Promise<void> {
    if (!this.#served.has(account.key)) return;
    const { accounts, clock, sessions } = this.#options;
    for (const exporter of exportersOf(account.definition)) {
      if (!this.#served.has(exporter)) await this.#serve(exporter);
    }
    // Who was let in by what held before is one of the sessions after that.
    await clock.yield();
    if (this.#closed) return;
    accounts.update([[account.key, account.definition]]);
    for (const session of sessions()) {
      if (session.identity?.account === account.key) this.#review(session, session.identity);
    }
    closeSurplusOf(sessions(), new Set([account.key]));
  }

  /** A client whose account has changed has to leave, or goes by what holds now. */
  #review(session: ClientSession, identity: Identity): void {
    const eviction = this.evictionOf(identity);
    if (eviction === null) session.revise(this.#mode.authenticator.revised(identity));
    else session.evict(eviction.reason, eviction.text);
  }
}

function exportersOf({ imports = [] }: AccountDefinition): string[] {
  return imports.map(({ stream, service }) => (stream ?? service)!.account);
}
