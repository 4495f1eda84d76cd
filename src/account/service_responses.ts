/**
 * Answers of an account's services to requests that came from other accounts.
 *
 * @module
 */
import type { Clock, Random } from "../platform/mod.ts";
import { byteString, ClientMessage, rewriteMessage } from "../protocol/mod.ts";
import type { Account } from "./account.ts";
import { Expectations } from "./expectations.ts";
import { randomToken } from "./random_token.ts";
import type { ServerNames } from "./request_info.ts";
import { type Answerer, ServiceBridge } from "./service_bridge.ts";
import { LatencyReporter, type MeasuredRequest } from "./service_latency.ts";
import type { Subscriber } from "./subscriber.ts";
import { type DeliveryHook, Subscription } from "./subscription.ts";

/** How many answers a request has: one, or some, until one is empty. */
export type ResponseType = "singleton" | "stream" | "chunked";

/** An answer that is waited for. */
export interface ExpectedResponse {
  /** Who has asked. */
  readonly importer: Account;
  /** Where the answer is wanted in that account, a byte string. */
  readonly reply: string;
  /** How many answers there may be. */
  readonly responseType: ResponseType;
  /** Milliseconds, since the request or the last answer, in which the next one is expected. */
  readonly thresholdMs: number;
  /** What is noted of the request where it is measured, and who measures. */
  readonly measured?: MeasuredRequest;
  /** See {@link ExpectedResponse.measured}. */
  readonly server?: () => ServerNames;
}

const TOKEN_LENGTH = 6;

/** The answers that are waited for in one exporting account. */
export class ServiceResponses implements DeliveryHook {
  readonly #account: Account;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #expected = new Expectations();
  #latency: LatencyReporter | null = null;
  /** Publishes in the importing accounts. */
  readonly #bridge = new ServiceBridge();
  #attached = false;

  /** Waits for nothing yet. */
  constructor(account: Account, random: Random, clock: Clock) {
    this.#account = account;
    this.#random = random;
    this.#clock = clock;
    this.#prefix = `_R_.${randomToken(random, TOKEN_LENGTH)}.`;
  }

  /** How many answers are waited for. */
  get size(): number {
    return this.#expected.size;
  }

  /** Waits for an answer; returns where it is to be sent. */
  expect(response: ExpectedResponse): string {
    if (!this.#attached) {
      this.#attached = true;
      this.#account.attach(new Subscription(this.#bridge, `${this.#prefix}>`, null, "", this));
    }
    let token = randomToken(this.#random, TOKEN_LENGTH);
    while (this.#expected.has(token)) token = randomToken(this.#random, TOKEN_LENGTH);
    const dueMs = this.#clock.monotonic() + response.thresholdMs;
    this.#expected.add(token, { ...response, dueMs });
    return this.#prefix + token;
  }

  /** Nobody was there to answer. */
  forget(reply: string): void {
    this.#expected.delete(reply.slice(this.#prefix.length));
  }

  /** Gives up what is overdue. To be called now and then. */
  sweep(): void {
    this.#expected.sweep(this.#clock.monotonic());
  }

  /** See {@link DeliveryHook}: an answer, from here or over a route. */
  deliver(
    _subscription: Subscription,
    message: ClientMessage,
    publisher: Subscriber | null,
  ): boolean {
    const bytes = message.slab.bytes;
    const token = byteString(bytes, message.subjectStart + this.#prefix.length, message.subjectEnd);
    const expected = this.#expected.get(token);
    if (expected === undefined) return false;
    const { importer, reply, responseType, thresholdMs } = expected;
    // As in nats-server, nothing at all ends a stream of answers as well.
    const isLast = responseType === "singleton" || message.size === 0;
    if (isLast) this.#expected.delete(token);
    else expected.dueMs = this.#clock.monotonic() + thresholdMs;
    if (expected.measured !== undefined) {
      this.#latency ??= new LatencyReporter(this.#account, this.#clock, this.#random);
      const responder = publisher?.requester ?? null;
      this.#latency.answered(expected.measured, responder, expected.server!());
      delete expected.measured;
    }
    // Whoever answers may ask something in turn.
    let back: string | null = null;
    if (message.hasReply) {
      back = byteString(bytes, message.replyStart, message.replyEnd);
      if (!back.startsWith("$JS.ACK.")) {
        back = importer.responses.expect({
          importer: this.#account,
          reply: back,
          responseType: "singleton",
          thresholdMs,
        });
      }
    }
    const answer = new ClientMessage();
    rewriteMessage(message, answer, { subject: importer.mapped(reply) ?? reply, reply: back });
    this.#bridge.lastMatch = this.#bridge.lastRemoteMatch = null;
    // Where the answer is wanted there may be a service in turn, which is told who asks.
    const before = this.#bridge.answerer;
    this.#bridge.answerer = answererOf(publisher, this.#account);
    const count = importer.publishFrom(this.#account, answer, this.#bridge);
    this.#bridge.answerer = before;
    answer.release();
    // Whoever asked has gone.
    if (count === 0) {
      this.#expected.delete(token);
      if (back !== null) importer.responses.forget(back);
    }
    return count > 0;
  }
}

/** Who answers: over accounts, where that began. */
function answererOf(publisher: Subscriber | null, account: Account): Answerer {
  const known = publisher instanceof ServiceBridge ? publisher.answerer : null;
  return known ?? { account: account.name, requester: publisher?.requester ?? null };
}
