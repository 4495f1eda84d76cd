/**
 * Users that the configuration gives no password.
 *
 * @module
 */
import { namedUsers } from "./configured_users.ts";
import type { AuthenticatorConfig } from "./credentials.ts";

/**
 * The names of the users without a password: whoever knows one of them gets in. With `verify_and_map`
 * there are none: a certificate is asked of everybody.
 */
export function usersWithoutPassword(config: AuthenticatorConfig): string[] {
  if (config.verify_and_map === true) return [];
  return [...namedUsers(config).filter(({ password }) => !password).map(({ user }) => user!)];
}
