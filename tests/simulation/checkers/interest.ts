/**
 * What every broker knows of the interest at the others is the truth.
 *
 * @module
 */
import { interestOf, type InterestView, peersOf } from "../cluster_view.ts";
import type { SubscriptionRecord } from "../ledger.ts";
import { Violation } from "../violation.ts";
import type { Checked, Checker } from "./checker.ts";

/** See the module. */
export function interestChecker({ ledger, nodes }: Checked): Checker {
  return {
    calm: () => {
      const truth = nodes.map(({ index }) =>
        truthOf(ledger.live.filter(({ party }) => party.node === index))
      );
      for (const here of nodes) {
        for (const peer of peersOf(here.broker)) {
          const there = nodes.find((node) => node.broker.id === peer.id);
          if (there === undefined) {
            throw new Violation("mesh", `${here.name} has a peer ${peer.id} that is not there`);
          }
          const known = lines(interestOf(here.broker, peer.id)), expected = truth[there.index]!;
          if (known.join("\n") === expected.join("\n")) continue;
          const wrong = known.filter((line) => !expected.includes(line));
          const missing = expected.filter((line) => !known.includes(line));
          throw new Violation(
            "interest",
            `what ${here.name} knows of ${there.name}: wrong are [${wrong.join(", ")}], ` +
              `missing are [${missing.join(", ")}]`,
          );
        }
      }
    },
  };
}

/** What a broker with these subscriptions announces. */
function truthOf(subscriptions: readonly SubscriptionRecord[]): string[] {
  const views = new Map<string, InterestView>();
  for (const { party: { account }, subject, queue } of subscriptions) {
    const key = `${account} ${subject} ${queue}`;
    const weight = queue === null ? 0 : views.get(key)?.weight ?? 0;
    views.set(key, { account, subject, queue, weight: weight + 1 });
  }
  return lines([...views.values()]);
}

function lines(interest: readonly InterestView[]): string[] {
  return interest.map(({ account, subject, queue, weight }) =>
    `${account} ${queue === null ? subject : `${subject} ${queue} x${weight}`}`
  ).sort();
}
