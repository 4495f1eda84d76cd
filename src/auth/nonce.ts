/**
 * What clients are given to sign.
 *
 * @module
 */
import type { Random } from "../platform/mod.ts";

/** As many as nats-server takes. */
const NONCE_BYTES = 11;

/** The `nonce` of an INFO: 15 characters, another one for every connection. */
export function createNonce(random: Random): string {
  return random.bytes(NONCE_BYTES).toBase64({ alphabet: "base64url", omitPadding: true });
}
