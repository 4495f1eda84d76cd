/**
 * Users that the configuration gives no password.
 *
 * @module
 */
import type { AuthenticatorConfig } from "./authenticator.ts";

/** The names of the users without a password: whoever knows one of them gets in. */
export function usersWithoutPassword(config: AuthenticatorConfig): string[] {
  const users = [...config.users ?? []];
  if (config.user) users.push({ user: config.user, password: config.password });
  return users.filter(({ password }) => !password).map(({ user }) => user);
}
