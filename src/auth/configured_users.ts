/**
 * The users that a configuration names, wherever it does.
 *
 * @module
 */
import { type Config, GLOBAL_ACCOUNT, type UserConfig } from "../config/mod.ts";
import type { AuthenticatorConfig, ConfiguredUser } from "./authenticator.ts";

/** A user and the name of its account. */
export interface AccountUser extends ConfiguredUser {
  /** The name of its account. */
  readonly account: string;
}

/** Every user: those of accounts, the others in `"$G"`. */
export function configuredUsers(config: AuthenticatorConfig): AccountUser[] {
  const { user, password, users = [], accounts = {} } = config;
  return [
    ...(user ? [{ user, password, account: GLOBAL_ACCOUNT }] : []),
    ...users.map((one) => ({ ...one, account: GLOBAL_ACCOUNT })),
    ...Object.entries(accounts).flatMap(([account, { users }]) =>
      users.map((one) => ({ ...one, account }))
    ),
  ];
}

/** What of a broker's configuration tells who may connect. */
export function authenticatorConfig(config: Config): AuthenticatorConfig {
  const { authorization, accounts = {}, system_account, no_auth_user } = config;
  const { users, ...rest } = authorization;
  return {
    ...rest,
    ...(users === undefined ? {} : { users: users.flatMap(named) }),
    accounts: Object.fromEntries(
      Object.entries(accounts).map(([name, { users }]) => [name, { users: users.flatMap(named) }]),
    ),
    system_account,
    no_auth_user,
  };
}

/** A user that has a name. */
function named({ user, password }: UserConfig): ConfiguredUser[] {
  return user === undefined ? [] : [{ user, password }];
}
