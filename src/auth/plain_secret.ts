/**
 * Secrets that stand in the configuration as they are.
 *
 * @module
 */
import { isBcrypt } from "../config/mod.ts";
import { namedUsers } from "./configured_users.ts";
import type { AuthenticatorConfig } from "./credentials.ts";

/** Whether a password or a token is not a bcrypt hash. */
export function hasPlainSecret(config: AuthenticatorConfig): boolean {
  const isPlain = (secret: string | undefined) => secret !== undefined && !isBcrypt(secret);
  return isPlain(config.token) || namedUsers(config).some(({ password }) => isPlain(password));
}
