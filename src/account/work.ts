/**
 * What commands cost, so that no client takes more than its turn.
 *
 * The unit is a byte delivered, or what takes as long: about 2 ns.
 *
 * @module
 */

/** A delivery beyond its payload. */
const DELIVERY = 64;
/** A subscription that a message was offered to, or a step of the search for them. */
const OFFER = 32;
/** A SUB, an UNSUB, a CONNECT, an INFO or a refusal. */
const COMMAND = 4096;
/** A byte of JSON that is read, or of a subject that is quoted. */
const TEXT = 16;

/** A message of `size` bytes that was delivered to `count` subscriptions and offered to `offers`. */
export function publishWork(count: number, size: number, offers: number): number {
  return count * (size + DELIVERY) + offers * OFFER;
}

/** Any other command; `textLength` is how much text had to be gone through. */
export function commandWork(textLength = 0): number {
  return COMMAND + textLength * TEXT;
}
