/**
 * Two connections for one place.
 *
 * @module
 */

/** What is known of the two. */
export interface Contestants {
  /** How long the one that has the place has had it, in milliseconds. */
  readonly holderAgeMs: number;
  /** Whether this side has dialled that one. */
  readonly holderDialled: boolean;
  /** Whether this side has dialled the new one. */
  readonly dialled: boolean;
  /** Whether the peer judges by the same rules. */
  readonly bothDenats: boolean;
  /** Whether this server's id is less than the peer's. */
  readonly ownIdIsLess: boolean;
  /** Whether the new one may be left undecided for a while. */
  readonly canWait: boolean;
}

/**
 * The new one is closed; it takes the place; it waits whether the peer closes the other one; or it
 * waits whether the peer still answers on the other one, and takes the place when it does not.
 */
export type Contest = "keep" | "replace" | "wait" | "challenge";

/** How old a connection must be not to be part of a race. */
const SETTLED_MS = 2000;

/**
 * Which one stays.
 *
 * A peer that dials for a place that has been taken for long has lost the old connection, and this side
 * does not know yet; or it only says that it is that peer. Otherwise both have dialled at the same time, and must come to the same answer, or
 * both connections are lost: two denats keep what the one with the lesser id has dialled. nats-server
 * keeps what it has registered first, and closes the other: that is waited for.
 */
export function judge(of: Contestants): Contest {
  if (of.holderAgeMs >= SETTLED_MS) return of.dialled || !of.canWait ? "keep" : "challenge";
  if (of.holderDialled === of.dialled) return "keep";
  if (of.bothDenats) return of.dialled === of.ownIdIsLess ? "replace" : "keep";
  return of.canWait ? "wait" : "keep";
}
