/**
 * What a user's token says.
 *
 * @module
 */
import { type CommonClaims, issuerAccountOf, openClaims } from "./claims.ts";
import { readUserSettings, saysNothing, type UserSettings } from "./user_settings.ts";

/** The claims of a user. */
export interface UserClaims extends CommonClaims {
  /** Public key of the account it is a user of. */
  readonly account: string;
  /** Whether a signing key of the account issued it, rather than the account itself. */
  readonly isIssuedForAccount: boolean;
  /** What it may do, where the key that signed does not say that. */
  readonly settings: UserSettings;
  /** Whether it leaves that all to the key that signed. */
  readonly isScoped: boolean;
}

/**
 * Reads the claims of a user.
 *
 * @param payload Decoded JSON.
 * @throws {ClaimsError} when they are not those of a user, or a field has the wrong type.
 */
export function readUserClaims(payload: unknown): UserClaims {
  const source = openClaims(payload, "user");
  const { common, nats } = source;
  const issuerAccount = issuerAccountOf(source);
  return {
    ...common,
    account: issuerAccount || common.issuer,
    isIssuedForAccount: issuerAccount !== "",
    // The first version had no limit where it named none.
    settings: readUserSettings(nats, common.version === 1 ? -1 : 0),
    isScoped: saysNothing(nats),
  };
}
