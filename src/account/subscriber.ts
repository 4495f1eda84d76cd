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

/** Something with an outbox that can be delivered to, and that publishes. */
export class Subscriber {
  /** Where frames for it go. */
  readonly outbox: Outbox;
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
  constructor(outbox: Outbox) {
    this.outbox = outbox;
  }

  /** How many subscriptions it has. */
  get subscriptionCount(): number {
    return this.subscriptions?.size ?? 0;
  }
}
