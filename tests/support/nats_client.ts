/**
 * The official client, as the end-to-end tests use it.
 *
 * @module
 */
import {
  connect,
  type ConnectionOptions,
  deadline,
  type Msg,
  type NatsConnection,
  type Status,
  type Subscription,
  type SubscriptionOptions,
} from "@nats-io/transport-node";
import type { ServerAddress } from "./conversation.ts";

/** How long any single wait may take, in milliseconds. */
const WAIT_LIMIT_MS = 10_000;

/** Connects to a broker over TCP; without reconnecting, unless the options say otherwise. */
export function connectClient(
  broker: { readonly address: ServerAddress },
  options: ConnectionOptions = {},
): Promise<NatsConnection> {
  const { hostname, port } = broker.address;
  return connect({ servers: `${hostname}:${port}`, reconnect: false, ...options });
}

/** Waits for something that must happen within {@link WAIT_LIMIT_MS}. */
export function soon<T>(promise: Promise<T>): Promise<T> {
  return deadline(promise, WAIT_LIMIT_MS);
}

/** What one subscription has received; disposing it unsubscribes. */
export class Received implements Disposable {
  /** Everything, in the order of arrival. */
  readonly messages: Msg[] = [];
  /** The subscription. */
  readonly subscription: Subscription;
  #wanted = 0;
  #enough: PromiseWithResolvers<void> | null = null;

  /** Subscribes; whether the broker knows it is for the caller to wait for (`flush`). */
  constructor(client: NatsConnection, subject: string, options: SubscriptionOptions = {}) {
    this.subscription = client.subscribe(subject, {
      ...options,
      callback: (error, message) => {
        if (error !== null) throw error;
        this.messages.push(message);
        if (this.messages.length === this.#wanted) this.#enough?.resolve();
      },
    });
  }

  /** The payloads, as text. */
  get texts(): string[] {
    return this.messages.map((message) => message.string());
  }

  /** Waits until `count` messages have come. */
  async count(count: number): Promise<void> {
    if (this.messages.length >= count) return;
    this.#wanted = count;
    this.#enough = Promise.withResolvers();
    await soon(this.#enough.promise).catch((cause) => {
      throw new Error(
        `${this.messages.length} of ${count} messages on ${this.subscription.getSubject()}`,
        { cause },
      );
    });
  }

  /** Unsubscribes, if the client is still connected. */
  [Symbol.dispose](): void {
    if (!this.subscription.isClosed()) this.subscription.unsubscribe();
  }
}

/**
 * Waits until a client's status shows an event of a type. Calling it, not awaiting it, begins to
 * watch.
 */
export function status<K extends Status["type"]>(
  client: NatsConnection,
  type: K,
): Promise<Extract<Status, { type: K }>> {
  const events = client.status();
  return soon((async () => {
    for await (const event of events) {
      if (event.type === type) return event as Extract<Status, { type: K }>;
    }
    throw new Error(`the client closed before its status was ${type}`);
  })());
}
