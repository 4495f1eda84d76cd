/**
 * Signatures by Ed25519 keys that are known by their nkeys.
 *
 * @module
 */
import { decodeNkey } from "../protocol/mod.ts";

/** Bytes of an Ed25519 signature. */
const SIGNATURE_BYTES = 64;

const encoder = new TextEncoder();

/** Whether `signature` was made of `data` by the key whose public half `publicKey` is; false for no key. */
export async function isSignedBy(
  publicKey: string,
  data: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const nkey = decodeNkey(publicKey);
  if (nkey === null || nkey.kind === "curve" || signature.length !== SIGNATURE_BYTES) return false;
  const algorithm = { name: "Ed25519" };
  const key = await crypto.subtle.importKey("raw", nkey.key, algorithm, false, ["verify"]);
  return await crypto.subtle.verify(algorithm, key, signature, data);
}

/**
 * Whether a client has signed the nonce it was sent: the text as it was in INFO. Its signature is written
 * as `sig` of CONNECT, in base64url without padding or in standard base64.
 */
export async function isNonceSigned(
  publicKey: string,
  nonce: string,
  sig: string,
): Promise<boolean> {
  const signature = decodeSignature(sig);
  return signature !== null && await isSignedBy(publicKey, encoder.encode(nonce), signature);
}

/** The bytes of a signature's text; null when it is none. */
function decodeSignature(text: string): Uint8Array<ArrayBuffer> | null {
  // 64 bytes; decoding alone would skip white space and not ask for the right padding.
  const alphabet = /^[\w-]{86}$/.test(text)
    ? "base64url"
    : /^[A-Za-z0-9+/]{86}==$/.test(text)
    ? "base64"
    : null;
  return alphabet === null ? null : Uint8Array.fromBase64(text, { alphabet });
}
