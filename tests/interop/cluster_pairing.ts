/**
 * Which pairs of servers are tested: enough of them that every two settings meet in one of them.
 *
 * @module
 */
import { SeededRandom } from "../../src/platform/mod.ts";

/** Values of each setting; the order is that of preference where nothing else decides. */
const VALUES = {
  peer: ["2.15", "2.10", "2.9", "denats"],
  dialer: ["ours", "peer", "both"],
  poolSize: [3, 1, -1],
  peerPoolSize: [3, 1, -1],
  compression: ["accept", "off", "s2_fast", "s2_auto", "s2_better", "s2_best"],
  peerCompression: ["accept", "off", "s2_fast", "s2_auto", "s2_better", "s2_best", "none"],
  pinned: [false, true],
  auth: [false, true],
} as const;

type Values = typeof VALUES;

/** Settings of two servers that form a cluster: "ours" is denats, "peer" the other one. */
export type Pairing = { readonly [Key in keyof Values]: Values[Key][number] };

/** Whether nats-server accepts a pairing, and whether its parts mean anything together. */
function possible(pairing: Pairing): boolean {
  const { peer, poolSize, peerPoolSize, peerCompression, pinned } = pairing;
  // 2.9 has neither pools nor compression, which "-1" and "none" stand for.
  if ((peer === "2.9") !== (peerCompression === "none")) return false;
  if (peer === "2.9" && peerPoolSize !== -1) return false;
  // 2.10 insists on pools of one size.
  if (peer === "2.10" && poolSize !== peerPoolSize) return false;
  // Connections dedicated to an account belong to a pool.
  return !pinned || (poolSize !== -1 && (peerPoolSize !== -1 || peer === "2.9"));
}

/** Every possible pairing. */
export function allPairings(): Pairing[] {
  let pairings: Record<string, unknown>[] = [{}];
  for (const [key, values] of Object.entries(VALUES)) {
    pairings = pairings.flatMap((one) => values.map((value) => ({ ...one, [key]: value })));
  }
  return (pairings as Pairing[]).filter(possible);
}

/**
 * Pairings in which every two values of different settings that can meet do meet. Every time one is
 * taken that brings together most of what has not met yet.
 *
 * Which of fast, better and best is chosen makes no difference to what the two sides agree on, so
 * of two compressions only the kinds have to meet, and none of them makes a difference to 2.9.
 *
 * @param seed Which of several equally good ones is taken; this one leads to few.
 */
export function pairwisePairings(seed = 17): Pairing[] {
  const random = new SeededRandom(seed);
  const all = allPairings().map((pairing) => ({ pairing, meetings: meetingsOf(pairing) }));
  const missing = new Set(all.flatMap(({ meetings }) => meetings));
  const chosen: Pairing[] = [];
  while (missing.size > 0) {
    let best: typeof all = [], bestCount = 1;
    for (const one of all) {
      const count = one.meetings.filter((meeting) => missing.has(meeting)).length;
      if (count > bestCount) [best, bestCount] = [[], count];
      if (count === bestCount) best.push(one);
    }
    const { pairing, meetings } = best[random.below(best.length)]!;
    for (const meeting of meetings) missing.delete(meeting);
    chosen.push(pairing);
  }
  return chosen;
}

/** Every two settings of a pairing with their values. */
export function meetingsOf(pairing: Pairing): string[] {
  const keys = Object.keys(VALUES) as (keyof Pairing)[];
  const meetings: string[] = [];
  for (const [index, left] of keys.entries()) {
    for (const right of keys.slice(index + 1)) {
      const kinds = pairing.peer === "2.9" || left === "compression" && right === "peerCompression";
      const name = (key: keyof Pairing) =>
        kinds ? String(pairing[key]).replace(/fast|better|best/, "level") : pairing[key];
      meetings.push(`${left} ${name(left)}, ${right} ${name(right)}`);
    }
  }
  return meetings;
}

/**
 * The pairings to test: all with the environment variable `INTEROP_FULL`, otherwise pairwise ones;
 * `INTEROP_SEED` chooses other ones of these.
 */
export function pairingsWith(peer: Pairing["peer"]): Pairing[] {
  const seed = Deno.env.get("INTEROP_SEED");
  const pairings = Deno.env.get("INTEROP_FULL")
    ? allPairings()
    : pairwisePairings(seed === undefined ? undefined : Number(seed));
  return pairings.filter((pairing) => pairing.peer === peer);
}

/** A pairing in words, for the name of a test. */
export function describe(pairing: Pairing): string {
  const { peer, dialer, poolSize, peerPoolSize, compression, peerCompression } = pairing;
  const direction = dialer === "ours" ? "→" : dialer === "peer" ? "←" : "↔";
  return [
    `denats ${direction} ${peer === "denats" ? "denats" : `nats-server ${peer}`}`,
    `pool ${poolSize}${peer === "2.9" ? "" : `/${peerPoolSize}`}`,
    `compression ${compression}${peer === "2.9" ? "" : `/${peerCompression}`}`,
    ...(pairing.pinned ? ["pinned"] : []),
    ...(pairing.auth ? ["auth"] : []),
  ].join(", ");
}
