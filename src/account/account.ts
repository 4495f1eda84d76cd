/**
 * Accounts: where publishers and subscribers meet.
 *
 * @module
 */
import { HUGE_SLAB_BYTES, type TouchedOutboxes } from "../connection/mod.ts";
import { Interest, type Match, MatchedGroup, type Members } from "../interest/mod.ts";
import type { AccountLimits } from "../config/mod.ts";
import type { Clock, Random } from "../platform/mod.ts";
import {
  byteString,
  ClientMessage,
  copyBytes,
  frameHeadLength,
  noRespondersFrame,
  Slab,
  type SubjectMapping,
  unpackAck,
  writeFrameHead,
} from "../protocol/mod.ts";
import { type InterestObserver, LocalInterest } from "./local_interest.ts";
import { Removals } from "./removals.ts";
import { RemoteDelivery } from "./remote_delivery.ts";
import type { RemoteInterest, RemoteSubscriber } from "./remote_subscriber.ts";
import { nameOf } from "./route_plan.ts";
import { type DeliveryGuard, guardAdmits, GuardHook } from "./guard.ts";
import type { ServiceImport } from "./service_import.ts";
import { ServiceResponses } from "./service_responses.ts";
import { type StreamImport, StreamImports } from "./stream_import.ts";
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

/** An isolated space of subjects: its interest, and the delivery of messages within it. */
export class Account {
  /** The account's name. */
  readonly name: string;
  /** Which local subscription wants which subject. */
  readonly interest: Interest<Subscription>;
  /** What other servers are to know of the local subscriptions; null where there is no cluster. */
  local: LocalInterest | null = null;
  /** What its clients are held to. */
  limits: AccountLimits = {};
  /** What becomes of the subjects of clients' messages; the first that concerns one counts. */
  mappings: readonly SubjectMapping[] = [];
  /** How many clients are in it here. */
  connections = 0;
  /** How many are in it on other servers of the cluster, as far as those have told. */
  remoteConnections = 0;
  /**
   * How many subscriptions the last message was offered to, whether or not they took it, and how many
   * steps it took to find them.
   */
  offers = 0;
  /** Whether the last message went to somebody who should be waited for before the next one. */
  pressed = false;
  readonly #random: Random;
  readonly #touched: TouchedOutboxes;
  #dropAbove: number;
  /** The lower of {@link AccountOptions.dropAbove} and {@link AccountOptions.pressAbove}. */
  #cautionAbove: number;
  /** The current message without its headers, made for the first subscriber that needs it so. */
  readonly #plainMessage = new ClientMessage();
  /** Of which message that is; null while there is none. */
  #plainOf: ClientMessage | null = null;
  /** The current message as JetStream means it to be delivered; see {@link unpackAck}. */
  readonly #unpacked = new ClientMessage();
  #streamImports: StreamImports | null = null;
  #serviceImports: readonly Subscription[] = [];
  /** How many subscriptions are the server's, without those of imported services. */
  #own = 0;
  #responses: ServiceResponses | null = null;
  readonly #clock: Clock;
  readonly #remote: RemoteDelivery;
  /** Removes the subscriptions of those who leave, and the interest of other servers. */
  readonly #removals: Removals;

