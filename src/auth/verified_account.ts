/**
 * An account whose token was verified: it is signed by a trusted operator, and nothing is wrong with it.
 *
 * @module
 */
import { type AccountClaims, readAccountClaims } from "./account_claims.ts";
import { AccountLookupError } from "./account_resolver.ts";
import {
  type ActivationClaims,
  activationProblem,
  readActivationClaims,
} from "./activation_claims.ts";
import { outOfDate } from "./claims.ts";
import { ClaimsError } from "./claims_reader.ts";
import { JwtError, readJwt } from "./jwt.ts";

/** A verified account. */
export interface VerifiedAccount {
  /** Its token. */
  readonly token: string;
  /** What that says. */
  readonly claims: AccountClaims;
  /** The activations of its imports, in the same places; null where an import has none. */
  readonly activations: readonly (ActivationClaims | null)[];
}

/** What a token is verified against. */
export interface VerificationOptions {
  /** The keys whose signature is good. */
  readonly trustedKeys: ReadonlySet<string>;
  /** Whole seconds since 1970. */
  readonly nowSeconds: number;
  /** Public key of the account that it must be of; any when absent. */
  readonly account?: string | undefined;
}

/**
 * Verifies the token of an account, its times included.
 *
 * @throws {AccountLookupError} when it is not to be trusted; the message says why.
 */
export async function verifyAccount(
  token: string,
  { trustedKeys, nowSeconds, account }: VerificationOptions,
): Promise<VerifiedAccount> {
  const { problem, ...verified } = await examineAccount(token);
  const { claims } = verified;
  const refuse = (reason: string): never => {
    throw new AccountLookupError(reason);
  };
  if (account !== undefined && claims.subject !== account) refuse("its JWT is of another account");
  if (!trustedKeys.has(claims.issuer)) refuse("its JWT is not signed by a trusted operator");
  const stale = outOfDate(claims, nowSeconds);
  if (stale !== null) refuse(`its JWT does not hold: ${stale}`);
  if (problem !== null) refuse(`its JWT has problems: ${problem}`);
  return verified;
}

/** An account that nobody has said yet to be trusted. */
export interface ExaminedAccount extends VerifiedAccount {
  /** The first thing that is wrong with it; null when nothing is. */
  readonly problem: string | null;
}

/**
 * Reads the token of an account, its signature checked. Whom to trust and the time are not looked at.
 *
 * @throws {AccountLookupError} when it is no such token.
 */
export async function examineAccount(token: string): Promise<ExaminedAccount> {
  const claims = await readClaims(token);
  let problem = claims.problems[0] ?? null;
  const activations: (ActivationClaims | null)[] = [];
  for (const { token, account: exporter, subject, kind, definition } of claims.imports) {
    if (token === "") {
      activations.push(null);
      continue;
    }
    const activation = await readActivation(token);
    activations.push(activation);
    const use = { importer: claims.subject, exporter, subject, kind };
    const wrong = activationProblem(activation, use);
    if (wrong === null) continue;
    problem ??= `of the import ${JSON.stringify(definition.to ?? subject)} ${wrong}`;
  }
  return { token, claims, activations, problem };
}

async function readClaims(token: string): Promise<AccountClaims> {
  try {
    return readAccountClaims(await readJwt(token, { type: "account" }));
  } catch (error) {
    throw asLookupError(error, "its JWT cannot be used");
  }
}

async function readActivation(token: string): Promise<ActivationClaims> {
  try {
    return readActivationClaims(await readJwt(token, { type: "activation" }));
  } catch (error) {
    throw asLookupError(error, "its JWT has an activation that cannot be used");
  }
}

function asLookupError(error: unknown, what: string): unknown {
  if (!(error instanceof JwtError || error instanceof ClaimsError)) return error;
  return new AccountLookupError(`${what}: ${error.message}`, { cause: error });
}
