/**
 * The users that a configuration names, wherever it does.
 *
 * @module
 */
import {
  type Config,
  GLOBAL_ACCOUNT,
  type PermissionSettings,
  type UserConfig,
} from "../config/mod.ts";
import type { AuthenticatorConfig } from "./credentials.ts";

/** A list of users, with what they have in common. */
export interface UserList {
  /** The users as they are configured. */
  readonly users: readonly UserConfig[];
  /** The name of their account. */
  readonly account: string;
  /** What those may do for whom nothing else is said. */
  readonly defaults: PermissionSettings | undefined;
}

/** All lists of users: those of accounts, and the one in `"$G"`. */
export function userLists(config: AuthenticatorConfig): UserList[] {
  const { users = [], accounts = {}, default_permissions: defaults } = config;
  const listOf = (account: string): UserList => {
    const { users, default_permissions: defaults } = accounts[account]!;
    return { users, account, defaults };
  };
  return [{ users, account: GLOBAL_ACCOUNT, defaults }, ...Object.keys(accounts).map(listOf)];
}

/** Every user that has a name, the one that stands alone as well. */
export function* namedUsers(config: AuthenticatorConfig): Generator<UserConfig> {
  const { user, password } = config;
  if (user) yield { user, password };
  for (const { users } of userLists(config)) yield* users.filter(({ user }) => user);
}

/** What of a broker's configuration tells who may connect. */
export function authenticatorConfig(config: Config): AuthenticatorConfig {
  const { authorization, accounts, system_account, no_auth_user, tls } = config;
  const verify_and_map = tls?.verify_and_map;
  return { ...authorization, accounts, system_account, no_auth_user, verify_and_map };
}
