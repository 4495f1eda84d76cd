/**
 * What clients show, and what a configuration says of those who may connect.
 *
 * @module
 */
import type { PermissionSettings, UserConfig } from "../config/mod.ts";

/** What of CONNECT tells who a client is. An empty string is the same as an absent field. */
export interface Credentials {
  /** User name. */
  readonly user?: string | undefined;
  /** Password. */
  readonly pass?: string | undefined;
  /** Token. */
  readonly auth_token?: string | undefined;
  /** Public user nkey; ignored, as by nats-server, where no nkeys are configured. */
  readonly nkey?: string | undefined;
  /** User JWT; ignored, as by nats-server, where no operator is configured. */
  readonly jwt?: string | undefined;
  /** Signature of the nonce, for {@linkcode nkey} and {@linkcode jwt}. */
  readonly sig?: string | undefined;
  /** The client's name. */
  readonly name?: string | undefined;
  /** Its language. */
  readonly lang?: string | undefined;
  /** Its version. */
  readonly version?: string | undefined;
  /** The version of the protocol that it speaks. */
  readonly protocol?: number | undefined;
}

/** An account, as far as its users are concerned. */
export interface ConfiguredAccount {
  /** Its users. */
  readonly users: readonly UserConfig[];
  /** What those may do for whom nothing else is said. */
  readonly default_permissions?: PermissionSettings | undefined;
}

/** Where services are asked about clients; nobody else in their accounts may publish there. */
export const AUTH_CALLOUT_SUBJECT = "$SYS.REQ.USER.AUTH";

/** A service that decides about clients. */
export interface AuthCalloutSettings {
  /** Public key that signs its answers, `A...`. */
  readonly issuer: string;
  /** Name of the account in which it is asked; `"$G"` if absent. */
  readonly account?: string | undefined;
  /** Names or nkeys of the users that it does not decide about, its own among them. */
  readonly auth_users: readonly string[];
  /** Accounts whose users it decides about; all if absent or empty. */
  readonly allowed_accounts?: readonly string[] | undefined;
  /** Public curve key, `X...`, that questions are sealed for; they are sent in the clear if absent. */
  readonly xkey?: string | undefined;
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
  readonly users?: readonly UserConfig[] | undefined;
  /** What those of {@linkcode users} may do for whom nothing else is said. */
  readonly default_permissions?: PermissionSettings | undefined;
  /** Accounts by name, and their users; beside them there is no `user`. */
  readonly accounts?: Readonly<Record<string, ConfiguredAccount>> | undefined;
  /** The name of the system account, where it is another than `"$SYS"`. */
  readonly system_account?: string | undefined;
  /** The one of all users, by name or nkey, that a client without credentials is taken for. */
  readonly no_auth_user?: string | undefined;
  /** Milliseconds that a client has to show who it is; here only whether somebody chose them. */
  readonly timeout?: number | undefined;
  /** The service that is asked about clients. */
  readonly auth_callout?: AuthCalloutSettings | undefined;
  /** Whether users are found by the certificates of their clients. */
  readonly verify_and_map?: boolean | undefined;
}
