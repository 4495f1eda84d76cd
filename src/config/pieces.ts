/**
 * A configuration in pieces: what is parsed in another thread comes over in slices that keep nobody
 * waiting, and what is as it was before is the same object as before.
 *
 * @module
 */
import { isSame } from "./changes.ts";
import { digestOf } from "./digest.ts";
import type { AccountConfig, Config, UserConfig } from "./types.ts";

/** How many users, or accounts, are in a piece. */
const PIECE_SIZE = 1000;

/** A part of what there may be very many of. */
export interface ConfigPiece {
  /** The next ones of `authorization.users`. */
  readonly users: readonly UserConfig[];
  /**
   * The next ones of `accounts`, in their order, null for one that is as it was; of the users of the
   * last one some may follow.
   */
  readonly accounts: readonly (readonly [name: string, account: AccountConfig | null])[];
  /** The next users of the last account of the pieces before. */
  readonly more: readonly UserConfig[];
}

/** A configuration without what comes in pieces: the lists are there, and empty. */
export function withoutPieces(config: Config): Config {
  const { authorization, accounts } = config;
  return {
    ...config,
    authorization: { ...authorization, ...(authorization.users && { users: [] }) },
    ...(accounts && { accounts: {} }),
  };
}

/**
 * The rest of a configuration.
 *
 * @param known Digests of the accounts that the other side has.
 * @param kept The names of accounts that are known to be as they were.
 */
export function* piecesOf(
  { authorization, accounts }: Config,
  known: ReadonlyMap<string, number> = new Map(),
  kept: ReadonlySet<string> = new Set(),
): Generator<ConfigPiece> {
  for (const users of slices(authorization.users ?? [])) yield { users, accounts: [], more: [] };
  let batch: [string, AccountConfig | null][] = [], size = 0;
  for (const [name, account] of Object.entries(accounts ?? {})) {
    const digest = known.get(name);
    if (kept.has(name) || (digest !== undefined && digest === digestOf(account))) {
      batch.push([name, null]);
      if (++size < PIECE_SIZE) continue;
      yield { users: [], accounts: batch, more: [] };
      batch = [];
      size = 0;
      continue;
    }
    const [first = [], ...others] = slices(account.users);
    batch.push([name, others.length === 0 ? account : { ...account, users: first }]);
    size += 1 + first.length;
    if (size < PIECE_SIZE && others.length === 0) continue;
    yield { users: [], accounts: batch, more: [] };
    for (const more of others) yield { users: [], accounts: [], more };
    batch = [];
    size = 0;
  }
  if (batch.length > 0) yield { users: [], accounts: batch, more: [] };
}

function slices<T>(list: readonly T[]): T[][] {
  const count = Math.ceil(list.length / PIECE_SIZE);
  return Array.from(
    { length: count },
    (_, index) => list.slice(index * PIECE_SIZE, (index + 1) * PIECE_SIZE),
  );
}

/** Puts a configuration together again, out of what there was `before` wherever that is the same. */
export class ConfigAssembly {
  readonly #base: Config;
  readonly #before: Config | null;
  readonly #last: Config | null;
  readonly #users: UserConfig[] = [];
  readonly #accounts: [string, AccountConfig][] = [];
  /** Of the last account, where there is more of it than one piece. */
  #longUsers: UserConfig[] | null = null;

  /**
   * Nothing but `base` is there yet, what {@link withoutPieces} has left.
   *
   * @param last Where accounts are taken from that are as they were; `before` where it is left out.
   */
  constructor(base: Config, before: Config | null, last: Config | null = before) {
    this.#base = base;
    this.#before = before;
    this.#last = last;
  }

  /** The next piece. */
  add({ users, accounts, more }: ConfigPiece): void {
    share(this.#users, users, this.#before?.authorization.users);
    for (const [name, account] of accounts) {
      this.#longUsers = null;
      const old = accountOf(this.#before, name), next = account ?? accountOf(this.#last, name);
      if (next === undefined) throw new TypeError("an account is as it was, and was not there");
      this.#accounts.push([name, old !== undefined && isSame(old, next) ? old : next]);
    }
    if (more.length > 0) this.#addTo(this.#accounts.at(-1)!, more);
  }

  #addTo(entry: [string, AccountConfig], more: readonly UserConfig[]): void {
    const [name, account] = entry, old = accountOf(this.#before, name);
    if (this.#longUsers === null) {
      this.#longUsers = [];
      share(this.#longUsers, account.users, old?.users);
      entry[1] = { ...account, users: this.#longUsers };
    }
    share(this.#longUsers, more, old?.users);
  }

  /** The configuration, when the last piece was added. */
  finish(): Config {
    const { authorization, accounts } = this.#base;
    return Object.freeze({
      ...this.#base,
      ...(authorization.users && {
        authorization: Object.freeze({ ...authorization, users: this.#users }),
      }),
      // Not assignments: an account may be called __proto__.
      ...(accounts && { accounts: Object.fromEntries(this.#accounts) }),
    });
  }
}

function accountOf(config: Config | null, name: string): AccountConfig | undefined {
  const accounts = config?.accounts ?? {};
  return Object.hasOwn(accounts, name) ? accounts[name] : undefined;
}

/** Adds `users`, or those that stand in their place in `before`, where they are the same. */
function share(
  to: UserConfig[],
  users: readonly UserConfig[],
  before: readonly UserConfig[] | undefined,
): void {
  for (const user of users) {
    const old = before?.[to.length];
    to.push(old !== undefined && isSame(old, user) ? old : user);
  }
}
