/**
 * Delivery to other servers of the cluster.
 *
 * @module
 */
import { HUGE_SLAB_BYTES, type TouchedOutboxes } from "../connection/mod.ts";
import { Interest, type Match, MatchedGroup, type Members } from "../interest/mod.ts";
import type { Random } from "../platform/mod.ts";
import {
  ClientMessage,
  routeFrameLength,
  routeHeadLength,
  routeTailStart,
  Slab,
  writeRouteFrame,
  writeRouteHead,
} from "../protocol/mod.ts";
import type { Removals } from "./removals.ts";
import { interestKey, RemoteInterest, type RemoteSubscriber } from "./remote_subscriber.ts";
import {
  type ClusterGroup,
  localCount,
  memberAt,
  nameOf,
  routePlan,
  weightOf,
} from "./route_plan.ts";
import type { Subscriber } from "./subscriber.ts";
import type { Subscription } from "./subscription.ts";

/** How long a list of queue groups may be: a peer refuses lines of more than 64 KiB. */
const MAX_LIST_BYTES = 32 * 1024;
/** The largest number that {@link Random.below} takes. */
const MAX_DRAW = 2 ** 31;

/** What delivery to other servers takes from its account. */
export interface RemoteDeliveryOptions {
  /** Chooses members of queue groups. */
  readonly random: Random;
  /** Collects the outboxes that were delivered to. */
  readonly touched: TouchedOutboxes;
  /** Removes what a peer was interested in. */
  readonly removals: Removals;
  /** Pending bytes of a route above which a publisher should wait even in the middle of a chunk. */
  readonly pressAbove: number;
  /** For the tables of subjects. */
  readonly hashSeed: number;
  /** Delivers to the local member `at` of a queue group, or to the next one that can take it. */
  readonly toLocalGroup: (
    group: Members<Subscription>,
    at: number,
    message: ClientMessage,
    publisher: Subscriber | null,
  ) => boolean;
}

/** What other servers are interested in within one account, and how messages get to them. */
export class RemoteDelivery {
  /** Which other server wants which subject. Messages from other servers never go there. */
  readonly interest: Interest<RemoteInterest>;
  /** How many routes and groups the last message was offered to, and the steps to find them. */
  offers = 0;
  /** Whether the last message went to a route that should be waited for before the next one. */
  pressed = false;
  /** See {@link RemoteDeliveryOptions.pressAbove}. */
  pressAbove: number;
  readonly #options: RemoteDeliveryOptions;
  /** The current message without its headers, made for the first peer that needs it so. */
  readonly #plainMessage = new ClientMessage();
  #plainMade = false;
  /** Counts messages, and holds where the current one goes. */
  #serial = 0;
  readonly #chosen: RemoteSubscriber[] = [];

  /** Nobody is interested in anything yet. */
  constructor(options: RemoteDeliveryOptions) {
    this.#options = options;
    this.pressAbove = options.pressAbove;
    this.interest = new Interest<RemoteInterest>({ hashSeed: options.hashSeed });
  }

  /** Who elsewhere wants a message, or null when nobody does; remembered by the publisher. */
  match(message: ClientMessage, publisher: Subscriber): Match<RemoteInterest> | null {
    const interest = this.interest;
    this.offers = 0;
    let match = publisher.lastRemoteMatch;
    if (match === null || !interest.isCurrent(match)) {
      const before = interest.searchWork;
      match = publisher.lastRemoteMatch = interest.match(
        message.slab.bytes,
        message.subjectStart,
        message.subjectEnd,
        message.subjectHash,
      );
      this.offers = interest.searchWork - before;
    }
    return match.empty ? null : match;
  }

