/**
 * Where the JWTs of accounts are found.
 *
 * @module
 */

/** Finds JWTs of accounts. Nobody believes what it finds before it was verified. */
export interface AccountResolver {
  /**
   * The JWT of an account.
   *
   * @param account Its public key, well-formed.
   * @throws {AccountLookupError} when there is none, or it cannot be had now.
   */
  fetch(account: string, signal: AbortSignal): Promise<string>;
}

/** An account could not be found, or not be trusted; the message says why. */
export class AccountLookupError extends Error {
  /** Always `"AccountLookupError"`. */
  override readonly name = "AccountLookupError";
}

/** Accounts in memory: those of `resolver_preload`. */
export class MemoryResolver implements AccountResolver {
  readonly #tokens: Map<string, string>;

  /** Has the given JWTs, by public key. */
  constructor(tokens: Readonly<Record<string, string>>) {
    this.#tokens = new Map(Object.entries(tokens));
  }

  /** See {@link AccountResolver.fetch}. */
  fetch(account: string): Promise<string> {
    const token = this.#tokens.get(account);
    return token === undefined
      ? Promise.reject(new AccountLookupError("resolver_preload does not have it"))
      : Promise.resolve(token);
  }
}
