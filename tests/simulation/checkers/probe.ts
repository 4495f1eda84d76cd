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
import { SUBJECTS } from "../subjects.ts";
import { Violation } from "../violation.ts";
import type { Checked } from "./checker.ts";

/** What a broker may take on top of the paths, in milliseconds. */
const HANDLING_MS = 2;

/** Has a client at each broker publish and ask on every subject; `pass` lets time pass. */
export async function probe(
  { plan, ledger, nodes, population, ticks }: Checked,
  pass: (durationMs: number) => Promise<void>,
): Promise<void> {
  // From the publisher, between brokers, to the subscriber.
  const hopsMs = 3 * plan.pathMs + HANDLING_MS;
  for (const isRequest of [false, true]) {
    const first = ledger.messages.length;
    for (const { index } of nodes) {
      const client: SimulatedClient = population.clientsOf(index)[0]!;
      for (const [at, subject] of SUBJECTS.entries()) {
        if (!isRequest) client.publish(subject);
        // Many answer where anybody does: one such request at each broker is enough.
        else if (at === index || ledger.matching(subject, ticks.nowMs).length === 0) {
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

function checkDelivery(ledger: Ledger, message: MessageRecord, nowMs: number): void {
  const missing = new Map<string, SubscriptionRecord[]>();
  for (const subscription of ledger.matching(message.subject, nowMs)) {
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
  const responders = ledger.matching(message.subject, message.sentMs).length;
  if (message.unanswerable === (responders === 0)) return;
  throw new Violation(
    "interest",
    `in the calm, ${describeMessage(message)} was ${
      message.unanswerable ? "" : "not "
    }said to have no responders, and there are ${responders}`,
  );
}
