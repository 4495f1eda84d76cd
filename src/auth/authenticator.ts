/**
 * Who a client is, from what its CONNECT says.
 *
 * @module
 */
import { GLOBAL_ACCOUNT, isBcrypt, systemAccountName } from "../config/mod.ts";
import { configuredUsers } from "./configured_users.ts";
import type { PasswordVerifier } from "./password_verifier.ts";
import { type Decision, type Identity, type PeerFacts, Refusal } from "./decision.ts";
import { PlainSecret } from "./secret.ts";

/** What of CONNECT tells who a client is. An empty string is the same as an absent field. */
export interface Credentials {
  /** User name. */
  readonly user?: string | undefined;
  /** Password. */
  readonly pass?: string | undefined;
  /** Token. */
  readonly auth_token?: string | undefined;
  /** Public user nkey; ignored, as by nats-server where no nkeys are configured. */
  readonly nkey?: string | undefined;
  /** User JWT; ignored, as by nats-server where no operator is configured. */
  readonly jwt?: string | undefined;
  /** Signature of the nonce; ignored with {@linkcode nkey} and {@linkcode jwt}. */
  readonly sig?: string | undefined;
}

/** A user and the secret that proves it. */
export interface ConfiguredUser {
  /** Name, not empty, unique in its list. */
  readonly user: string;
  /** Password in the clear, or its bcrypt hash; without one only the empty password is accepted. */
  readonly password?: string | undefined;
}

/**
 * Who may connect. At most one of `token`, `user` and `users` is given, but for a token of the command
 * line beside users; no token and no user at all lets everybody in. An empty string is the same as an
 * absent setting.
 */
export interface AuthenticatorConfig {
  /** The one token, in the clear or its bcrypt hash. */
  readonly token?: string | undefined;
  /** The one user. */
  readonly user?: string | undefined;
  /** Its password, in the clear or its bcrypt hash. */
  readonly password?: string | undefined;
  /** Several users. */
  readonly users?: readonly ConfiguredUser[] | undefined;
  /** Accounts by name, and their users; beside them there is no `user`. */
  readonly accounts?:
    | Readonly<Record<string, { readonly users: readonly ConfiguredUser[] }>>
    | undefined;
  /** The name of the system account, where it is another than `"$SYS"`. */
  readonly system_account?: string | undefined;
  /** The one of all users that a client without credentials is taken for. */
  readonly no_auth_user?: string | undefined;
  /** Milliseconds that a client has to show who it is; here only whether somebody chose them. */
  readonly timeout?: number | undefined;
}

/** A configured secret and who knows it; nobody is let in by a null identity. */
interface Entry {
  readonly identity: Identity | null;
  readonly secret: PlainSecret | BcryptHash;
}

interface BcryptHash {
  readonly hash: string;
}

const DEFAULT_AUTH_TIMEOUT_MS = 2000;

const anybody: Identity = { user: null, account: GLOBAL_ACCOUNT };

/** A client that shows nothing, where others may show that they are of the system. */
const stranger: Identity = { ...anybody };

/** Decides who may connect. */
export class Authenticator {
  readonly #verifier: PasswordVerifier;
  readonly #token: Entry | null;
  readonly #users: ReadonlyMap<string, Entry>;
  readonly #anonymous: Identity | null;
  /** One of the configured hashes, if any, to spend the usual time on before a refusal. */
  readonly #decoy: BcryptHash | null;
  /** Stands in for a user that does not exist, at the same expense. */
  readonly #unknown: Entry;

