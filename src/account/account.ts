/**
 * Accounts: where publishers and subscribers meet.
 *
 * @module
 */
import { HUGE_SLAB_BYTES, type TouchedOutboxes } from "../connection/mod.ts";
import { Interest, type Match, MatchedGroup, type Members } from "../interest/mod.ts";
import type { Clock, Random } from "../platform/mod.ts";
import {
  byteString,
  ClientMessage,
  copyBytes,
  frameHeadLength,
  noRespondersFrame,
  routeFrameLength,
  routeHeadLength,
  routeTailStart,
  Slab,
  unpackAck,
  writeFrameHead,
  writeRouteFrame,
  writeRouteHead,
} from "../protocol/mod.ts";
import { type InterestObserver, LocalInterest } from "./local_interest.ts";
import { Removals } from "./removals.ts";
import { interestKey, RemoteInterest, type RemoteSubscriber } from "./remote_subscriber.ts";
import {
  type ClusterGroup,
  localCount,
  memberAt,
  nameOf,
  routePlan,
  weightOf,
} from "./route_plan.ts";
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

/** How long a list of queue groups may be: a peer refuses lines of more than 64 KiB. */
const MAX_LIST_BYTES = 32 * 1024;
/** The largest number that {@link Random.below} takes. */
const MAX_DRAW = 2 ** 31;

/** An isolated space of subjects: its interest, and the delivery of messages within it. */
export class Account {
  /** The account's name. */
  readonly name: string;
  /** Which local subscription wants which subject. */
  readonly interest: Interest<Subscription>;
  /** Which other server wants which subject. Messages from other servers never go there. */
  readonly remote: Interest<RemoteInterest>;
  /** What other servers are to know of the local subscriptions; null where there is no cluster. */
  local: LocalInterest | null = null;
  /**
   * How many subscriptions the last message was offered to, whether or not they took it, and how many
   * steps it took to find them.
   */
  offers = 0;
  /** Whether the last message went to somebody who should be waited for before the next one. */
  pressed = false;
  readonly #random: Random;
  readonly #touched: TouchedOutboxes;
  readonly #dropAbove: number;
  /** The lower of {@link AccountOptions.dropAbove} and {@link AccountOptions.pressAbove}. */
  readonly #cautionAbove: number;
  /** The current message without its headers, made for the first subscriber that needs it so. */
  readonly #plainMessage = new ClientMessage();
  #plainMade = false;
  /** The current message as JetStream means it to be delivered; see {@link unpackAck}. */
  readonly #unpacked = new ClientMessage();
  /** Counts messages that go to other servers, and holds where the current one goes. */
  #serial = 0;
  readonly #chosen: RemoteSubscriber[] = [];
  /** Removes the subscriptions of those who leave, and the interest of other servers. */
  readonly #removals: Removals;

