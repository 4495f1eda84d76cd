/**
 * Buses of one account that servers in memory share.
 *
 * @module
 */
import { type BusMessage, type MessageBus, NoRespondersError } from "../../src/auth/mod.ts";
import { subjectMatches } from "../../src/protocol/mod.ts";

interface Subscribed {
  readonly subject: string;
  readonly queue: string | undefined;
  readonly handler: (message: BusMessage) => void;
}

/** An account: what one publishes, all get who are subscribed, themselves too. */
export class MemoryBus implements MessageBus {
  readonly #subscriptions = new Set<Subscribed>();
  #inboxes = 0;
  #turn = 0;

  /** A subject for answers. */
  readonly newInbox = (): string => `_INBOX.${++this.#inboxes}`;

  /** Subjects that somebody is subscribed to, sorted. */
  get subjects(): string[] {
    return [...this.#subscriptions].map(({ subject }) => subject).sort();
  }

  subscribe(subject: string, handler: (message: BusMessage) => void, queue?: string): Disposable {
    const subscribed = { subject, queue, handler };
    this.#subscriptions.add(subscribed);
    return { [Symbol.dispose]: () => void this.#subscriptions.delete(subscribed) };
  }

  publish(subject: string, payload: Uint8Array, { reply }: { reply?: string } = {}): number {
    const message = { subject, reply: reply ?? null, headers: null, payload: payload.slice() };
    const matching = [...this.#subscriptions].filter((one) => subjectMatches(one.subject, subject));
    const groups = Map.groupBy(
      matching.filter(({ queue }) => queue !== undefined),
      (it) => it.queue,
    );
    const receivers = [
      ...matching.filter(({ queue }) => queue === undefined),
      ...[...groups.values()].map((members) => members[this.#chance() % members.length]!),
    ];
    for (const one of receivers) {
      queueMicrotask(() => {
        if (this.#subscriptions.has(one)) one.handler(message);
      });
    }
    return receivers.length;
  }

  /** Small numbers in an order that nobody's turns fall in with. */
  #chance(): number {
    this.#turn = (this.#turn * 5 + 3) % 16;
    return this.#turn >> 2;
  }

  async request(subject: string, payload: Uint8Array): Promise<BusMessage> {
    const inbox = this.newInbox();
    const { promise, resolve } = Promise.withResolvers<BusMessage>();
    using _answers = this.subscribe(inbox, resolve);
    if (this.publish(subject, payload, { reply: inbox }) === 0) {
      throw new NoRespondersError(subject);
    }
    return await promise;
  }
}
