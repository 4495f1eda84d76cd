/**
 * Accounts: where publishers and subscribers meet.
 *
 * @module
 */
import { HUGE_SLAB_BYTES, type TouchedOutboxes } from "../connection/mod.ts";
import { Interest, type Match, MatchedGroup } from "../interest/mod.ts";
import type { Clock, Random } from "../platform/mod.ts";
import {
  byteString,
  ClientMessage,
  copyBytes,
  frameHeadLength,
  noRespondersFrame,
  Slab,
  writeFrameHead,
} from "../protocol/mod.ts";
import type { DeliveryTrace, Subscriber } from "./subscriber.ts";
import { Subscription } from "./subscription.ts";

/** What an account needs. */
export interface AccountOptions {
  /** Chooses members of queue groups. */
  readonly random: Random;
  /** Bounds the slices in which many subscriptions are removed. */
  readonly clock: Clock;
  /** Collects the outboxes that were delivered to. */
  readonly touched: TouchedOutboxes;
  /**
   * Pending bytes of a subscriber above which messages for it are dropped; Infinity to drop none
   * (`no_fast_producer_stall`).
   */
  readonly dropAbove: number;
  /**
   * Pending bytes of a subscriber above which a publisher should wait even in the middle of a chunk;
   * Infinity for never. Hundreds of them, each with a chunk, would be too much for it otherwise.
   */
  readonly pressAbove: number;
}

/** How long removing subscriptions may keep everything else waiting, in milliseconds. */
const SLICE_MS = 10;
/** How many removals to do between looks at the clock. */
const REMOVALS_PER_LOOK = 256;

/** An isolated space of subjects: its interest, and the delivery of messages within it. */
export class Account {
  /** The account's name. */
  readonly name: string;
  /** Who wants which subject. */
  readonly interest: Interest<Subscription>;
  /**
   * How many subscriptions the last message was offered to, whether or not they took it, and how many
   * steps it took to find them.
   */
  offers = 0;
  /** Whether the last message went to somebody who should be waited for before the next one. */
  pressed = false;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #touched: TouchedOutboxes;
  readonly #dropAbove: number;
  /** The lower of {@link AccountOptions.dropAbove} and {@link AccountOptions.pressAbove}. */
  readonly #cautionAbove: number;
  /** The current message without its headers, made for the first subscriber that needs it so. */
  readonly #plainMessage = new ClientMessage();
  #plainMade = false;
  /** The last of the removals that are under way or wait for their turn. Never rejects. */
  #removal: Promise<void> | null = null;
  /** How many subscriptions were ever removed so, when that was last looked at, and the slice's start. */
  #removals = 0;
  #lookedAtMs = -Infinity;
  #sliceFromMs = -Infinity;

  /** An account nobody is in. */
  constructor(name: string, options: AccountOptions) {
    this.name = name;
    const seed = new DataView(options.random.bytes(4).buffer).getUint32(0);
    this.interest = new Interest<Subscription>({ hashSeed: seed });
    this.#random = options.random;
    this.#clock = options.clock;
    this.#touched = options.touched;
    this.#dropAbove = options.dropAbove;
    this.#cautionAbove = Math.min(options.dropAbove, options.pressAbove);
  }

  /**
   * Adds a subscription, unless the sid is in use already: then the first one stays.
   *
   * @throws {InvalidSubjectError} when the subject is none that can be subscribed to.
   */
  subscribe(subscriber: Subscriber, subject: string, queue: string | null, sid: string): void {
    const subscriptions = subscriber.subscriptions ??= new Map();
    if (subscriptions.has(sid)) return;
    const subscription = new Subscription(subscriber, subject, queue, sid);
    this.interest.insert(subscription);
    subscriptions.set(sid, subscription);
  }

  /**
   * Ends a subscription: at once, or when `max` messages have been delivered since it was made. An
   * unknown sid is not an error.
   */
  unsubscribe(subscriber: Subscriber, sid: string, max: number): void {
    const subscription = subscriber.subscriptions?.get(sid);
    if (subscription === undefined) return;
    if (max > subscription.delivered) subscription.max = max;
    else this.#remove(subscription);
  }

