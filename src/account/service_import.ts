/**
 * Services of other accounts: a request that is published here is one there.
 *
 * @module
 */
import type { LatencySettings } from "../config/mod.ts";
import type { Clock, Random } from "../platform/mod.ts";
import {
  byteString,
  ClientMessage,
  decodeByteString,
  encodeByteString,
  rewriteMessage,
  type SubjectTransform,
} from "../protocol/mod.ts";
import type { Account } from "./account.ts";
import {
  briefInfo,
  fullInfo,
  placeOf,
  type RequestInfo,
  type ServerNames,
} from "./request_info.ts";
import { ServiceBridge } from "./service_bridge.ts";
import { type MeasuredRequest, sampled } from "./service_latency.ts";
import type { ResponseType } from "./service_responses.ts";
import type { Subscriber } from "./subscriber.ts";
import { type DeliveryHook, Subscription } from "./subscription.ts";

/** The header that tells an exporter who asks. */
const REQUEST_INFO = "Nats-Request-Info";
/** How many accounts a request may go through: cycles of imports must end. */
const MAX_DEPTH = 8;
/** Pulling from a consumer over accounts needs these as they are, as in nats-server. */
const ACKNOWLEDGEMENT = "$JS.ACK.";

/** How requests to a service are passed on. */
export interface ServiceImportOptions {
  /** Who asks. */
  readonly importer: Account;
  /** Who answers. */
  readonly exporter: Account;
  /** The subject here, possibly with wildcards; a byte string. */
  readonly local: string;
  /** From subjects here to subjects there; null where they are the same. */
  readonly toSource: SubjectTransform | null;
  /** Whether the exporter learns everything about who asks. */
  readonly share: boolean;
  /** How many answers there are. */
  readonly responseType: ResponseType;
  /** Milliseconds in which an answer is expected. */
  readonly thresholdMs: number;
  /** Names of this server and its cluster, for who is told everything. */
  readonly server: () => ServerNames;
  /** Whether and where it is measured. */
  readonly latency: LatencySettings | undefined;
  /** Time, for measurements. */
  readonly clock: Clock;
  /** Chance, for which requests are measured. */
  readonly random: Random;
}

/** One service of another account. */
export class ServiceImport implements DeliveryHook {
  /** What takes the requests in the importing account. */
  readonly subscription: Subscription;
  readonly #options: ServiceImportOptions;
  /** Publishes in the exporting account. */
  readonly #bridge = new ServiceBridge();
  /** How many requests it is in the middle of. */
  #depth = 0;

  /** Not known to the importing account yet; see {@link Account.importServices}. */
  constructor(options: ServiceImportOptions) {
    this.#options = options;
    this.subscription = new Subscription(this.#bridge, options.local, null, "", this);
  }

  /**
   * See {@link DeliveryHook}. Requests that come over a route were passed on where they were made.
   */
  deliver(
    _subscription: Subscription,
    message: ClientMessage,
    publisher: Subscriber | null,
  ): boolean {
    if (publisher === null || this.#depth >= MAX_DEPTH) return false;
    const { importer, exporter, toSource, responseType, thresholdMs } = this.#options;
    const bytes = message.slab.bytes;
    let subject: string | null = byteString(bytes, message.subjectStart, message.subjectEnd);
    if (toSource !== null) subject = toSource.apply(subject);
    if (subject === null) return false;
    subject = exporter.mapped(subject) ?? subject;
    if (subject === "") return false;
    const info = this.#requestInfo(message, publisher);
    let reply: string | null = null, expected: string | null = null;
    if (message.hasReply) {
      reply = byteString(bytes, message.replyStart, message.replyEnd);
      if (!reply.startsWith(ACKNOWLEDGEMENT)) {
        const measured = this.#measured(message, publisher, info);
        expected = exporter.responses.expect({
          importer,
          reply,
          responseType,
          thresholdMs,
          ...(measured !== null && { measured, server: this.#options.server }),
        });
      }
    }
    const request = new ClientMessage();
    rewriteMessage(message, request, {
      subject,
      reply: expected ?? reply,
      header: { name: REQUEST_INFO, value: info === null ? null : json(info) },
    });
    // Nobody else looks at the bridge meanwhile, but for a cycle.
    this.#bridge.lastMatch = this.#bridge.lastRemoteMatch = null;
    this.#depth++;
    let count: number;
    try {
      count = exporter.publishFrom(importer, request, this.#bridge);
    } finally {
      this.#depth--;
    }
    request.release();
    if (count === 0 && expected !== null) exporter.responses.forget(expected);
    return count > 0;
  }

  /**
   * Who asks, as JSON in a byte string. Whoever has no requester is a bridge from another account: it was told
   * there who asks, and learns which account it came through. What a client says of itself never passes,
   * nor what it says in an answer that becomes a request (nats-server lets that pass).
   */
  #requestInfo(message: ClientMessage, publisher: Subscriber): RequestInfo | null {
    const { importer, share, server } = this.#options;
    const answerer = publisher instanceof ServiceBridge ? publisher.answerer : null;
    const who = answerer === null ? publisher.requester : answerer.requester;
    if (who !== null) {
      const account = answerer?.account ?? importer.name;
      return share ? fullInfo(account, who, server()) : briefInfo(account, who);
    }
    if (answerer !== null) return null;
    const told = requestInfoOf(message);
    if (told === null) return null;
    return { ...told, svc: importer.name, ...(share && placeOf(server())) };
  }

  /** What is noted of a request that is measured; null when it is not. */
  #measured(
    message: ClientMessage,
    publisher: Subscriber,
    info: RequestInfo | null,
  ): MeasuredRequest | null {
    const { latency, clock, random } = this.#options;
    if (latency === undefined || publisher.requester === null) return null;
    const headers = sampled(latency, message, random);
    if (headers === null) return null;
    const { rttMs } = publisher.requester;
    return {
      subject: latency.subject,
      requestor: info ?? {},
      requestorRttMs: rttMs,
      atMs: clock.monotonic(),
      startedAt: clock.now() - rttMs,
      headers: latency.sampling === "headers" ? headers : null,
    };
  }
}

function json(value: RequestInfo): string {
  return encodeByteString(JSON.stringify(value));
}

/** What a message says about who asks; null where it says nothing that can be read. */
function requestInfoOf(message: ClientMessage): RequestInfo | null {
  const { slab, bodyStart, headerLength } = message;
  const headers = byteString(slab.bytes, bodyStart, bodyStart + headerLength);
  const found = /\r\nNats-Request-Info:[ \t]*(.*?)\r\n/i.exec(headers);
  if (found === null) return null;
  try {
    const value: unknown = JSON.parse(decodeByteString(found[1]!));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as RequestInfo
      : null;
  } catch {
    return null;
  }
}
