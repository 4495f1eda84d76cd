/**
 * What a broker makes of an operator: accounts and users that are known from JWTs.
 *
 * @module
 */
import type { AccountDirectory } from "./account/mod.ts";
import {
  type Decision,
  type Eviction,
  type Identity,
  type OperatorAccount,
  type OperatorAuthority,
  type OperatorCallout,
  OperatorMode,
  Refusal,
} from "./auth/mod.ts";
import type { ClientSession } from "./client/mod.ts";
import type { Config } from "./config/mod.ts";
import type { Log } from "./log/mod.ts";
import { type Clock, DenoHttpClient, type Files } from "./platform/mod.ts";
import { isNkey, NATS_VERSION } from "./protocol/mod.ts";
import type { Scope } from "./supervisor/mod.ts";

/** How many accounts may import from each other in a row; more are left out. */
const MAX_IMPORT_DEPTH = 16;

/** What an operator takes from its broker before there is one. */
export interface OperatorSurroundings {
  /** Files. */
  readonly files: Files;
  /** Time. */
  readonly clock: Clock;
  /** Where accounts are logged. */
  readonly log: Log;
  /** Asks services of accounts about users. */
  readonly callout: OperatorCallout;
}

/**
 * Reads the operators of a configuration; null where it names none.
 *
 * @throws {OperatorError} when what it says of them contradicts itself, or cannot be used.
 * @throws {FileError} when a file that it names cannot be read.
 */
export async function openOperator(
  config: Config,
  { files, clock, log, callout }: OperatorSurroundings,
): Promise<OperatorMode | null> {
  if (config.operator === undefined && config.trusted_keys === undefined) return null;
  const { authorization: { user, users, token, auth_callout }, accounts, no_auth_user } = config;
  return await OperatorMode.open(config, {
    accounts: accounts !== undefined,
    users: user !== undefined || users !== undefined || token !== undefined,
    noAuthUser: no_auth_user,
    authCallout: auth_callout !== undefined,
  }, {
    files,
    clock,
    log,
    http: () => new DenoHttpClient(),
    version: NATS_VERSION,
    callout,
  });
}

/** The configuration as it is meant where an operator names the system account. */
export function withSystemAccount(config: Config, mode: OperatorMode | null): Config {
  const system = mode?.operators.systemAccount ?? null;
  return system === null ? config : { ...config, system_account: system };
}

/** What an operator takes from its broker. */
export interface OperatorTies {
  /** Where accounts are made. */
  readonly accounts: AccountDirectory;
  /** Everybody who is connected. */
  readonly sessions: ReadonlyMap<number, ClientSession>;
  /** Where changes are tasks. */
  readonly root: Scope;
}

/**
 * Ties operator mode to a broker: accounts are made of what their JWTs say before somebody is let into
 * them, change when those do, and whoever must leave then does.
 */
export class OperatorTie implements OperatorAuthority {
  readonly #mode: OperatorMode;
  readonly #ties: OperatorTies;
  /** Changes are made one after the other, in the order in which they came. Never rejects. */
  #changes: Promise<void> = Promise.resolve();

  /** Changes are followed from now on. */
  constructor(mode: OperatorMode, ties: OperatorTies) {
    this.#mode = mode;
    this.#ties = ties;
    // Other servers may be interested in an account before anybody is in it here.
    ties.accounts.isOpen = (name) => isNkey(name, "account");
    // Imports whose tokens do not hold are left out of definitions.
    ties.accounts.activates = () => true;
    mode.accounts.onChanged((account) => {
      if (ties.root.state !== "running") return;
      ties.root.spawn(`account ${account.key}`, () => this.#changed(account));
    });
  }

  /** See {@link OperatorAuthority}. */
  async authenticate(
    ...[credentials, peer, signal]: Parameters<OperatorAuthority["authenticate"]>
  ): Promise<Decision> {
    const decision = await this.#mode.authenticator.authenticate(credentials, peer, signal);
    return decision instanceof Refusal ? decision : await this.admitted(decision, signal);
  }

  /** Sees to it that there is the account of somebody who is let in. */
  async admitted(identity: Identity, signal?: AbortSignal): Promise<Decision> {
    await this.#load(identity.account, signal);
    return identity;
  }

  /** See {@link OperatorAuthority}. */
  evictionOf(identity: Identity): Eviction | null {
    return this.#mode.authenticator.evictionOf(identity);
  }

  /** Makes an account, and before it those that it imports from. */
  async #load(name: string, signal: AbortSignal | undefined, depth = 0): Promise<void> {
    const { accounts } = this.#ties;
    if (accounts.definition(name) !== undefined && this.#mode.accounts.isLoaded(name)) return;
    const account = await this.#mode.accounts.definitionOf(name, signal);
    if (account !== null) await this.#use(account, signal, depth);
  }

  async #use(
    { key, definition, jetstream }: OperatorAccount,
    signal: AbortSignal | undefined,
    depth: number,
  ): Promise<void> {
    const { accounts } = this.#ties;
    // It is there before those it imports from, which may import from it.
    accounts.update([[key, { ...definition, imports: [], jetstream }]]);
    const exporters = new Set(
      (definition.imports ?? []).map((each) => (each.stream ?? each.service)!.account),
    );
    if (depth < MAX_IMPORT_DEPTH) {
      for (const exporter of exporters) await this.#load(exporter, signal, depth + 1);
    }
    accounts.update([[key, { ...definition, jetstream }]]);
  }

  async #changed(account: OperatorAccount): Promise<void> {
    const before = this.#changes, { promise, resolve } = Promise.withResolvers<void>();
    this.#changes = promise;
    await before;
    try {
      await this.#use(account, undefined, 0);
    } finally {
      resolve();
    }
    for (const session of this.#ties.sessions.values()) {
      const { identity } = session;
      if (identity === null || identity.account !== account.key) continue;
      const eviction = this.#mode.authenticator.evictionOf(identity);
      if (eviction !== null) session.evict(eviction.reason, eviction.text);
      else session.revise(identity);
    }
  }
}