  /**
   * Delivers a message to other servers: each gets the message once, with the names of the queue groups for
   * which it was chosen. Members are chosen over the whole cluster, each with the same chance, and a
   * local one that is chosen gets the message as well.
   *
   * @param remote What {@link RemoteDelivery.match} has just returned.
   * @returns to how many servers and local subscriptions it was delivered.
   */
  deliver(
    local: Match<Subscription>,
    remote: Match<RemoteInterest>,
    message: ClientMessage,
    publisher: Subscriber,
  ): number {
    const { routes, groups } = routePlan(local, remote), chosen = this.#chosen;
    this.offers += routes.length + groups.length;
    this.pressed = false;
    let count = 0;
    if (groups.length === 0) {
      for (let i = 0; i < routes.length; i++) {
        if (this.#send(routes[i]!, message, null)) count++;
      }
      this.#forgetPlain();
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
      if (this.#send(route, message, queues)) count++;
    }
    this.#forgetPlain();
    return count;
  }

  /** True when a local member got it; a chosen server is noted. */
  #choose(group: ClusterGroup, message: ClientMessage, publisher: Subscriber): boolean {
    const here = localCount(group.local), elsewhere = weightOf(group.remote);
    let at = this.#draw(here + elsewhere);
    if (at < here) {
      if (this.#options.toLocalGroup(group.local!, at, message, publisher)) return true;
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
      ? this.#options.random.below(weight)
      : Math.floor(this.#options.random.next() * weight);
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
      this.#send(route, message, route.queues);
      route.queues.length = route.queuesLength = 0;
    }
    route.queues.push(name);
    route.queuesLength += name.length + 1;
  }

  /**
   * The one way from a route to a route: the group's last member here has left meanwhile. Who gets the
   * message so delivers it to plain subscriptions as well, who have it from its origin already. Another
   * denats is told that it is for the group alone, by naming the group twice, which nobody does
   * otherwise. A nats-server with plain interest is chosen only where there is nobody else: it delivers
   * twice then, as it does when a nats-server hands on.
   *
   * @returns whether another server has a member of the group.
   */
  passOn(message: ClientMessage, from: RemoteSubscriber, name: string): boolean {
    if (this.interest.count === 0) return false;
    const { slab, subjectStart, subjectEnd, subjectHash } = message;
    const match = this.interest.match(slab.bytes, subjectStart, subjectEnd, subjectHash);
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
      this.pressed = false;
      const sent = this.#send(remote, message, remote.isDenats ? [name, name] : [name]);
      this.#forgetPlain();
      return sent;
    }
    return false;
  }

  /** The message without its headers is made anew when it is needed again. */
  #forgetPlain(): void {
    if (!this.#plainMade) return;
    this.#plainMessage.release();
    this.#plainMade = false;
  }

  #send(
    remote: RemoteSubscriber,
    message: ClientMessage,
    queues: readonly string[] | null,
  ): boolean {
    if (!remote.open) return false;
    const { outbox, head } = remote;
    if (outbox.pending > this.pressAbove && !outbox.lagging) this.pressed = true;
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
    if (!outbox.touched) this.#options.touched.add(outbox);
    return true;
  }

  /**
   * A peer is interested, or a queue group of its has another number of members.
   *
   * @throws {InvalidSubjectError} when the subject is none that can be subscribed to.
   */
  add(
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
    this.interest.insert(interest);
    interests.set(key, interest);
    remote.interestBytes += key.length;
  }

  /** A peer is no longer interested. Nothing happens if it never was. */
  remove(
    remote: RemoteSubscriber,
    subject: string,
    queue: string | null,
    origin: string | null,
  ): void {
    const key = interestKey(subject, queue, origin), known = remote.interests?.get(key);
    if (known === undefined) return;
    remote.interests!.delete(key);
    remote.interestBytes -= key.length;
    this.interest.remove(known);
  }

  /** Ends all that a peer announced over a connection, in slices; at once nothing goes there. */
  async removeAll(remote: RemoteSubscriber): Promise<void> {
    remote.open = false;
    remote.lastMatch = null;
    const interests = remote.interests;
    remote.interests = null;
    remote.interestBytes = 0;
    if (interests === null) return;
    await this.#options.removals.inSlices(interests, (interest) => this.interest.remove(interest));
  }
}
