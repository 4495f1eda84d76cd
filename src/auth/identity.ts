/**
 * Who this server is: the key pairs behind its id.
 *
 * @module
 */
import type { Random } from "../platform/mod.ts";
import { encodeNkey } from "../protocol/mod.ts";

/** A server's names and the private keys they stand for, new at every start. */
export interface ServerIdentity {
  /** `server_id` of INFO: the public signing key, 56 characters `N...`. */
  readonly id: string;
  /** `xkey` of INFO: the public curve key, 56 characters `X...`. */
  readonly xkey: string;
  /** The private Ed25519 key of {@linkcode id}; signs by `crypto.subtle.sign`. */
  readonly signingKey: CryptoKey;
  /** The private X25519 key of {@linkcode xkey}; agrees on secrets by `crypto.subtle.deriveBits`. */
  readonly curveKey: CryptoKey;
}

/** Makes a server identity of 64 random bytes: the same bytes make the same identity. */
export async function createServerIdentity(random: Random): Promise<ServerIdentity> {
  const [signing, curve] = await Promise.all([
    keyPair("Ed25519", random.bytes(32)),
    keyPair("X25519", random.bytes(32)),
  ]);
  return {
    id: encodeNkey("server", signing.publicKey),
    xkey: encodeNkey("curve", curve.publicKey),
    signingKey: signing.privateKey,
    curveKey: curve.privateKey,
  };
}

/** The public key, `U...`, of a user that nobody can sign as: its private half is thrown away. */
export async function createUserKey(random: Random): Promise<string> {
  return encodeNkey("user", (await keyPair("Ed25519", random.bytes(32))).publicKey);
}

interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: CryptoKey;
}

/** Last byte of the object identifier 1.3.101.x (RFC 8410) and what the private key is for. */
const algorithms = {
  Ed25519: { oid: 0x70, usage: "sign" },
  X25519: { oid: 0x6e, usage: "deriveBits" },
} as const;

/**
 * The key pair of a 32-byte seed. WebCrypto reads a bare seed only in its PKCS #8 wrapping (RFC 8410,
 * section 7), and tells the public half only in the JSON form of the key.
 */
async function keyPair(name: keyof typeof algorithms, seed: Uint8Array): Promise<KeyPair> {
  const { oid, usage } = algorithms[name];
  // deno-fmt-ignore
  const pkcs8 = Uint8Array.of(
    0x30, 0x2e,                               // SEQUENCE
    0x02, 0x01, 0x00,                         //   version 0
    0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, oid,  //   algorithm
    0x04, 0x22, 0x04, 0x20, ...seed,          //   the seed, an octet string in an octet string
  );
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, { name }, true, [usage]);
  const { x } = await crypto.subtle.exportKey("jwk", privateKey);
  return { publicKey: Uint8Array.fromBase64(x!, { alphabet: "base64url" }), privateKey };
}
