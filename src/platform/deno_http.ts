/**
 * HTTP through Deno's fetch.
 *
 * @module
 */
import { type HttpAnswer, type HttpClient, HttpError, type HttpGetOptions } from "./http.ts";

/** How servers are believed, and what is shown to them; PEM. */
export interface HttpTls {
  /** Certificates of authorities to trust besides the machine's. */
  readonly caCerts?: readonly string[] | undefined;
  /** Own certificate, and those above it. */
  readonly cert?: string | undefined;
  /** Its private key. */
  readonly key?: string | undefined;
}

/** {@link HttpClient} over the runtime. */
export class DenoHttpClient implements HttpClient {
  readonly #client: Deno.HttpClient;
  #closed = false;

  /** Keeps connections until it is closed. */
  constructor({ caCerts, cert, key }: HttpTls = {}) {
    this.#client = Deno.createHttpClient({
      poolIdleTimeout: 30_000,
      ...(caCerts !== undefined && { caCerts: [...caCerts] }),
      ...(cert !== undefined && key !== undefined && { cert, key }),
    });
  }

  /** See {@link HttpClient.get}. */
  async get(url: string, { timeoutMs, bytesMax, signal }: HttpGetOptions): Promise<HttpAnswer> {
    const { bare, headers } = withoutCredentials(url);
    const deadline = new AbortController();
    const timer = setTimeout(
      () => deadline.abort(new HttpError(`no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const either = signal === undefined
      ? deadline.signal
      : AbortSignal.any([signal, deadline.signal]);
    try {
      const response = await fetch(bare, { headers, signal: either, client: this.#client });
      return { status: response.status, text: await textOf(response, bytesMax) };
    } catch (error) {
      if (error instanceof HttpError) throw error;
      if (deadline.signal.aborted) throw deadline.signal.reason;
      throw new HttpError(reasonOf(error, bare), { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  /** See {@link HttpClient.close}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#client.close();
  }
}

/** Fetch takes no user and password in a URL. */
function withoutCredentials(url: string): { bare: string; headers: Record<string, string> } {
  const parsed = new URL(url);
  const { username, password } = parsed;
  if (username === "" && password === "") return { bare: url, headers: {} };
  parsed.username = parsed.password = "";
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = `Basic ${new TextEncoder().encode(pair).toBase64()}`;
  return { bare: parsed.href, headers: { authorization } };
}

async function textOf(response: Response, bytesMax: number): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "", bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new HttpError(`the answer is longer than ${bytesMax} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function reasonOf(error: unknown, url: string): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(url, new URL(url).origin);
}
