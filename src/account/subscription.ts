/**
 * One subscription of one connection.
 *
 * @module
 */
import type { ClientMessage, WritableSid } from "../protocol/mod.ts";
import type { Subscriber } from "./subscriber.ts";

/** Takes the messages of a subscription, where they do not simply go to its subscriber. */
export interface DeliveryHook {
  /**
   * Offers a message; `publisher` is null when it came over a route.
   *
   * @returns whether it was taken.
   */
  deliver(
    subscription: Subscription,
    message: ClientMessage,
    publisher: Subscriber | null,
  ): boolean;
}

/** What a SUB asked for, ready to be delivered to. There may be millions: its fields are its cost. */
export class Subscription implements WritableSid {
  /** Whose it is. */
  readonly subscriber: Subscriber;
  /** The subject, possibly with wildcards; a byte string. */
  readonly subject: string;
  /** The queue group, a byte string, or null. */
  readonly queue: string | null;
  /** The sid, a byte string. */
  readonly sid: string;
  /** Bytes 0 to 3 of the sid, little-endian: most sids are written as two words. */
  readonly sidLow: number;
  /** Bytes 4 to 7 of the sid. */
  readonly sidHigh: number;
  /** Messages delivered. */
  delivered = 0;
  /** Takes its messages; null where they go to the subscriber as they are. */
  readonly hook: DeliveryHook | null;
  /** It ends when so many messages were delivered; 0 for never. */
  max = 0;

  /** A subscription that nothing was delivered to. */
  constructor(
    subscriber: Subscriber,
    subject: string,
    queue: string | null,
    sid: string,
    hook: DeliveryHook | null = null,
  ) {
    this.hook = hook;
    this.subscriber = subscriber;
    this.subject = subject;
    this.queue = queue;
    this.sid = sid;
    this.sidLow = word(sid, 0);
    this.sidHigh = word(sid, 4);
  }
}

function word(text: string, at: number): number {
  let value = 0;
  for (let i = 0; i < 4 && at + i < text.length; i++) value |= text.charCodeAt(at + i) << (8 * i);
  return value;
}
