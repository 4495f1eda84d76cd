/**
 * The server as a client of its accounts.
 *
 * @module
 */
import {
  type AccountDirectory,
  InternalClient,
  type InternalClientOptions,
  randomToken,
  TOKEN_DIGITS,
} from "./account/mod.ts";
import { type MessageBus, NoRespondersError } from "./auth/mod.ts";

/** What they take from their broker. */
export interface MessageBusesOptions
  extends Pick<InternalClientOptions, "clock" | "random" | "touched"> {
  /** Where they are clients. */
  readonly accounts: AccountDirectory;
  /** What {@link serverHash} makes of the server's name. */
  readonly hash: string;
  /** Is told of what goes wrong in them. */
  readonly onError: (account: string, error: unknown) => void;
}

/** Clients within the server, at most one for each account. */
export class MessageBuses {
  readonly #options: MessageBusesOptions;
  readonly #clients = new Map<string, InternalClient>();

  /** Nobody is a client yet. */
  constructor(options: MessageBusesOptions) {
    this.#options = options;
  }

  /** The client of an account; null when there is no such account. */
  of(name: string): MessageBus | null {
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const { accounts, clock, random, touched, hash, onError } = this.#options;
    const account = accounts.get(name);
    if (account === undefined) return null;
    const client = new InternalClient(account, {
      clock,
      random,
      touched,
      inboxPrefix: `$SYS._INBOX.${hash}.`,
      noResponders: (subject) => new NoRespondersError(`nobody answers on ${subject}`),
      onError: (error) => onError(name, error),
    });
    this.#clients.set(name, client);
    return client;
  }

  /** A subject that nobody else waits for an answer at. */
  newInbox(): string {
    const { hash, random } = this.#options;
    return `$SYS._INBOX.${hash}.${randomToken(random, INBOX_TOKEN_LENGTH)}`;
  }

  /** Ends all of them. */
  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }
}

/** Two of them are never alike: 62^22 is more than anybody asks for. */
const INBOX_TOKEN_LENGTH = 22;
const HASH_LENGTH = 8;

/** What nats-server names a server by in subjects: 8 digits of the SHA-256 of its name. */
export async function serverHash(name: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name));
  return [...new Uint8Array(digest).subarray(0, HASH_LENGTH)]
    .map((byte) => TOKEN_DIGITS[byte % TOKEN_DIGITS.length])
    .join("");
}
