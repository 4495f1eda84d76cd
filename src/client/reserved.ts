/**
 * Subjects that belong to servers, and that no client may publish to.
 *
 * @module
 */

/** Replies routed through gateways, and their old form; only with something behind them. */
const ROUTED_REPLY = "_GR_.", OLD_ROUTED_REPLY = "$GR.";
const CONSENSUS = "$NRG.";
const SERVICE_REPLY = "_R_.";
/** Only with something behind it. */
const ACKNOWLEDGEMENT = "$JS.ACK.";
const UNDERSCORE = 95, DOLLAR = 36;

/** Whether clients may not publish to the subject at `start`. */
export function isReservedSubject(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start];
  if (first !== UNDERSCORE && first !== DOLLAR) return false;
  return isRoutedReply(bytes, start, end) || begins(bytes, start, end, CONSENSUS);
}

/** Whether clients may not ask for answers on the subject at `start`. */
export function isReservedReply(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start];
  if (first !== UNDERSCORE && first !== DOLLAR) return false;
  return begins(bytes, start, end, SERVICE_REPLY) || isRoutedReply(bytes, start, end) ||
    begins(bytes, start, end - 1, ACKNOWLEDGEMENT);
}

function isRoutedReply(bytes: Uint8Array, start: number, end: number): boolean {
  return begins(bytes, start, end - 1, ROUTED_REPLY) ||
    begins(bytes, start, end - 1, OLD_ROUTED_REPLY);
}

function begins(bytes: Uint8Array, start: number, end: number, prefix: string): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) {
    if (bytes[start + i] !== prefix.charCodeAt(i)) return false;
  }
  return true;
}
