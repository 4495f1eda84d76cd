/**
 * Accounts that are got over HTTP.
 *
 * @module
 */
import { type HttpClient, HttpError } from "../platform/mod.ts";
import { AccountLookupError, type AccountResolver } from "./account_resolver.ts";
import { JWT_LENGTH_MAX } from "./jwt.ts";

/** How long an answer may take in milliseconds, as in nats-server. */
const TIMEOUT_MS = 1900;

/** Gets accounts from an account server. */
export class UrlResolver implements AccountResolver {
  readonly #url: string;
  readonly #http: HttpClient;

  /** Gets `url` with an account's key behind it; `http` stays the caller's to close. */
  constructor(url: string, http: HttpClient) {
    this.#url = url.endsWith("/") ? url : `${url}/`;
    this.#http = http;
  }

  /** See {@link AccountResolver.fetch}. */
  async fetch(account: string, signal: AbortSignal): Promise<string> {
    const text = await this.#get(account, signal);
    if (text.trim() === "") throw new AccountLookupError("the account server has no JWT of it");
    return text.trim();
  }

  /**
   * Asks whether anybody is there, as nats-server does before it starts.
   *
   * @throws {AccountLookupError} when nobody is.
   */
  async check(signal: AbortSignal): Promise<void> {
    await this.#get("", signal);
  }

  async #get(account: string, signal: AbortSignal): Promise<string> {
    const options = { timeoutMs: TIMEOUT_MS, bytesMax: JWT_LENGTH_MAX, signal };
    try {
      const { status, text } = await this.#http.get(this.#url + account, options);
      if (status === 200) return text;
      throw new AccountLookupError(`the account server answers with status ${status}`);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      throw new AccountLookupError(`the account server cannot be asked: ${error.message}`, {
        cause: error,
      });
    }
  }
}
