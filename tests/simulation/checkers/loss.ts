/**
 * Nothing is lost between parties that are connected and settled, even if faults concern others.
 *
 * @module
 */
import {
  describeMessage,
  describeSubscription,
  type MessageRecord,
  type SubscriptionRecord,
} from "../ledger.ts";
import { aftermathMs } from "../plan.ts";
import { Violation } from "../violation.ts";
import type { Checked, Checker } from "./checker.ts";

/** How late a message may be while others make trouble: a slow reader may hold its publishers up. */
const LATEST_MS = 2000;

/** See the module. */
export function lossChecker({ plan, ticks, ledger, mesh, nodes }: Checked): Checker {
  const settlingMs = aftermathMs(plan);
  let judged = 0;
  /** Whether a subscription has had nothing to do with any fault since it was settled. */
  const isSettled = (subscription: SubscriptionRecord, message: MessageRecord) => {
    const { party, confirmedMs, endedMs } = subscription, fromMs = message.sentMs - settlingMs;
    return endedMs === Infinity && confirmedMs <= fromMs && party.steadySinceMs <= fromMs &&
      mesh.steadySinceMs(message.publisher.node, party.node) <= message.sentMs &&
      mesh.steadySinceMs(party.node, party.node) <= message.sentMs;
  };
  const judge = (message: MessageRecord) => {
    const { publisher, sentMs, subject } = message;
    if (publisher.steadySinceMs > sentMs - settlingMs) return;
    if (mesh.steadySinceMs(publisher.node, publisher.node) > sentMs) return;
    const groups = new Map<string, SubscriptionRecord[]>();
    for (const subscription of ledger.matching(publisher.account, subject, sentMs - settlingMs)) {
      const { queue, received } = subscription;
      if (queue !== null) {
        const group = groups.get(queue);
        if (group === undefined) groups.set(queue, [subscription]);
        else group.push(subscription);
      } else if (!received.has(message) && isSettled(subscription, message)) {
        throw lost(message, describeSubscription(subscription), ticks.nowMs);
      }
    }
    // A broker that has not been heard of for some time may still count as having members.
    const isCertain = nodes.every(({ index }) =>
      mesh.steadySinceMs(publisher.node, index) <= sentMs
    );
    for (const [queue, members] of isCertain ? groups : []) {
      if (members.some(({ received }) => received.has(message))) continue;
      if (!members.every((member) => isSettled(member, message))) continue;
      throw lost(message, `none of ${members.length} members of group ${queue}`, ticks.nowMs);
    }
  };
  return {
    look: () => {
      const { messages } = ledger, untilMs = ticks.nowMs - LATEST_MS;
      for (; judged < messages.length && messages[judged]!.sentMs <= untilMs; judged++) {
        judge(messages[judged]!);
      }
      ledger.forget(ticks.nowMs - 2 * LATEST_MS - settlingMs);
    },
  };
}

function lost(message: MessageRecord, by: string, nowMs: number): Violation {
  return new Violation(
    "loss",
    `${describeMessage(message)} had not reached ${by} at ${nowMs} ms, although all were settled`,
  );
}