  /** An account nobody is in. */
  constructor(name: string, options: AccountOptions) {
    this.name = name;
    const seed = new DataView(options.random.bytes(4).buffer).getUint32(0);
    this.interest = new Interest<Subscription>({ hashSeed: seed });
    this.#random = options.random;
    this.#clock = options.clock;
    this.#removals = new Removals(options.clock, options.touched);
    this.#touched = options.touched;
    this.#dropAbove = options.dropAbove;
    this.#cautionAbove = Math.min(options.dropAbove, options.pressAbove);
    this.#remote = new RemoteDelivery({
      random: options.random,
      touched: options.touched,
      removals: this.#removals,
      pressAbove: options.pressAbove,
      hashSeed: ~seed,
      toLocalGroup: (group, at, message, publisher) =>
        this.#deliverToGroup(group, at, message, publisher),
    });
  }

  /** How many subscriptions clients have here, without what the server needs itself. */
  get subscriptions(): number {
    return this.interest.count - this.#serviceImports.length - this.#own;
  }

  /** Which other server wants which subject. Messages from other servers never go there. */
  get remote(): Interest<RemoteInterest> {
    return this.#remote.interest;
  }

  /** Drops messages and makes publishers wait at other levels from now on; see {@link AccountOptions}. */
  setFlow({ dropAbove, pressAbove }: Pick<AccountOptions, "dropAbove" | "pressAbove">): void {
    this.#dropAbove = dropAbove;
    this.#cautionAbove = Math.min(dropAbove, pressAbove);
    this.#remote.pressAbove = pressAbove;
  }

  /**
   * From now on `observer` is told what other servers are to know. To be called before there are
   * subscriptions.
   */
  observe(observer: InterestObserver): void {
    this.local = new LocalInterest(observer);
  }

  /**
   * Adds a subscription, unless the sid is in use already: then the first one stays.
   *
   * @throws {InvalidSubjectError} when the subject is none that can be subscribed to.
   */
  subscribe(
    subscriber: Subscriber,
    subject: string,
    queue: string | null,
    sid: string,
    guard: DeliveryGuard | null = null,
  ): void {
    const subscriptions = subscriber.subscriptions ??= new Map();
    if (subscriptions.has(sid)) return;
    const hook = this.#hookOf(guard);
    const subscription = new Subscription(subscriber, subject, queue, sid, hook);
    this.attach(subscription);
    subscriptions.set(sid, subscription);
  }

  /**
   * Has `guard`, or nobody, look at what is delivered to a subscription from now on. Nothing that it would
   * get is missed meanwhile, here or on other servers.
   */
  guardAnew(subscription: Subscription, guard: DeliveryGuard | null): void {
    if (guard === null && subscription.hook === null) return;
    const { subscriber, subject, queue, sid, delivered, max } = subscription;
    const anew = new Subscription(subscriber, subject, queue, sid, this.#hookOf(guard));
    anew.delivered = delivered;
    anew.max = max;
    // First, so that there is somebody interested all the time.
    this.attach(anew);
    subscriber.subscriptions!.set(sid, anew);
    this.#forget(subscription);
  }

  #hookOf(guard: DeliveryGuard | null): GuardHook | null {
    if (guard === null) return null;
    this.interest.admits = guardAdmits;
    return new GuardHook(this, guard);
  }

  /**
   * Begins to deliver to a subscription that is none of a client's, or is the shadow of one. Other
   * servers learn of it.
   *
   * @throws {InvalidSubjectError} when the subject is none that can be subscribed to.
   */
  attach(subscription: Subscription): void {
    this.interest.insert(subscription);
    if (isOwn(subscription)) this.#own++;
    this.local?.add(subscription.subject, subscription.queue);
    this.#streamImports?.follow(subscription);
  }

  /** Ends what {@link Account.attach} has begun. */
  detach(subscription: Subscription): void {
    this.#forget(subscription);
  }

  /** Replaces what streams of other accounts are received here. */
  importStreams(imports: readonly StreamImport[]): void {
    if (this.#streamImports === null && imports.length === 0) return;
    this.#streamImports ??= new StreamImports();
    const services = new Set(this.#serviceImports);
    this.#streamImports.replace(
      imports,
      () => [...this.interest.items()].filter((each) => !services.has(each)),
    );
    if (imports.length === 0) this.#streamImports = null;
  }

  /** Replaces which services of other accounts can be asked here. */
  importServices(imports: readonly ServiceImport[]): void {
    for (const subscription of this.#serviceImports) this.interest.remove(subscription);
    // Only this server serves them: others are not told.
    this.#serviceImports = imports.map((each) => each.subscription);
    for (const subscription of this.#serviceImports) this.interest.insert(subscription);
  }

  /**
   * The subject that a client's message to `subject` has from now on, `""` when it is to be dropped,
   * `null` when it stays. Byte strings.
   */
  mapped(subject: string): string | null {
    for (const mapping of this.mappings) {
      const chosen = mapping.choose(subject, (count) => this.#random.below(count));
      if (chosen !== null) return chosen;
    }
    return null;
  }

  /** Where answers to requests of other accounts arrive. */
  get responses(): ServiceResponses {
    return this.#responses ??= new ServiceResponses(this, this.#random, this.#clock);
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
    this.#forget(subscription);
  }

  #forget(subscription: Subscription): void {
    if (this.interest.remove(subscription)) {
      if (isOwn(subscription)) this.#own--;
      this.local?.remove(subscription.subject, subscription.queue);
      this.#streamImports?.leave(subscription);
    }
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
    await this.#removals.inSlices(subscriptions, (subscription) => this.#forget(subscription));
  }

  /** Lets go of what is kept of those who have left. To be called now and then. */
  cleanUp(): void {
    this.interest.sweep();
    this.remote.sweep();
    this.#responses?.sweep();
  }

  /** Lets go of what a publisher remembers, when it may be outdated and keep others alive. */
  forgetMatch(subscriber: Subscriber): void {
    const { lastMatch, lastRemoteMatch } = subscriber;
    if (lastMatch !== null && !this.interest.isFresh(lastMatch)) subscriber.lastMatch = null;
    if (lastRemoteMatch !== null && !this.remote.isFresh(lastRemoteMatch)) {
      subscriber.lastRemoteMatch = null;
    }
  }

  /**
   * Who gets a message, if that is known without a lookup; {@link publish} goes by it then. Null where
   * it would have to look.
   */
  known(message: ClientMessage, publisher: Subscriber): Match<Subscription> | null {
    const { slab: { bytes }, subjectStart, subjectEnd, subjectHash } = message;
    const match = this.interest.known(bytes, subjectStart, subjectEnd, subjectHash);
    if (match === null) return null;
    publisher.lastMatch = match;
    publisher.lastRemoteMatch = null;
    message.sameSubject = true;
    return match;
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
      // It was for another subject, and is not looked at while there is no interest elsewhere.
      publisher.lastRemoteMatch = null;
    }
    this.#plainOf = null;
    this.pressed = false;
    this.offers = steps;
    let count = 0;
    const plain = match.plain;
    for (let i = 0; i < plain.length; i++) {
      if (this.#deliverAdmitted(plain[i]!, message, publisher)) count++;
    }
    this.offers += plain.length;
    const across = this.#remote, isWanted = across.interest.count > 0;
    const remote = isWanted ? across.match(message, publisher) : null;
    if (remote !== null) {
      count += across.deliver(match, remote, message, publisher);
      if (across.pressed) this.pressed = true;
    } else if (match.groups.length > 0) {
      for (let g = 0; g < match.groups.length; g++) {
        if (this.#deliverToGroup(match.groups[g]!, -1, message, publisher)) count++;
      }
    }
    if (isWanted) this.offers += across.offers;
    this.#forgetPlain();
    return count;
  }

  /** A queue group gets one copy, at member `at`, or at the next one that can take it. */
  #deliverToGroup(
    group: Members<Subscription>,
    at: number,
    message: ClientMessage,
    publisher: Subscriber | null,
  ): boolean {
    this.offers++;
    if (!(group instanceof MatchedGroup)) return this.#deliver(group, message, publisher);
    const members = group.count;
    if (at < 0) at = members > 1 ? this.#random.below(members) : 0;
    // Almost always the chosen member takes it, and no round through the group is needed.
    let member: Subscription | null = group.parts[0]![at] ?? group.begin(at);
    if (member === null) return false;
    if (this.#deliver(member, message, publisher)) return true;
    group.begin(at);
    for (member = group.next(); member !== null; member = group.next()) {
      this.offers++;
      if (this.#deliver(member, message, publisher)) return true;
    }
    return false;
  }

  /**
   * Delivers a message that another server has sent: to all local subscriptions that want it, and to
   * one member of each of `queues`. It goes to no other server, unless a group of `queues` has just
   * lost its last member here.
   *
   * @returns to how many it was delivered.
   */
  publishRouted(
    routed: ClientMessage,
    from: RemoteSubscriber,
    queues: readonly string[] | null,
  ): number {
    const interest = this.interest;
    let match = from.lastMatch, steps = 0;
    if (match === null || !routed.sameSubject || !interest.isCurrent(match)) {
      steps = -interest.searchWork;
      match = interest.match(
        routed.slab.bytes,
        routed.subjectStart,
        routed.subjectEnd,
        routed.subjectHash,
      );
      steps += interest.searchWork;
      from.lastMatch = match;
    }
    this.#plainOf = null;
    this.pressed = false;
    this.offers = steps;
    const message = unpackAck(routed, this.#unpacked) ? this.#unpacked : routed;
    // Handed on by another denats: those without a group have it already, see RemoteDelivery.passOn.
    const handedOn = queues !== null && queues.length === 2 && queues[0] === queues[1];
    const plain = handedOn ? [] : match.plain;
    let count = 0;
    for (let i = 0; i < plain.length; i++) {
      if (this.#deliverAdmitted(plain[i]!, message, null)) count++;
    }
    this.offers += plain.length;
    if (queues !== null) {
      for (let i = handedOn ? 1 : 0; i < queues.length; i++) {
        if (this.#deliverToNamed(match, queues[i]!, message)) count++;
        else if (!handedOn && this.#remote.passOn(routed, from, queues[i]!)) {
          count++;
          if (this.#remote.pressed) this.pressed = true;
        }
      }
    }
    this.#forgetPlain();
    if (message !== routed) message.release();
    return count;
  }

  #deliverToNamed(match: Match<Subscription>, name: string, message: ClientMessage): boolean {
    for (const group of match.groups) {
      if (nameOf(group) === name) return this.#deliverToGroup(group, -1, message, null);
    }
    return false;
  }

  /**
   * A peer is interested, or a queue group of its has another number of members.
   *
   * @throws {InvalidSubjectError} when the subject is none that can be subscribed to.
   */
  addRemote(
    remote: RemoteSubscriber,
    subject: string,
    queue: string | null,
    weight: number,
    origin: string | null,
  ): void {
    this.#remote.add(remote, subject, queue, weight, origin);
  }

  /** A peer is no longer interested. Nothing happens if it never was. */
  removeRemote(
    remote: RemoteSubscriber,
    subject: string,
    queue: string | null,
    origin: string | null,
  ): void {
    this.#remote.remove(remote, subject, queue, origin);
  }

  /** Ends all that a peer announced over a connection, in slices; at once nothing goes there. */
  removeAllRemote(remote: RemoteSubscriber): Promise<void> {
    return this.#remote.removeAll(remote);
  }

  /** Lets go of the message without its headers. */
  #forgetPlain(): void {
    if (this.#plainOf === null) return;
    this.#plainMessage.release();
    this.#plainOf = null;
  }

  #deliver(
    subscription: Subscription,
    message: ClientMessage,
    publisher: Subscriber | null,
  ): boolean {
    const hook = subscription.hook;
    return hook === null
      ? this.#write(subscription, message, publisher)
      : hook.deliver(subscription, message, publisher);
  }

  /** The same for one of a match: those that a guard holds back are not part of it. */
  #deliverAdmitted(
    subscription: Subscription,
    message: ClientMessage,
    publisher: Subscriber | null,
  ): boolean {
    const hook = subscription.hook;
    if (hook === null) return this.#write(subscription, message, publisher);
    return hook instanceof GuardHook
      ? hook.deliverAdmitted(subscription, message, publisher)
      : hook.deliver(subscription, message, publisher);
  }

  /** Delivers a message of another account, which waits for whoever has to be waited for. */
  deliverFrom(
    exporter: Account,
    subscription: Subscription,
    message: ClientMessage,
    publisher: Subscriber | null,
  ): boolean {
    const before = this.pressed;
    this.pressed = false;
    const taken = this.#deliver(subscription, message, publisher);
    if (this.pressed) exporter.pressed = true;
    this.pressed ||= before;
    if (this.#plainOf === message) this.#forgetPlain();
    return taken;
  }

  /** Publishes what has come from another account, which waits for whoever has to be waited for. */
  publishFrom(origin: Account, message: ClientMessage, bridge: Subscriber): number {
    const count = this.publish(message, bridge);
    if (this.pressed) origin.pressed = true;
    origin.offers += this.offers;
    return count;
  }

  /** Delivers a message to the subscriber of a subscription, for a hook. */
  deliverTo(
    subscription: Subscription,
    message: ClientMessage,
    publisher: Subscriber | null,
  ): boolean {
    return this.#write(subscription, message, publisher);
  }

  #write(
    subscription: Subscription,
    message: ClientMessage,
    publisher: Subscriber | null,
  ): boolean {
    const subscriber = subscription.subscriber;
    if (!subscriber.open || (subscriber === publisher && !subscriber.echo)) return false;
    // Whoever has none takes its messages by hooks.
    const outbox = subscriber.outbox!;
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
      if (this.#plainOf !== message) {
        message.canonical(this.#plainMessage, false);
        this.#plainOf = message;
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
      const outbox = requester.outbox!;
      outbox.appendText(noRespondersFrame(subject, reply, subscription.sid));
      requester.trace?.delivered(reply, subscription.sid, 0);
      this.#touched.add(outbox);
      return;
    }
  }
}

/** Whether a subscription is the server's own. */
function isOwn({ subscriber }: Subscription): boolean {
  return subscriber.outbox === null;
}
