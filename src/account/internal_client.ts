/**
 * A client of an account that is within the server.
 *
 * @module
 */
import type { TouchedOutboxes } from "../connection/mod.ts";
import type { Clock, Random, Timer } from "../platform/mod.ts";
import { byteString, type ClientMessage, createMessage } from "../protocol/mod.ts";
import type { Account } from "./account.ts";
import { randomToken } from "./random_token.ts";
import { Subscriber } from "./subscriber.ts";
import { type DeliveryHook, Subscription } from "./subscription.ts";

/** How many messages may wait for a handler, over all subscriptions of a client; more are dropped. */
const MAX_WAITING = 65_536;
/** As long as nats-server's. */
const INBOX_TOKEN_LENGTH = 8;

/** A message for the server itself. Byte strings but for the bodies. */
export interface InternalMessage {
  /** Subject. */
  readonly subject: string;
  /** Where an answer is wanted; null where none is. */
  readonly reply: string | null;
  /** The header block, from `NATS/1.0` to its empty line; null without headers. */
  readonly headers: Uint8Array<ArrayBuffer> | null;
  /** Payload. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** What an internal client takes from its surroundings. */
export interface InternalClientOptions {
  /** Time. */
  readonly clock: Clock;
  /** Makes the subjects of answers, which others are not to guess. */
  readonly random: Random;
  /** Outboxes to flush. */
  readonly touched: TouchedOutboxes;
  /** Begins the subjects of answers: unique for the server, a byte string with a dot at its end. */
  readonly inboxPrefix: string;
  /** Makes the error of a request that nobody is there to answer. */
  readonly noResponders: (subject: string) => Error;
  /** Is told what a handler throws, and of messages that were dropped since handlers are too slow. */
  readonly onError: (error: unknown) => void;
}

type Handler = (message: InternalMessage) => void;

interface PendingRequest {
  readonly resolve: (message: InternalMessage) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Subscribes, publishes and asks in an account, across the cluster like any client. Handlers are never
 * called from within a publish: what they publish cannot get in the way of what is being delivered.
 */
export class InternalClient {
  readonly #account: Account;
  readonly #options: InternalClientOptions;
  readonly #subscriber = new Subscriber(null);
  readonly #waiting: { handler: Handler; message: InternalMessage }[] = [];
  readonly #requests = new Map<string, PendingRequest>();
  readonly #subscriptions = new Set<Subscription>();
  #draining = false;
  #inbox: Disposable | null = null;
  #closed = false;

  /** A client of `account`. */
  constructor(account: Account, options: InternalClientOptions) {
    this.#account = account;
    this.#options = options;
  }

  /**
   * Calls `handler` for every message until what is returned is disposed. With a queue group, a byte
   * string, one member of the group gets each message.
   *
   * @throws {InvalidSubjectError} when the subject is none that can be subscribed to.
   */
  subscribe(subject: string, handler: Handler, queue: string | null = null): Disposable {
    const hook: DeliveryHook = { deliver: (_, message) => this.#take(handler, message) };
    const subscription = new Subscription(this.#subscriber, subject, queue, "", hook);
    this.#account.attach(subscription);
    this.#subscriptions.add(subscription);
    this.#options.touched.flushAll();
    return {
      [Symbol.dispose]: () => {
        if (!this.#subscriptions.delete(subscription)) return;
        this.#account.detach(subscription);
        this.#options.touched.flushAll();
      },
    };
  }

  /** Publishes; returns how many subscribers and servers got it. */
  publish(
    subject: string,
    payload: Uint8Array,
    { reply, headers }: { readonly reply?: string; readonly headers?: Uint8Array } = {},
  ): number {
    if (this.#closed) return 0;
    const message = createMessage(subject, reply ?? null, headers ?? null, payload);
    const count = this.#account.publish(message, this.#subscriber);
    this.#subscriber.lastMatch = this.#subscriber.lastRemoteMatch = null;
    this.#options.touched.flushAll();
    return count;
  }

  /**
   * Publishes and waits for the first answer.
   *
   * @throws what `noResponders` makes when nobody is there to answer.
   * @throws {DOMException} `TimeoutError` when none came in time, or the signal's reason.
   */
  async request(
    subject: string,
    payload: Uint8Array,
    options: {
      readonly timeoutMs: number;
      readonly signal?: AbortSignal;
      readonly headers?: Uint8Array;
    },
  ): Promise<InternalMessage> {
    const { timeoutMs, signal, headers } = options;
    signal?.throwIfAborted();
    this.#inbox ??= this.subscribe(`${this.#options.inboxPrefix}*`, (message) => {
      this.#requests.get(message.subject)?.resolve(message);
    });
    const reply = this.#newInbox();
    const { promise, resolve, reject } = Promise.withResolvers<InternalMessage>();
    this.#requests.set(reply, { resolve, reject });
    const abort = () => reject(signal!.reason);
    let timer: Timer | null = null;
    try {
      timer = this.#options.clock.setTimer(
        timeoutMs,
        () =>
          reject(
            new DOMException(`no answer on ${subject} within ${timeoutMs} ms`, "TimeoutError"),
          ),
      );
      signal?.addEventListener("abort", abort);
      const sent = this.publish(subject, payload, {
        reply,
        ...(headers !== undefined && { headers }),
      });
      if (sent === 0) reject(this.#options.noResponders(subject));
      return await promise;
    } finally {
      timer?.cancel();
      signal?.removeEventListener("abort", abort);
      this.#requests.delete(reply);
    }
  }

  /** Ends everything: requests that wait are rejected. */
  close(): void {
    this.#closed = true;
    for (const subscription of this.#subscriptions) this.#account.detach(subscription);
    this.#subscriptions.clear();
    this.#waiting.length = 0;
    for (const { reject } of this.#requests.values()) {
      reject(new DOMException("the server is closing", "AbortError"));
    }
  }

  #newInbox(): string {
    const { random, inboxPrefix } = this.#options;
    let inbox;
    do {
      inbox = `${inboxPrefix}${randomToken(random, INBOX_TOKEN_LENGTH)}`;
    } while (this.#requests.has(inbox));
    return inbox;
  }

  #take(handler: Handler, message: ClientMessage): boolean {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#options.onError(new Error("too many messages wait for the server, one was dropped"));
      return false;
    }
    const { slab: { bytes }, bodyStart, headerLength, size } = message;
    const payloadStart = bodyStart + headerLength;
    this.#waiting.push({
      handler,
      message: {
        subject: byteString(bytes, message.subjectStart, message.subjectEnd),
        reply: message.hasReply ? byteString(bytes, message.replyStart, message.replyEnd) : null,
        headers: headerLength > 0 ? bytes.slice(bodyStart, payloadStart) : null,
        payload: bytes.slice(payloadStart, bodyStart + size),
      },
    });
    if (!this.#draining) {
      this.#draining = true;
      queueMicrotask(() => this.#drain());
    }
    return true;
  }

  #drain(): void {
    // What handlers give rise to is handled in the same turn: an array's iterator sees what is added.
    try {
      for (const { handler, message } of this.#waiting) {
        try {
          handler(message);
        } catch (error) {
          this.#options.onError(error);
        }
      }
    } finally {
      this.#waiting.length = 0;
      this.#draining = false;
    }
  }
}