  /** `verifier` stays the caller's to close, and is not used before {@linkcode authenticate}. */
  constructor(config: AuthenticatorConfig, verifier: PasswordVerifier) {
    this.#verifier = verifier;
    const users = configuredUsers(config);
    this.#token = config.token ? entryOf("[REDACTED]", GLOBAL_ACCOUNT, config.token) : null;
    this.#users = new Map(
      users.map((one) => [one.user, entryOf(one.user, one.account, one.password ?? "")]),
    );
    this.#anonymous = anonymousOf(config, this.#users, this.#token === null);
    const hash = [config.token, ...users.map((one) => one.password)]
      .find((secret) => isBcrypt(secret ?? ""));
    this.#decoy = hash === undefined ? null : { hash };
    this.#unknown = { identity: null, secret: this.#decoy ?? new PlainSecret("") };
  }

  /**
   * Whether a client is asked for credentials: INFO's `auth_required`. As in nats-server that is so even
   * if it is let in without them because only the system account has users; {@linkcode anonymous} tells.
   */
  get required(): boolean {
    return this.#anonymous === null || this.#anonymous === stranger;
  }

  /** Whether there is anybody to be told from others, even if nobody has to show who it is. */
  get configured(): boolean {
    return this.#anonymous !== anybody;
  }

  /** Who a client is that shows no credentials, or sends no CONNECT at all; null refuses it. */
  anonymous(): Identity | null {
    return this.#anonymous;
  }

  /**
   * Who a client is. Answers at once unless a bcrypt hash is configured: then whoever is refused has
   * waited for one bcrypt check, known or not, so that the time does not tell which users exist.
   * Credentials that are shown where none are needed by anybody are ignored.
   *
   * The promise rejects with `signal`'s reason when it is aborted, and as
   * {@linkcode PasswordVerifier.verify} does; all of these refuse the client.
   */
  authenticate(
    credentials: Credentials,
    _peer: PeerFacts,
    signal?: AbortSignal,
  ): Decision | Promise<Decision> {
    if (this.#anonymous === anybody) return anybody;
    const { user, pass, auth_token: token } = credentials;
    if (this.#anonymous !== null && !user && !pass && !token) return this.#anonymous;
    // Who gives a name is asked for its password, even where there is a token too.
    const byToken = this.#token !== null && (!user || this.#users.size === 0);
    const entry = byToken ? this.#token : this.#users.get(user ?? "");
    const { identity, secret } = entry ?? this.#unknown;
    const offered = (byToken ? token : pass) ?? "";
    const refusal = new Refusal(
      byToken
        ? "the token is wrong"
        : identity === null
        ? "there is no such user"
        : "the password is wrong",
    );
    if (!(secret instanceof PlainSecret)) {
      const decoyFor = identity === null ? user ?? "" : undefined;
      return this.#verifier.verify(offered, secret.hash, signal, decoyFor)
        .then((ok) => ok && identity !== null ? identity : refusal);
    }
    if (secret.matches(offered)) return identity ?? refusal;
    if (this.#decoy === null) return refusal;
    return this.#verifier.verify(offered, this.#decoy.hash, signal, user ?? "").then(() => refusal);
  }
}

/** Who a client is that shows nothing. */
function anonymousOf(
  config: AuthenticatorConfig,
  users: ReadonlyMap<string, Entry>,
  noToken: boolean,
): Identity | null {
  if (config.no_auth_user && users.size > 0) {
    return users.get(config.no_auth_user)?.identity ?? null;
  }
  if (!noToken) return null;
  if (hasOnlySystemAccount(config)) return stranger;
  return users.size === 0 ? anybody : null;
}

/**
 * Whether the accounts are the system's alone. nats-server leaves the global account open then, since
 * somebody who only gave the system a password did not close it; a block `authorization` does, whatever
 * is in it. Of one that says nothing else the timeout is all that can be seen here.
 */
function hasOnlySystemAccount(config: AuthenticatorConfig): boolean {
  const { accounts = {}, user, users = [], timeout = DEFAULT_AUTH_TIMEOUT_MS } = config;
  const [name, ...others] = Object.keys(accounts);
  return name === systemAccountName(config) && others.length === 0 && !user &&
    users.length === 0 && timeout === DEFAULT_AUTH_TIMEOUT_MS;
}

function entryOf(user: string, account: string, secret: string): Entry {
  return {
    identity: { user, account },
    secret: isBcrypt(secret) ? { hash: secret } : new PlainSecret(secret),
  };
}
