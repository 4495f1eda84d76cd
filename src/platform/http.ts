/**
 * Getting things over HTTP. Nothing outside `platform/` does it directly.
 *
 * @module
 */

/** What {@linkcode HttpClient.get} may be told. */
export interface HttpGetOptions {
  /** How long the whole answer may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Longest body that is read, in bytes. */
  readonly bytesMax: number;
  /** Gives it up. */
  readonly signal?: AbortSignal | undefined;
}

/** An answer. */
export interface HttpAnswer {
  /** Such as 200. */
  readonly status: number;
  /** The body, as UTF-8. */
  readonly text: string;
}

/** Gets things over HTTP and HTTPS. */
export interface HttpClient {
  /**
   * Gets a URL, which may have a user and a password; follows redirections.
   *
   * @throws {HttpError} when there is no answer in time, or one that is too long.
   */
  get(url: string, options: HttpGetOptions): Promise<HttpAnswer>;
  /** Closes connections that are kept. Calling it again does nothing. */
  close(): void;
}

/** There was no answer, or none that can be used; the message says why and names no secret. */
export class HttpError extends Error {
  /** Always `"HttpError"`. */
  override readonly name = "HttpError";
}
