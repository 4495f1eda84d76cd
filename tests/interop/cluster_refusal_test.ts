/** Servers that must not form a cluster: what each says, and that nothing passes between them. */
import { createInbox } from "@nats-io/transport-node";
import { assertEquals } from "@std/assert";
import type { MemberOptions, ServerKind } from "../support/cluster_config.ts";
import { available, ClusterServer, DENATS, planMember } from "../support/cluster_server.ts";
import { freshSubject, Side } from "../support/cluster_side.ts";
import { Received } from "../support/nats_client.ts";

/** Two that do not fit. */
interface Misfit {
  readonly what: string;
  readonly acceptor: ServerKind;
  readonly dialer: ServerKind;
  readonly acceptorOptions: MemberOptions;
  readonly dialerOptions: MemberOptions;
  /** What each must have logged. */
  readonly acceptorLog: RegExp;
  readonly dialerLog: RegExp;
}

/** Both directions between denats and a line of nats-server. */
function bothDirections(line: ServerKind): readonly (readonly [ServerKind, ServerKind])[] {
  return [[DENATS, line], [line, DENATS]];
}

const LINES: readonly ServerKind[] = ["2.15", "2.10", "2.9"];

const MISFITS: readonly Misfit[] = [
  ...bothDirections("2.10").map(([acceptor, dialer]): Misfit => ({
    what: "other pool size",
    acceptor,
    dialer,
    acceptorOptions: { poolSize: 3 },
    dialerOptions: { poolSize: 1 },
    // Whoever objects names its own size first.
    acceptorLog: /Mismatch route pool size: (3 vs 1|1 vs 3)/,
    dialerLog: /Mismatch route pool size: (3 vs 1|1 vs 3)/,
  })),
  ...LINES.flatMap(bothDirections).map(([acceptor, dialer]): Misfit => ({
    what: "other cluster name",
    acceptor,
    dialer,
    acceptorOptions: { clusterName: "one" },
    dialerOptions: { clusterName: "two" },
    acceptorLog: /Rejecting connection, cluster name "two" does not match "one"/,
    // Whether the dialer finds out by itself or is told first is a matter of luck.
    dialerLog: /Cluster Name Conflict|cluster name "\w+" does not match "\w+"/,
  })),
  ...LINES.flatMap(bothDirections).map(([acceptor, dialer]): Misfit => ({
    what: "wrong password",
    acceptor,
    dialer,
    acceptorOptions: { password: "right" },
    dialerOptions: { password: "right", dialPassword: "wrong" },
    acceptorLog: /authentication error/i,
    dialerLog: /Authorization Violation/,
  })),
];

for (const misfit of MISFITS) {
  const { acceptor, dialer, acceptorLog, dialerLog } = misfit;
  Deno.test({
    name: `cluster: ${acceptor} refuses ${dialer}, ${misfit.what}`,
    ignore: !await available([acceptor, dialer]),
    fn: async () => {
      const plans = {
        acceptor: planMember(acceptor, "acceptor"),
        dialer: planMember(dialer, "dialer"),
      };
      await using accepting = await ClusterServer.start(plans.acceptor, misfit.acceptorOptions);
      await using dialing = await ClusterServer.start(plans.dialer, {
        ...misfit.dialerOptions,
        routes: [plans.acceptor],
      });
      await accepting.logged(acceptorLog);
      await dialing.logged(dialerLog);
      await using left = await Side.connect(accepting);
      await using right = await Side.connect(dialing);
      await unrelated(left, right);
      await unrelated(right, left);
    },
  });
}

/** One knows nothing of what clients of the other want: a request is answered at once with 503. */
async function unrelated(from: Side, to: Side): Promise<void> {
  const subject = freshSubject("refused"), inbox = createInbox();
  using never = new Received(to.client(), subject);
  using answers = new Received(from.client(), inbox);
  await to.client().flush();
  from.client().publish(subject, "request", { reply: inbox });
  await answers.count(1);
  assertEquals(answers.messages[0]!.headers?.code, 503);
  assertEquals(never.messages.length, 0);
}
