/**
 * Several members of one cluster, started and stopped together.
 *
 * @module
 */
import type { MemberOptions, MemberPlan, ServerKind } from "./cluster_config.ts";
import { ClusterServer, planMember } from "./cluster_server.ts";
import { Side } from "./cluster_side.ts";

/** A member to be: what it is, which others it dials by their place in the list, and the rest. */
export interface MemberSpec extends Omit<MemberOptions, "routes"> {
  /** What it is. */
  readonly kind: ServerKind;
  /** Places of the members that it dials. */
  readonly dials: readonly number[];
}

/** Members with their clients; disposing it stops them. */
export interface ClusterGroup extends AsyncDisposable {
  /** In the order of their specs. */
  readonly sides: readonly Side[];
  /** The ends of all logs, for errors. */
  readonly report: string;
}

/** Starts members one after the other, in the order of `specs`. They are named A, B, C... */
export async function startGroup(specs: readonly MemberSpec[]): Promise<ClusterGroup> {
  await using stack = new AsyncDisposableStack();
  const plans = specs.map(({ kind }, index) => planMember(kind, String.fromCharCode(65 + index)));
  const sides: Side[] = [];
  for (const [index, { kind: _, dials, ...options }] of specs.entries()) {
    const routes: MemberPlan[] = dials.map((place) => plans[place]!);
    const server = stack.use(await ClusterServer.start(plans[index]!, { ...options, routes }));
    sides.push(stack.use(await Side.connect(server)));
  }
  const owned = stack.move();
  return {
    sides,
    get report() {
      return sides.map((side) => side.server.report).join("\n");
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
