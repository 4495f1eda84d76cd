/**
 * Once nothing happens any more, every message on every subject reaches exactly those who want it, no
 * later than the network takes, and who asks where nobody answers is told so.
 *
 * @module
 */
import {
  describeMessage,
  describeSubscription,
  type Ledger,
  type MessageRecord,
  type SubscriptionRecord,
} from "../ledger.ts";
import type { SimulatedClient } from "../client.ts";
import type { Population } from "../population.ts";
import { SUBJECTS } from "../subjects.ts";
import { Violation } from "../violation.ts";
import type { Checked } from "./checker.ts";

/** What a broker may take on top of the paths, in milliseconds. */
const HANDLING_MS = 2;

/** Has a client at each broker publish and ask on every subject; `pass` lets time pass. */
export async function probe(
  { plan, ledger, population, ticks }: Checked,
  pass: (durationMs: number) => Promise<void>,
): Promise<void> {
  // From the publisher, between brokers, to the subscriber.
  const hopsMs = 3 * plan.pathMs + HANDLING_MS;
  for (const isRequest of [false, true]) {
    const first = ledger.messages.length;
    for (const client of probers(population)) {
      const { node, account } = client.party;
      for (const [at, subject] of SUBJECTS.entries()) {
        if (!isRequest) client.publish(subject);
        // Many answer where anybody does: one such request at each broker is enough.
        else if (
          at === node || ledger.matching(account, subject, ticks.nowMs).length === 0
        ) {
          client.request(subject);
        }
      }
    }
    const sent = ledger.messages.slice(first);
    await pass(hopsMs);
    for (const message of sent) checkDelivery(ledger, message, ticks.nowMs);
    if (!isRequest) continue;
    await pass(hopsMs);
    for (const message of ledger.messages.slice(first + sent.length)) {
      checkDelivery(ledger, message, ticks.nowMs);
    }
    for (const message of sent) checkResponders(ledger, message);
  }
}

/** A client of each account at each broker, where there is one. */
function probers(population: Population): Iterable<SimulatedClient> {
  const probers = new Map<string, SimulatedClient>();
  for (const client of population.clients) {
    const key = `${client.party.node} ${client.party.account}`;
    if (!probers.has(key)) probers.set(key, client);
  }
  return probers.values();
}

function checkDelivery(ledger: Ledger, message: MessageRecord, nowMs: number): void {
  const missing = new Map<string, SubscriptionRecord[]>();
  for (const subscription of ledger.matching(message.publisher.account, message.subject, nowMs)) {
    const { queue, received } = subscription;
    if (queue !== null) {
      const members = missing.get(queue);
      if (members === undefined) missing.set(queue, [subscription]);
      else members.push(subscription);
    } else if (!received.has(message)) {
      throw late(message, describeSubscription(subscription), nowMs);
    }
  }
  for (const [queue, members] of missing) {
    if (members.some(({ received }) => received.has(message))) continue;
    throw late(
      message,
      `group ${queue}, whose members are ${members.map(describeSubscription).join("; ")}`,
      nowMs,
    );
  }
}

function late(message: MessageRecord, whom: string, nowMs: number): Violation {
  return new Violation(
    "loss",
    `in the calm, ${describeMessage(message)} had not reached ${whom} at ${nowMs} ms`,
  );
}

function checkResponders(ledger: Ledger, message: MessageRecord): void {
  const { publisher: { account }, subject, sentMs } = message;
  const responders = ledger.matching(account, subject, sentMs).length;
  if (message.unanswerable === (responders === 0)) return;
  throw new Violation(
    "interest",
    `in the calm, ${describeMessage(message)} was ${
      message.unanswerable ? "" : "not "
    }said to have no responders, and there are ${responders}`,
  );
}
