/**
 * Messages sealed for the owner of a curve key by the owner of another: `xkv1`, a nonce of 24 bytes, and the
 * box of NaCl (X25519, XSalsa20 and Poly1305), as nkeys' `Seal` and `Open` have them.
 *
 * @module
 */
import nacl from "tweetnacl";
import type { Random } from "../platform/mod.ts";
import { decodeNkey } from "../protocol/mod.ts";
import type { ServerIdentity } from "./identity.ts";

const MAGIC = new TextEncoder().encode("xkv1");
const NONCE_BYTES = 24;
const HEAD_BYTES = MAGIC.length + NONCE_BYTES;

/** How many keys of others are remembered together with the secret that is shared with them. */
const PEERS_MAX = 64;

/** Seals and opens messages between this server and others. */
export class SealedBox {
  readonly #identity: Pick<ServerIdentity, "curveKey">;
  readonly #random: Random;
  /** By public key. Finding one takes milliseconds, to use it hardly any time. */
  readonly #shared = new Map<string, Promise<Uint8Array>>();

  /** `identity` has the private key of this side. */
  constructor(identity: Pick<ServerIdentity, "curveKey">, random: Random) {
    this.#identity = identity;
    this.#random = random;
  }

  /**
   * `message`, to be read only by the owner of `recipient` and by this server.
   *
   * @throws {RangeError} when `recipient` is no curve key.
   */
  async seal(message: Uint8Array, recipient: string): Promise<Uint8Array<ArrayBuffer>> {
    const key = await this.#sharedWith(recipient);
    const nonce = this.#random.bytes(NONCE_BYTES);
    const box = nacl.secretbox(message, nonce, key);
    const sealed = new Uint8Array(HEAD_BYTES + box.length);
    sealed.set(MAGIC);
    sealed.set(nonce, MAGIC.length);
    sealed.set(box, HEAD_BYTES);
    return sealed;
  }

  /**
   * What `sender` has sealed for this server; null when it has not.
   *
   * @throws {RangeError} when `sender` is no curve key.
   */
  async open(sealed: Uint8Array, sender: string): Promise<Uint8Array | null> {
    if (sealed.length < HEAD_BYTES || MAGIC.some((byte, i) => sealed[i] !== byte)) return null;
    const key = await this.#sharedWith(sender);
    const nonce = sealed.subarray(MAGIC.length, HEAD_BYTES);
    return nacl.secretbox.open(sealed.subarray(HEAD_BYTES), nonce, key);
  }

  #sharedWith(peer: string): Promise<Uint8Array> {
    const known = this.#shared.get(peer);
    if (known !== undefined) return known;
    const shared = this.#agree(peer);
    this.#shared.set(peer, shared);
    if (this.#shared.size > PEERS_MAX) {
      for (const oldest of this.#shared.keys()) {
        this.#shared.delete(oldest);
        break;
      }
    }
    return shared;
  }

  async #agree(peer: string): Promise<Uint8Array> {
    const nkey = decodeNkey(peer);
    if (nkey === null || nkey.kind !== "curve") throw new RangeError("that is no curve key");
    const { d } = await crypto.subtle.exportKey("jwk", this.#identity.curveKey);
    return nacl.box.before(nkey.key, Uint8Array.fromBase64(d!, { alphabet: "base64url" }));
  }
}
