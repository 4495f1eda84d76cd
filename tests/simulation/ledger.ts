/**
 * The truth of a simulation: who subscribed to what, who published what, and who got it.
 *
 * @module
 */
import { subjectMatches } from "./subjects.ts";
import type { Ticks } from "./ticks.ts";

/** One connection of a client, from its dialling to its end. */
export interface Party {
  /** Counted from 1. */
  readonly id: number;
  /** The index of the broker's node. */
  readonly node: number;
  /** Its account. */
  readonly account: string;
  /** Since when it has been connected, read everything and met no fault; Infinity: it does not. */
  steadySinceMs: number;
  /** When it ended; Infinity: not yet. */
  endedMs: number;
}

/** One subscription of a party. */
export interface SubscriptionRecord {
  /** Counted from 1. */
  readonly id: number;
  /** Whose it is. */
  readonly party: Party;
  /** Its subject, perhaps with wildcards. */
  readonly subject: string;
  /** Its queue group, or null. */
  readonly queue: string | null;
  /** When SUB was sent. */
  readonly sentMs: number;
  /** When its broker was heard to have it; Infinity: not yet. */
  confirmedMs: number;
  /** When UNSUB was sent or the party ended; Infinity: not yet. */
  endedMs: number;
  /** The messages it got. */
  readonly received: Set<MessageRecord>;
}

/** One message that was published. */
export interface MessageRecord {
  /** Counted from 1; the payload begins with it. */
  readonly id: number;
  /** Who published it. */
  readonly publisher: Party;
  /** Its subject. */
  readonly subject: string;
  /** Where answers go, or null. */
  readonly reply: string | null;
  /** When it was sent. */
  readonly sentMs: number;
  /** Whether its broker said that nobody is there to answer. */
  unanswerable: boolean;
}

/** A delivery, as it happens. */
export type DeliveryListener = (
  subscription: SubscriptionRecord,
  message: MessageRecord,
) => void;

/** Everything that was done, by clients and to them. */
export class Ledger {
  /** Every party ever. */
  readonly parties: Party[] = [];
  /** Every message ever. */
  readonly messages: MessageRecord[] = [];
  /** Subscriptions that have not ended, and those that ended since the last {@link Ledger.forget}. */
  subscriptions: SubscriptionRecord[] = [];
  /** How many deliveries there were. */
  deliveries = 0;
  /** Called for every delivery before it is entered. */
  readonly onDelivery: DeliveryListener[] = [];
  readonly #ticks: Ticks;
  #lastSubscription = 0;

  /** An empty ledger. */
  constructor(ticks: Ticks) {
    this.#ticks = ticks;
  }

  /** A client dials. */
  enter(node: number, account: string): Party {
    const id = this.parties.length + 1;
    const party: Party = { id, node, account, steadySinceMs: Infinity, endedMs: Infinity };
    this.parties.push(party);
    return party;
  }

  /** A party's connection ended, whoever ended it. */
  leave(party: Party): void {
    if (party.endedMs !== Infinity) return;
    party.endedMs = this.#ticks.nowMs;
    party.steadySinceMs = Infinity;
    for (const subscription of this.subscriptions) {
      if (subscription.party === party) this.unsubscribed(subscription);
    }
  }

  /** SUB was sent. */
  subscribed(party: Party, subject: string, queue: string | null): SubscriptionRecord {
    const subscription: SubscriptionRecord = {
      id: ++this.#lastSubscription,
      party,
      subject,
      queue,
      sentMs: this.#ticks.nowMs,
      confirmedMs: Infinity,
      endedMs: Infinity,
      received: new Set(),
    };
    this.subscriptions.push(subscription);
    return subscription;
  }

  /** UNSUB was sent. */
  unsubscribed(subscription: SubscriptionRecord): void {
    if (subscription.endedMs === Infinity) subscription.endedMs = this.#ticks.nowMs;
  }

  /** A message was sent. */
  published(publisher: Party, subject: string, reply: string | null): MessageRecord {
    const message: MessageRecord = {
      id: this.messages.length + 1,
      publisher,
      subject,
      reply,
      sentMs: this.#ticks.nowMs,
      unanswerable: false,
    };
    this.messages.push(message);
    return message;
  }

  /** A message was delivered. */
  delivered(subscription: SubscriptionRecord, message: MessageRecord): void {
    this.deliveries++;
    for (const listener of this.onDelivery) listener(subscription, message);
    subscription.received.add(message);
  }

  /** Subscriptions in an account that match a subject and have not ended before `sinceMs`. */
  matching(account: string, subject: string, sinceMs: number): SubscriptionRecord[] {
    return this.subscriptions.filter((subscription) =>
      subscription.endedMs > sinceMs && subscription.party.account === account &&
      subjectMatches(subscription.subject, subject)
    );
  }

  /** Subscriptions that have not ended. */
  get live(): SubscriptionRecord[] {
    return this.subscriptions.filter(({ endedMs }) => endedMs === Infinity);
  }

  /** Drops subscriptions that ended before `beforeMs`. */
  forget(beforeMs: number): void {
    this.subscriptions = this.subscriptions.filter(({ endedMs }) => endedMs >= beforeMs);
  }
}

/** A message as violations name it. */
export function describeMessage({ id, publisher, subject, sentMs }: MessageRecord): string {
  return `message ${id} on ${subject}, sent at ${sentMs} ms by ${describeParty(publisher)}`;
}

/** A subscription as violations name it. */
export function describeSubscription(subscription: SubscriptionRecord): string {
  const { id, party, subject, queue, sentMs } = subscription;
  const group = queue === null ? "" : ` in group ${queue}`;
  return `subscription ${id} to ${subject}${group}, made at ${sentMs} ms by ${
    describeParty(party)
  }`;
}

/** A party as violations name it. */
export function describeParty({ id, node, account }: Party): string {
  return `client ${id} of n${node + 1} in ${account}`;
}
