/**
 * Which other servers a message goes to, and who is asked in each queue group.
 *
 * @module
 */
import { type Match, MatchedGroup, type Members } from "../interest/mod.ts";
import type { RemoteInterest, RemoteSubscriber } from "./remote_subscriber.ts";
import type { Subscription } from "./subscription.ts";

/** A queue group over the whole cluster, as the messages of one subject see it. */
export interface ClusterGroup {
  /** Its name. */
  readonly name: string;
  /** Its members here, or null. */
  readonly local: Members<Subscription> | null;
  /** Those of other servers. */
  readonly remote: readonly RemoteInterest[];
  /** Those on leaf nodes of other servers. */
  readonly leaf: readonly RemoteInterest[];
}

/** Where the messages of one subject go. */
export interface RoutePlan {
  /** The local match that it was made with. */
  readonly local: Match<Subscription>;
  /** The connections with plain interest, each once. */
  readonly routes: readonly RemoteSubscriber[];
  /** Every queue group with members anywhere. */
  readonly groups: readonly ClusterGroup[];
}

/**
 * The plan of two matches of one subject. It is kept with the remote one, and made anew when either has
 * changed.
 */
export function routePlan(
  local: Match<Subscription>,
  remote: Match<RemoteInterest>,
): RoutePlan {
  const kept = remote.attached as RoutePlan | null;
  if (kept !== null && kept.local === local) return kept;
  const plan = createPlan(local, remote);
  remote.attached = plan;
  return plan;
}

function createPlan(local: Match<Subscription>, remote: Match<RemoteInterest>): RoutePlan {
  const plain = remote.plain;
  const routes = plain.length === 1
    ? [plain[0]!.remote]
    : [...new Set(plain.map((interest) => interest.remote))];
  const groups = new Map<string, {
    name: string;
    local: Members<Subscription> | null;
    remote: RemoteInterest[];
    leaf: RemoteInterest[];
  }>();
  for (const group of local.groups) {
    const name = nameOf(group);
    groups.set(name, { name, local: group, remote: [], leaf: [] });
  }
  for (const group of remote.groups) {
    const name = nameOf(group);
    let entry = groups.get(name);
    if (entry === undefined) groups.set(name, entry = { name, local: null, remote: [], leaf: [] });
    for (const member of membersOf(group)) (member.leaf ? entry.leaf : entry.remote).push(member);
  }
  return { local, routes, groups: [...groups.values()] };
}

/** The name of a queue group of a match. */
export function nameOf<T extends { readonly queue: string | null }>(group: Members<T>): string {
  return group instanceof MatchedGroup ? group.name : group.queue as string;
}

function membersOf(group: Members<RemoteInterest>): readonly RemoteInterest[] {
  // Large groups change in place: whoever keeps their members needs a copy.
  return group instanceof MatchedGroup ? group.parts.flat() : [group];
}

/** How many members all of these have together. Those of closed connections do not count. */
export function weightOf(members: readonly RemoteInterest[]): number {
  let weight = 0;
  for (let i = 0; i < members.length; i++) {
    if (members[i]!.remote.open) weight += members[i]!.weight;
  }
  return weight;
}

/** The server with member `at`, from 0 to {@link weightOf}, counting as that does. */
export function memberAt(members: readonly RemoteInterest[], at: number): RemoteInterest | null {
  for (let i = 0; i < members.length; i++) {
    const member = members[i]!;
    if (!member.remote.open) continue;
    if (at < member.weight) return member;
    at -= member.weight;
  }
  return null;
}

/** How many local members a group has. */
export function localCount(group: Members<Subscription> | null): number {
  if (group === null) return 0;
  return group instanceof MatchedGroup ? group.count : 1;
}