  #remove(subscription: Subscription): void {
    subscription.subscriber.subscriptions?.delete(subscription.sid);
    this.interest.remove(subscription);
  }

  /**
   * Ends all subscriptions of a subscriber, in slices, so that a hundred thousand of them keep
   * nobody waiting. Nothing is delivered to them from the first moment on.
   */
  async unsubscribeAll(subscriber: Subscriber): Promise<void> {
    const subscriptions = subscriber.subscriptions;
    subscriber.subscriptions = null;
    subscriber.lastMatch = null;
    if (subscriptions === null) return;
    // A limit that is reached already: what is still in the trie receives nothing.
    for (const subscription of subscriptions.values()) {
      subscription.max = -1;
    }
    // One after another: the slices of many who leave at once would add up.
    const before = this.#removal;
    const removal = before === null
      ? this.#removeAll(subscriptions)
      : before.then(() => this.#removeAll(subscriptions));
    const over = this.#removal = removal.catch(() => {});
    await removal;
    if (this.#removal === over) this.#removal = null;
  }

  async #removeAll(subscriptions: ReadonlyMap<string, Subscription>): Promise<void> {
    for (const subscription of subscriptions.values()) {
      this.interest.remove(subscription);
      if (++this.#removals % REMOVALS_PER_LOOK !== 0) continue;
      // The slice goes on from one who leaves to the next, as long as they come close together.
      const nowMs = this.#clock.monotonic();
      if (nowMs - this.#lookedAtMs > SLICE_MS) this.#sliceFromMs = nowMs;
      this.#lookedAtMs = nowMs;
      if (nowMs - this.#sliceFromMs < SLICE_MS) continue;
      await this.#clock.sleep(0);
      this.#sliceFromMs = this.#lookedAtMs = this.#clock.monotonic();
    }
  }

  /** Lets go of what is kept of those who have left. To be called now and then. */
  cleanUp(): void {
    this.interest.sweep();
  }

  /** Lets go of what a publisher remembers, when it may be outdated and keep others alive. */
  forgetMatch(subscriber: Subscriber): void {
    const match = subscriber.lastMatch;
    if (match !== null && !this.interest.isFresh(match)) subscriber.lastMatch = null;
  }

  /**
   * Delivers a message to everybody who wants it.
   *
   * @returns to how many subscriptions it was delivered.
   */
  publish(message: ClientMessage, publisher: Subscriber): number {
    const interest = this.interest;
    let match = publisher.lastMatch, steps = 0;
    if (match === null || !message.sameSubject || !interest.isCurrent(match)) {
      steps = -interest.searchWork;
      match = interest.match(
        message.slab.bytes,
        message.subjectStart,
        message.subjectEnd,
        message.subjectHash,
      );
      steps += interest.searchWork;
      publisher.lastMatch = match;
    }
    this.#plainMade = this.pressed = false;
    let count = 0;
    const plain = match.plain;
    for (let i = 0; i < plain.length; i++) {
      if (this.#deliver(plain[i]!, message, publisher)) count++;
    }
    this.offers = plain.length + steps;
    if (match.groups.length > 0) count += this.#deliverToGroups(match, message, publisher);
    if (this.#plainMade) this.#plainMessage.release();
    return count;
  }

  /** Each queue group gets one copy, at a random member, or at the next one that can take it. */
  #deliverToGroups(
    match: Match<Subscription>,
    message: ClientMessage,
    publisher: Subscriber,
  ): number {
    let count = 0;
    for (let g = 0; g < match.groups.length; g++) {
      const group = match.groups[g]!;
      this.offers++;
      if (!(group instanceof MatchedGroup)) {
        if (this.#deliver(group, message, publisher)) count++;
        continue;
      }
      const members = group.count, at = members > 1 ? this.#random.below(members) : 0;
      // Almost always the chosen member takes it, and no round through the group is needed.
      let member: Subscription | null = group.parts[0]![at] ?? group.begin(at);
      if (member === null) continue;
      if (this.#deliver(member, message, publisher)) {
        count++;
        continue;
      }
      group.begin(at);
      for (member = group.next(); member !== null; member = group.next()) {
        this.offers++;
        if (!this.#deliver(member, message, publisher)) continue;
        count++;
        break;
      }
    }
    return count;
  }

  #deliver(subscription: Subscription, message: ClientMessage, publisher: Subscriber): boolean {
    const subscriber = subscription.subscriber;
    if (!subscriber.open || (subscriber === publisher && !subscriber.echo)) return false;
    const outbox = subscriber.outbox;
    if (outbox.pending > this.#cautionAbove) {
      if (outbox.pending > this.#dropAbove) return false;
      if (!outbox.lagging) this.pressed = true;
    }
    if (subscription.max !== 0) {
      if (subscription.delivered >= subscription.max) return false;
      if (subscription.delivered + 1 === subscription.max) this.#remove(subscription);
    }
    subscription.delivered++;
    let sent = message;
    if (message.headerLength > 0 && !subscriber.headers) {
      if (!this.#plainMade) {
        message.canonical(this.#plainMessage, false);
        this.#plainMade = true;
      }
      sent = this.#plainMessage;
    }
    const tailLength = sent.end - sent.subjectEnd;
    const headLength = frameHeadLength(sent, subscription.sid.length);
    if (headLength + tailLength <= HUGE_SLAB_BYTES) {
      outbox.reserve(headLength + tailLength);
      // Making room may have shown that it is a slow consumer.
      if (!subscriber.open) return false;
      const slab = outbox.slab;
      const at = writeFrameHead(slab, outbox.end, sent, subscription);
      copyBytes(slab, at, sent.slab, sent.subjectEnd, tailLength);
      outbox.commit(headLength + tailLength);
    } else {
      const head = new Slab(headLength);
      writeFrameHead(head, 0, sent, subscription);
      outbox.appendBytes(head.bytes, 0, headLength);
      outbox.appendBytes(sent.slab.bytes, sent.subjectEnd, sent.end);
      if (!subscriber.open) return false;
    }
    subscriber.outMessages++;
    subscriber.outBytes += sent.size;
    if (!outbox.touched) this.#touched.add(outbox);
    if (subscriber.trace !== null) this.#traced(subscriber.trace, sent, subscription.sid);
    return true;
  }

  #traced(trace: DeliveryTrace, message: ClientMessage, sid: string): void {
    const { slab, subjectStart, subjectEnd, size } = message;
    trace.delivered(byteString(slab.bytes, subjectStart, subjectEnd), sid, size);
  }

  /**
   * Tells a requester that nobody received its request, when it has a plain subscription for the
   * answer.
   */
  answerNoResponders(message: ClientMessage, requester: Subscriber): void {
    const bytes = message.slab.bytes;
    const reply = byteString(bytes, message.replyStart, message.replyEnd);
    const before = this.interest.searchWork;
    const listeners = this.interest.matchString(reply).plain;
    this.offers += listeners.length + this.interest.searchWork - before;
    for (const subscription of listeners) {
      // Those that are about to be removed count no more.
      if (subscription.subscriber !== requester || subscription.max < 0) continue;
      const subject = byteString(bytes, message.subjectStart, message.subjectEnd);
      requester.outbox.appendText(noRespondersFrame(subject, reply, subscription.sid));
      requester.trace?.delivered(reply, subscription.sid, 0);
      this.#touched.add(requester.outbox);
      return;
    }
  }
}
