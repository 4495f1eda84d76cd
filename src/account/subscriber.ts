/**
 * What an account knows of a connection.
 *
 * @module
 */
import type { Outbox } from "../connection/mod.ts";
import type { Match } from "../interest/mod.ts";
import type { RemoteInterest } from "./remote_subscriber.ts";
import type { Subscription } from "./subscription.ts";

/** Is told of deliveries; only where the protocol is traced. */
export interface DeliveryTrace {
  /** A message was delivered; subject and sid are byte strings. */
  delivered(subject: string, sid: string, size: number): void;
}

/** Who asks, as the exporter of a service learns it. Times in milliseconds. */
export interface Requester {
  /** Connection id. */
  readonly id: number;
  /** Address. */
  readonly hostname: string;
  /** When it connected, in wall-clock milliseconds. */
  readonly startedAt: number;
  /** User name, or null. */
  readonly user: string | null;
  /** Name of the client, `""` for none. */
  readonly name: string;
  /** Language of its library, `""` for none. */
  readonly lang: string;
  /** Version of its library, `""` for none. */
  readonly version: string;
  /** Last measured round trip. */
  readonly rttMs: number;
}

/** Something with an outbox that can be delivered to, and that publishes. */
export class Subscriber {
  /** Where frames for it go; null where hooks take all messages. */
  readonly outbox: Outbox | null;
  /** Who it is; null for what is within the server. */
  requester: Requester | null = null;
  /** Whether anything may still be delivered. */
  open = true;
  /** Whether its own messages are delivered to its own subscriptions. */
  echo = true;
  /** Whether it understands HMSG. */
  headers = false;
  /** Whether it wants to hear that nobody received a request. */
  noResponders = false;
  /** Messages delivered to it. */
  outMessages = 0;
  /** Bytes of headers and payload delivered to it. */
  outBytes = 0;
  /** Its subscriptions by sid; null until there is one. */
  subscriptions: Map<string, Subscription> | null = null;
  /** Is told of deliveries, or null. */
  trace: DeliveryTrace | null = null;
  /** What matched the subject it published last; null when that is not known. */
  lastMatch: Match<Subscription> | null = null;
  /** The same of other servers. */
  lastRemoteMatch: Match<RemoteInterest> | null = null;

  /** A subscriber without subscriptions. */
  constructor(outbox: Outbox | null) {
    this.outbox = outbox;
  }

  /** How many subscriptions it has. */
  get subscriptionCount(): number {
    return this.subscriptions?.size ?? 0;
  }
}