  /** An account nobody is in. */
  constructor(name: string, options: AccountOptions) {
    this.name = name;
    const seed = new DataView(options.random.bytes(4).buffer).getUint32(0);
    this.interest = new Interest<Subscription>({ hashSeed: seed });
    this.remote = new Interest<RemoteInterest>({ hashSeed: ~seed });
    this.#random = options.random;
    this.#removals = new Removals(options.clock, options.touched);
    this.#touched = options.touched;
    this.#dropAbove = options.dropAbove;
    this.#cautionAbove = Math.min(options.dropAbove, options.pressAbove);
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
  subscribe(subscriber: Subscriber, subject: string, queue: string | null, sid: string): void {
    const subscriptions = subscriber.subscriptions ??= new Map();
    if (subscriptions.has(sid)) return;
    const subscription = new Subscription(subscriber, subject, queue, sid);
    this.interest.insert(subscription);
    subscriptions.set(sid, subscription);
    this.local?.add(subject, queue);
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
      this.local?.remove(subscription.subject, subscription.queue);
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
    this.#plainMade = this.pressed = false;
    let count = 0;
    const plain = match.plain;
    for (let i = 0; i < plain.length; i++) {
      if (this.#deliver(plain[i]!, message, publisher)) count++;
    }
    this.offers = plain.length + steps;
    // Without any interest there, what was remembered for another subject must not outlive this one.
    const remote = this.remote.count === 0
      ? publisher.lastRemoteMatch = null
      : this.#remoteMatch(message, publisher);
    if (remote !== null && !remote.empty) {
      count += this.#deliverAcross(match, remote, message, publisher);
    } else if (match.groups.length > 0) {
      for (let g = 0; g < match.groups.length; g++) {
        if (this.#deliverToGroup(match.groups[g]!, -1, message, publisher)) count++;
      }
    }
    if (this.#plainMade) this.#plainMessage.release();
    return count;
  }

  #remoteMatch(message: ClientMessage, publisher: Subscriber): Match<RemoteInterest> {
    const { remote } = this, last = publisher.lastRemoteMatch;
    if (last !== null && remote.isCurrent(last)) return last;
    this.offers -= remote.searchWork;
    const match = remote.match(
      message.slab.bytes,
      message.subjectStart,
      message.subjectEnd,
      message.subjectHash,
    );
    this.offers += remote.searchWork;
    return publisher.lastRemoteMatch = match;
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
   * To other servers as well: each gets the message once, with the names of the queue groups for
   * which it was chosen. Members are chosen over the whole cluster, each with the same chance.
   */
  #deliverAcross(
    local: Match<Subscription>,
    remote: Match<RemoteInterest>,
    message: ClientMessage,
    publisher: Subscriber,
  ): number {
    const { routes, groups } = routePlan(local, remote), chosen = this.#chosen;
    this.offers += routes.length + groups.length;
    let count = 0;
    if (groups.length === 0) {
      for (let i = 0; i < routes.length; i++) {
        if (this.#deliverRemote(routes[i]!, message, null)) count++;
      }
      return count;
    }
    const serial = ++this.#serial;
    chosen.length = 0;
    for (let i = 0; i < routes.length; i++) {
      const route = routes[i]!;
      if (!route.open) continue;
      route.serial = serial;
      route.plain = true;
      route.queues.length = route.queuesLength = 0;
      chosen.push(route);
    }
    for (let i = 0; i < groups.length; i++) {
      if (this.#choose(groups[i]!, message, publisher)) count++;
    }
    for (let i = 0; i < chosen.length; i++) {
      const route = chosen[i]!;
      const queues = route.queues.length === 0 ? null : route.queues;
      if (this.#deliverRemote(route, message, queues)) count++;
    }
    return count;
  }

  /** True when a local member got it; a chosen server is noted. */
  #choose(group: ClusterGroup, message: ClientMessage, publisher: Subscriber): boolean {
    const here = localCount(group.local), elsewhere = weightOf(group.remote);
    let at = this.#draw(here + elsewhere);
    if (at < here) {
      if (this.#deliverToGroup(group.local!, at, message, publisher)) return true;
      // None here can take it.
      at = here + this.#draw(elsewhere);
    }
    let member = memberAt(group.remote, at - here);
    if (member === null && group.leaf.length > 0) {
      const leaves = weightOf(group.leaf);
      if (leaves > 0) member = memberAt(group.leaf, this.#draw(leaves));
    }
    if (member !== null) this.#noteGroup(member.remote, group.name, message);
    return false;
  }

  /** A number below `weight`, which is what peers say: {@link Random.below} ends at 2^31. */
  #draw(weight: number): number {
    if (weight <= 1) return 0;
    return weight <= MAX_DRAW
      ? this.#random.below(weight)
      : Math.floor(this.#random.next() * weight);
  }

  #noteGroup(route: RemoteSubscriber, name: string, message: ClientMessage): void {
    if (route.serial !== this.#serial) {
      route.serial = this.#serial;
      route.plain = false;
      route.queues.length = route.queuesLength = 0;
      this.#chosen.push(route);
    } else if (route.queuesLength + name.length > MAX_LIST_BYTES) {
      // Another frame for the rest, unless its plain subscriptions would get the message twice.
      if (route.plain) return;
      this.#deliverRemote(route, message, route.queues);
      route.queues.length = route.queuesLength = 0;
    }
    route.queues.push(name);
    route.queuesLength += name.length + 1;
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
    this.#plainMade = this.pressed = false;
    const message = unpackAck(routed, this.#unpacked) ? this.#unpacked : routed;
    // Handed on by another denats: those without a group have it already, see #passOn.
    const handedOn = queues !== null && queues.length === 2 && queues[0] === queues[1];
    const plain = handedOn ? [] : match.plain;
    let count = 0;
    for (let i = 0; i < plain.length; i++) {
      if (this.#deliver(plain[i]!, message, null)) count++;
    }
    this.offers = plain.length + steps;
    if (queues !== null) {
      for (let i = handedOn ? 1 : 0; i < queues.length; i++) {
        if (this.#deliverToNamed(match, queues[i]!, message)) count++;
        else if (!handedOn) {
          // What goes on is the message as it came, not as clients get it.
          if (message !== routed) this.#forgetPlain();
          if (this.#passOn(routed, from, queues[i]!)) count++;
          if (message !== routed) this.#forgetPlain();
        }
      }
    }
    this.#forgetPlain();
    if (message !== routed) message.release();
    return count;
  }

  /** The message without its headers is made anew when it is needed again. */
  #forgetPlain(): void {
    if (!this.#plainMade) return;
    this.#plainMessage.release();
    this.#plainMade = false;
  }

  #deliverToNamed(match: Match<Subscription>, name: string, message: ClientMessage): boolean {
    for (const group of match.groups) {
      if (nameOf(group) === name) return this.#deliverToGroup(group, -1, message, null);
    }
    return false;
  }

  /**
   * The one way from a route to a route: the group's last member here has left meanwhile. Who gets the
   * message so delivers it to plain subscriptions as well, who have it from its origin already. Another
   * denats is told that it is for the group alone, by naming the group twice, which nobody does
   * otherwise. A nats-server with plain interest is chosen only where there is nobody else: it delivers
   * twice then, as it does when a nats-server hands on.
   */
  #passOn(message: ClientMessage, from: RemoteSubscriber, name: string): boolean {
    if (this.remote.count === 0) return false;
    const { slab, subjectStart, subjectEnd, subjectHash } = message;
    const match = this.remote.match(slab.bytes, subjectStart, subjectEnd, subjectHash);
    for (const group of match.groups) {
      if (nameOf(group) !== name) continue;
      const members = group instanceof MatchedGroup ? group.parts.flat() : [group];
      const others = members.filter(({ remote }) => remote.peer !== from.peer);
      const safe = others.filter(({ remote }) =>
        remote.isDenats || !match.plain.some((plain) => plain.remote === remote)
      );
      const able = weightOf(safe) > 0 ? safe : others, weight = weightOf(able);
      const member = weight === 0 ? null : memberAt(able, this.#draw(weight));
      if (member === null) return false;
      const { remote } = member;
      return this.#deliverRemote(remote, message, remote.isDenats ? [name, name] : [name]);
    }
    return false;
  }

  #deliverRemote(
    remote: RemoteSubscriber,
    message: ClientMessage,
    queues: readonly string[] | null,
  ): boolean {
    if (!remote.open) return false;
    const { outbox, head } = remote;
    if (outbox.pending > this.#cautionAbove && !outbox.lagging) this.pressed = true;
    let sent = message;
    if (message.headerLength > 0 && !remote.headers) {
      if (!this.#plainMade) {
        message.canonical(this.#plainMessage, false);
        this.#plainMade = true;
      }
      sent = this.#plainMessage;
    }
    const length = routeFrameLength(sent, head, queues);
    if (length <= HUGE_SLAB_BYTES) {
      outbox.reserve(length);
      if (!remote.open) return false;
      writeRouteFrame(outbox.slab, outbox.end, sent, head, queues);
      outbox.commit(length);
    } else {
      const start = new Slab(routeHeadLength(sent, head, queues));
      outbox.appendBytes(start.bytes, 0, writeRouteHead(start, 0, sent, head, queues));
      outbox.appendBytes(sent.slab.bytes, routeTailStart(sent, queues), sent.end);
      if (!remote.open) return false;
    }
    remote.outMessages++;
    remote.outBytes += sent.size;
    if (!outbox.touched) this.#touched.add(outbox);
    return true;
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
    const interests = remote.interests ??= new Map();
    const key = interestKey(subject, queue, origin), known = interests.get(key);
    if (known !== undefined) {
      known.weight = weight;
      return;
    }
    const interest = new RemoteInterest(remote, subject, queue, weight, origin !== null);
    this.remote.insert(interest);
    interests.set(key, interest);
    remote.interestBytes += key.length;
  }

  /** A peer is no longer interested. Nothing happens if it never was. */
  removeRemote(
    remote: RemoteSubscriber,
    subject: string,
    queue: string | null,
    origin: string | null,
  ): void {
    const key = interestKey(subject, queue, origin), known = remote.interests?.get(key);
    if (known === undefined) return;
    remote.interests!.delete(key);
    remote.interestBytes -= key.length;
    this.remote.remove(known);
  }

  /** Ends all that a peer announced over a connection, in slices; at once nothing goes there. */
  async removeAllRemote(remote: RemoteSubscriber): Promise<void> {
    remote.open = false;
    remote.lastMatch = null;
    const interests = remote.interests;
    remote.interests = null;
    remote.interestBytes = 0;
    if (interests === null) return;
    await this.#removals.inSlices(interests, (interest) => this.remote.remove(interest));
  }

  #deliver(
    subscription: Subscription,
    message: ClientMessage,
    publisher: Subscriber | null,
  ): boolean {
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
