/**
 * What a configuration says of those who may connect, ready to be looked at.
 *
 * @module
 */
import { GLOBAL_ACCOUNT, systemAccountName } from "../config/mod.ts";
import {
  AUTH_CALLOUT_SUBJECT,
  type AuthCalloutSettings,
  type AuthenticatorConfig,
  type Credentials,
} from "./credentials.ts";
import { type Decision, type Identity, type PeerFacts, Refusal } from "./decision.ts";
import { isSame } from "./same.ts";
import { PlainSecret } from "./secret.ts";
import {
  type AccountDenial,
  anybody,
  type BcryptHash,
  secretOf,
  stranger,
  type UserEntry,
  type UserOrigin,
  userOrigin,
  UserTable,
} from "./user_table.ts";

const DEFAULT_AUTH_TIMEOUT_MS = 2000;

/** The rules of one configuration; but for the users, which change to those of the next, they never change. */
export class AuthenticationRules {
  /** The configuration. */
  readonly config: AuthenticatorConfig;
  /** The users that are listed. */
  readonly users: UserTable;
  /** Who somebody is that shows nothing, because nobody needs to; null where somebody does. */
  readonly nobody: Identity | null;
  /** Whom somebody is taken for that shows nothing; null where there is no such user. */
  readonly noAuthUser: UserEntry | null;
  /** The token; null without one. */
  readonly token: Single | null;
  /** The one user; null without one. */
  readonly single: Single | null;
  /** One of the configured hashes, if any, to spend the usual time on before a refusal. */
  readonly decoy: BcryptHash | null;
  /** What users of the callout's account are denied; null without a callout. */
  readonly denial: AccountDenial | null;

  /**
   * The rules of `config`. Takes little more than a look at each user, or at each that is not in the same
   * list as in the rules `before`, whose users are those of `config` too from now on.
   */
  constructor(config: AuthenticatorConfig, before?: AuthenticationRules) {
    const { token, user, password, no_auth_user, auth_callout } = config;
    this.config = config;
    this.denial = auth_callout === undefined
      ? null
      : { account: auth_callout.account ?? GLOBAL_ACCOUNT, subject: AUTH_CALLOUT_SUBJECT };
    const users = this.users = before?.users.changedTo(config, this.denial) ??
      new UserTable(config, this.denial);
    this.token = token ? new Single("[REDACTED]", token) : null;
    this.single = user ? new Single(user, password ?? "") : null;
    this.noAuthUser = no_auth_user ? users.byKey(no_auth_user) ?? users.byName(no_auth_user) : null;
    this.nobody = this.#nobody();
    this.decoy = users.someHash ?? hashOf(this.token) ?? hashOf(this.single);
  }

  #nobody(): Identity | null {
    const { users, token, single, noAuthUser, config } = this;
    if (token !== null || single !== null || noAuthUser !== null) return null;
    if (users.named + users.keyed === 0) return anybody;
    return hasOnlySystemAccount(config) ? stranger : null;
  }

  /** Whether there is an account of that name. */
  hasAccount(name: string): boolean {
    const { accounts = {} } = this.config;
    return name === GLOBAL_ACCOUNT || Object.hasOwn(accounts, name) ||
      name === systemAccountName(this.config);
  }

  /** Whether a service decides about those who claim to be `user` when nothing else does. */
  refersUser(user: string): boolean {
    const { auth_callout: callout } = this.config;
    return callout !== undefined && !callout.auth_users.includes(user);
  }

  /** Whether it is for the service to decide about somebody, rather than for `made`. */
  refers(made: Decision, credentials: Credentials): boolean {
    if (!this.refersUser(shownUser(credentials, made))) return false;
    const { allowed_accounts: accounts = [] } = this.config.auth_callout!;
    return made instanceof Refusal || made.account === GLOBAL_ACCOUNT || accounts.length === 0 ||
      accounts.includes(made.account);
  }

  /** Who somebody is now that was let in before; null where that cannot be told without its secret. */
  still(identity: Identity, credentials: Credentials, peer: PeerFacts): Identity | null {
    const answer = answers.get(identity);
    if (answer !== undefined) {
      return isSame(answer, this.serviceOrigin(identity.account)) ? identity : null;
    }
    const now = this.#stillByRules(identity, credentials, peer);
    return now === null || this.refers(now, credentials) ? null : now;
  }

  /** On what an answer of the service depends besides the service. */
  serviceOrigin(account: string): ServiceOrigin {
    return { settings: this.config.auth_callout, exists: this.hasAccount(account) };
  }

  #stillByRules(identity: Identity, credentials: Credentials, peer: PeerFacts): Identity | null {
    if (identity === anybody || identity === stranger) {
      return identity === this.nobody ? identity : null;
    }
    const origin = userOrigin(identity);
    if (origin === undefined) {
      return [this.token, this.single].find((it) => it?.isOf(identity))?.identity ?? null;
    }
    const { configured, proof } = origin;
    const entry = configured.nkey
      ? this.users.byKey(configured.nkey)
      : this.users.byName(configured.user ?? "");
    const isStill = entry !== null && entry.allows(peer.connectionType) &&
      entry.configured.password === configured.password &&
      this.#provesStill(entry, origin, credentials, peer);
    return isStill ? entry.identity(proof) : null;
  }

  #provesStill(
    entry: UserEntry,
    { proof }: UserOrigin,
    { user }: Credentials,
    { certificate, connectionType }: PeerFacts,
  ): boolean {
    const maps = this.config.verify_and_map === true;
    switch (proof) {
      case "nkey":
        return true;
      case "nothing":
        return this.noAuthUser === entry;
      case "password":
        return !maps && user === entry.configured.user;
      case "certificate":
        return maps && certificate !== null &&
          this.users.byCertificate(certificate, connectionType) === entry;
    }
  }
}

