/**
 * Secrets that stand in the configuration as they are.
 *
 * @module
 */
import { isBcrypt } from "../config/mod.ts";
import type { AuthenticatorConfig } from "./authenticator.ts";

/** Whether a password or a token is not a bcrypt hash. */
export function hasPlainSecret(config: AuthenticatorConfig): boolean {
  const secrets = [
    config.token,
    config.password,
    ...(config.users ?? []).map((user) => user.password),
  ];
  return secrets.some((secret) => secret !== undefined && !isBcrypt(secret));
}
