import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromPublic } from "@nats-io/nkeys";
import { createServerIdentity, type ServerIdentity } from "../../src/auth/mod.ts";
import { encodeNkey } from "../../src/protocol/mod.ts";
import type { Random } from "../../src/platform/mod.ts";

/** Hands out the bytes 0, 1, 2, ... from `next` on. */
function counting(next = 0): Random {
  return {
    next: () => 0,
    below: () => 0,
    bytes: (length) => Uint8Array.from({ length }, () => next++ & 0xff),
  };
}

Deno.test("an nkey is written as nats-server writes it", () => {
  // Made by github.com/nats-io/nkeys from the same 32 bytes, 0 to 31.
  const key = counting().bytes(32);
  assertEquals(
    encodeNkey("server", key),
    "NAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB6CRG",
  );
  assertEquals(
    encodeNkey("curve", key),
    "XAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB7QO7",
  );
  assertThrows(() => encodeNkey("server", new Uint8Array(31)), RangeError, "not 31");
});

Deno.test("a server identity is the two public keys of its random bytes", async () => {
  // Made by github.com/nats-io/nkeys from the same seeds, 0 to 31 and 32 to 63.
  const identity = await createServerIdentity(counting());
  assertEquals(identity.id, "NAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RSWB");
  assertEquals(identity.xkey, "XA2YA4WWGZMIBUNO5IZJVX4REE4DQUPNEGRI4O3V5FS5BUWNCZRFI2LE");
  const other = await createServerIdentity(counting(1));
  assert(other.id !== identity.id && other.xkey !== identity.xkey);
});

Deno.test("what the server signs is verified by its id", async () => {
  const identity = await createServerIdentity(counting());
  const data = new TextEncoder().encode("aDQ2yeLVfPQGYDU");
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", identity.signingKey, data));
  assert(fromPublic(identity.id).verify(data, signature));
  assert(!fromPublic(identity.id).verify(counting().bytes(15), signature));
});

Deno.test("two servers agree on a secret by their curve keys", async () => {
  const [one, other] = await Promise.all([
    createServerIdentity(counting(0)),
    createServerIdentity(counting(100)),
  ]);
  const agree = async (mine: ServerIdentity, theirs: ServerIdentity) => {
    const jwk = await crypto.subtle.exportKey("jwk", theirs.curveKey);
    const key = { kty: "OKP", crv: "X25519", x: jwk.x! };
    const algorithm = { name: "X25519" };
    const theirPublicKey = await crypto.subtle.importKey("jwk", key, algorithm, true, []);
    const algorithmWithKey = { name: "X25519", public: theirPublicKey };
    return new Uint8Array(await crypto.subtle.deriveBits(algorithmWithKey, mine.curveKey, 256));
  };
  assertEquals(await agree(one, other), await agree(other, one));
});
