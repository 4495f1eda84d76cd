/**
 * Secrets that stand in the configuration as they are.
 *
 * @module
 */
import { isBcrypt } from "../config/mod.ts";
import type { AuthenticatorConfig } from "./authenticator.ts";
import { configuredUsers } from "./configured_users.ts";

/** Whether a password or a token is not a bcrypt hash. */
export function hasPlainSecret(config: AuthenticatorConfig): boolean {
  const passwords = configuredUsers(config).map((user) => user.password);
  return [config.token, ...passwords].some((secret) => secret !== undefined && !isBcrypt(secret));
}
