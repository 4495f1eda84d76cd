/**
 * What an operator's token says.
 *
 * @module
 */
import { type CommonClaims, openClaims } from "./claims.ts";

/** The claims of an operator. */
export interface OperatorClaims extends CommonClaims {
  /** Public keys that sign for it. */
  readonly signingKeys: readonly string[];
  /** Where accounts are looked up unless the configuration says it; empty where it does not say. */
  readonly accountServerUrl: string;
  /** Public key of the system account; empty where it does not say. */
  readonly systemAccount: string;
  /** The oldest version of a server that may serve it, as `2.10.0`; empty for any. */
  readonly assertServerVersion: string;
  /** Whether its own key may not sign accounts. */
  readonly strictSigningKeyUsage: boolean;
}

/**
 * Reads the claims of an operator.
 *
 * @param payload Decoded JSON.
 * @throws {ClaimsError} when they are not those of an operator, or a field has the wrong type.
 */
export function readOperatorClaims(payload: unknown): OperatorClaims {
  const { common, nats } = openClaims(payload, "operator");
  return {
    ...common,
    signingKeys: nats.texts("signing_keys") ?? [],
    accountServerUrl: nats.text("account_server_url"),
    systemAccount: nats.text("system_account"),
    assertServerVersion: nats.text("assert_server_version"),
    strictSigningKeyUsage: nats.flag("strict_signing_key_usage"),
  };
}

/** The public keys whose signature on an account is good. */
export function trustedKeysOf(operator: OperatorClaims): string[] {
  const { subject, signingKeys, strictSigningKeyUsage } = operator;
  return strictSigningKeyUsage ? [...signingKeys] : [subject, ...signingKeys];
}

/**
 * Why a server of `version` may not serve the operator, in words; null when it may. Both are three
 * numbers with dots; what follows the third is not looked at.
 */
export function serverVersionProblem(operator: OperatorClaims, version: string): string | null {
  const { assertServerVersion: asserted } = operator;
  if (asserted === "") return null;
  if (!/^\d+\.\d+\.\d+$/.test(asserted)) {
    return `it asks for a server of version ${
      JSON.stringify(asserted)
    }, which is not three numbers`;
  }
  const wanted = asserted.split(".").map(Number);
  const own = version.split(".").map((part) => parseInt(part, 10));
  const at = wanted.findIndex((number, index) => number !== own[index]);
  if (at < 0 || wanted[at]! < own[at]!) return null;
  return `it asks for a server of version ${asserted} or later, and this one is ${version}`;
}
