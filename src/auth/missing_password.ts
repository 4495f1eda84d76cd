/**
 * Users that the configuration gives no password.
 *
 * @module
 */
import type { AuthenticatorConfig } from "./authenticator.ts";
import { configuredUsers } from "./configured_users.ts";

/** The names of the users without a password: whoever knows one of them gets in. */
export function usersWithoutPassword(config: AuthenticatorConfig): string[] {
  return configuredUsers(config).filter(({ password }) => !password).map(({ user }) => user);
}