/** On what an answer of the service of `auth_callout` depends besides the service. */
export interface ServiceOrigin {
  /** Who was asked, and where. */
  readonly settings: AuthCalloutSettings | undefined;
  /** Whether there is the account that the client was put in. */
  readonly exists: boolean;
}

const answers = new WeakMap<Identity, ServiceOrigin>();

/** Remembers that an identity is an answer of the service. */
export function isAnswer(identity: Identity, origin: ServiceOrigin): void {
  answers.set(identity, origin);
}

/** What a client is known by to nats-server: its nkey, name or token. */
export function shownUser(credentials: Credentials, made: Decision): string {
  if (!(made instanceof Refusal) && userOrigin(made) !== undefined) return made.user ?? "";
  const { nkey, user, auth_token } = credentials;
  return nkey || user || auth_token || "";
}

/** The same for others to see: no token. */
export function shownName(credentials: Credentials, made: Decision): string {
  const user = shownUser(credentials, made);
  return user !== "" && user === credentials.auth_token ? "[REDACTED]" : user;
}

/** A secret that needs no list of users: the token, or that of the one user. */
export class Single {
  /** Who knows it. */
  readonly identity: Identity;
  /** To compare with. */
  readonly secret: PlainSecret | BcryptHash;
  readonly #configured: string;

  /** The secret of `user`. */
  constructor(user: string, secret: string) {
    this.identity = { user, account: GLOBAL_ACCOUNT };
    this.secret = secretOf(secret);
    this.#configured = secret;
    singles.set(this.identity, this);
  }

  /** Whether an identity was proven by the same secret. */
  isOf(identity: Identity): boolean {
    const other = singles.get(identity);
    return other !== undefined && other.identity.user === this.identity.user &&
      other.#configured === this.#configured;
  }
}

const singles = new WeakMap<Identity, Single>();

function hashOf(single: Single | null): BcryptHash | null {
  return single === null || single.secret instanceof PlainSecret ? null : single.secret;
}

/**
 * Whether the accounts are the system's alone. nats-server leaves the global account open then, since
 * somebody who only gave the system a password did not close it; a block `authorization` does, whatever
 * is in it. Of one that says nothing else the timeout is all that can be seen here.
 */
function hasOnlySystemAccount(config: AuthenticatorConfig): boolean {
  const { accounts = {}, user, users = [], timeout = DEFAULT_AUTH_TIMEOUT_MS } = config;
  const { default_permissions, auth_callout } = config;
  const [name, ...others] = Object.keys(accounts);
  return name === systemAccountName(config) && others.length === 0 && !user &&
    users.length === 0 && timeout === DEFAULT_AUTH_TIMEOUT_MS &&
    default_permissions === undefined && auth_callout === undefined;
}
