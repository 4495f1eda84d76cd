/**
 * How long services take, measured for those who export them.
 *
 * @module
 */
import type { LatencySettings } from "../config/mod.ts";
import type { Clock, Random } from "../platform/mod.ts";
import {
  byteString,
  type ClientMessage,
  createMessage,
  encodeByteString,
} from "../protocol/mod.ts";
import type { Account } from "./account.ts";
import { eventId } from "./random_token.ts";
import { fullInfo, nanoseconds, type RequestInfo, type ServerNames } from "./request_info.ts";
import { type Requester, Subscriber } from "./subscriber.ts";

/** Headers that say whether a request is traced, lower case. */
const TRACE_HEADERS = new Set([
  "uber-trace-id",
  "x-b3-sampled",
  "x-b3-traceid",
  "x-b3-parentspanid",
  "x-b3-spanid",
  "b3",
  "traceparent",
]);

/** A request that is measured. */
export interface MeasuredRequest {
  /** Where the measurement goes, in the exporting account. */
  readonly subject: string;
  /** Who asks. */
  readonly requestor: RequestInfo;
  /** How long its messages are under way, in milliseconds. */
  readonly requestorRttMs: number;
  /** When it came: monotonic and wall-clock milliseconds. */
  readonly atMs: number;
  readonly startedAt: number;
  /** The headers for which it is measured; null where it is by chance. */
  readonly headers: Readonly<Record<string, readonly string[]>> | null;
}

/** Whether a request is to be measured; the headers for which it is, `{}` when it is by chance. */
export function sampled(
  { sampling }: LatencySettings,
  message: ClientMessage,
  random: Random,
): Readonly<Record<string, readonly string[]>> | null {
  if (sampling !== "headers") {
    return sampling >= 100 || random.next() * 100 < sampling ? {} : null;
  }
  const headers = traceHeaders(message);
  return isTraced(headers) ? headers : null;
}

function traceHeaders({ slab, bodyStart, headerLength }: ClientMessage): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  if (headerLength === 0) return found;
  const text = byteString(slab.bytes, bodyStart, bodyStart + headerLength);
  for (const line of text.split("\r\n").slice(1)) {
    const colon = line.indexOf(":"), name = line.slice(0, Math.max(0, colon));
    if (!TRACE_HEADERS.has(name.toLowerCase())) continue;
    (found[name] ??= []).push(line.slice(colon + 1).trim());
  }
  return found;
}

/** As Jaeger, Zipkin and W3C Trace Context have it. */
function isTraced(headers: Readonly<Record<string, readonly string[]>>): boolean {
  const values = new Map(
    Object.entries(headers).map(([name, [value = ""]]) => [name.toLowerCase(), value]),
  );
  const flag = (text: string) => (Number.parseInt(text, 16) & 1) === 1;
  const uber = values.get("uber-trace-id");
  if (uber !== undefined) return flag(uber.split(":")[3] ?? "");
  const single = values.get("b3");
  if (single !== undefined) {
    const state = single.includes("-") ? single.split("-")[2] ?? "1" : single;
    return state === "1" || state === "d";
  }
  const sampledHeader = values.get("x-b3-sampled");
  if (sampledHeader !== undefined) return sampledHeader === "1";
  if (values.has("x-b3-traceid")) return true;
  const parent = values.get("traceparent");
  return parent !== undefined && flag(parent.split("-")[3] ?? "");
}

/** Publishes what was measured. */
export class LatencyReporter {
  readonly #account: Account;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #publisher = new Subscriber(null);

  /** Reports within the account whose services are measured. */
  constructor(account: Account, clock: Clock, random: Random) {
    this.#account = account;
    this.#clock = clock;
    this.#random = random;
  }

  /** A request was answered, by somebody on this server or (null) on another one. */
  answered(request: MeasuredRequest, responder: Requester | null, server: ServerNames): void {
    const nowMs = this.#clock.monotonic(), tookMs = nowMs - request.atMs;
    const serviceMs = Math.max(0, tookMs - (responder?.rttMs ?? 0));
    const totalMs = tookMs + request.requestorRttMs;
    const metric = {
      type: "io.nats.server.metric.v1.service_latency",
      id: eventId(this.#random),
      timestamp: new Date(this.#clock.now()).toISOString(),
      status: 200,
      ...(request.headers !== null && { header: request.headers }),
      requestor: request.requestor,
      ...(responder !== null && { responder: fullInfo(this.#account.name, responder, server) }),
      start: new Date(request.startedAt).toISOString(),
      service: nanoseconds(serviceMs),
      system: 0,
      total: nanoseconds(totalMs),
    };
    const payload = new TextEncoder().encode(JSON.stringify(metric));
    const message = createMessage(encodeByteString(request.subject), null, null, payload);
    this.#publisher.lastMatch = this.#publisher.lastRemoteMatch = null;
    this.#account.publish(message, this.#publisher);
  }
}
