import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { createCurve, createUser } from "@nats-io/nkeys";
import fc from "fast-check";
import { createServerIdentity } from "../../src/auth/mod.ts";
import { SealedBox } from "../../src/auth/sealed_box.ts";
import { SystemRandom } from "../../src/platform/system_random.ts";

const random = new SystemRandom();

async function setup() {
  const identity = await createServerIdentity(random);
  return { identity, box: new SealedBox(identity, random) };
}

Deno.test("what the server seals the official library opens, and the other way round", async () => {
  const { identity, box } = await setup();
  const curve = createCurve(), peer = curve.getPublicKey();
  for (const length of [0, 1, 15, 16, 17, 1000, 100_000]) {
    const message = random.bytes(length);
    const sealed = await box.seal(message, peer);
    assertEquals(curve.open(sealed, identity.xkey), message);
    assertNotEquals(await box.seal(message, peer), sealed, "no nonce is used twice");
    assertEquals(await box.open(curve.seal(message, identity.xkey), peer), message);
  }
});

Deno.test("what is damaged, short or from somebody else is not opened", async () => {
  const { identity, box } = await setup();
  const curve = createCurve(), peer = curve.getPublicKey();
  const sealed = curve.seal(random.bytes(40), identity.xkey);
  await fc.assert(fc.asyncProperty(
    fc.nat(sealed.length - 1),
    fc.integer({ min: 1, max: 255 }),
    async (at, change) => {
      const damaged = sealed.slice();
      damaged[at] = damaged[at]! ^ change;
      assertEquals(await box.open(damaged, peer), null);
      assertEquals(await box.open(sealed.subarray(0, at), peer), null);
    },
  ));
  assertEquals(await box.open(sealed, createCurve().getPublicKey()), null);
  assertEquals(await (await setup()).box.open(sealed, peer), null);
});

Deno.test("only curve keys have boxes, and however many there are, the last ones work", async () => {
  const { identity, box } = await setup();
  const user = createUser().getPublicKey();
  await assertRejects(() => box.seal(random.bytes(1), user), RangeError, "no curve key");
  await assertRejects(() => box.seal(random.bytes(1), "X"), RangeError, "no curve key");
  for (let i = 0; i < 70; i++) {
    const curve = createCurve();
    const sealed = await box.seal(Uint8Array.of(i), curve.getPublicKey());
    assert(curve.open(sealed, identity.xkey)?.[0] === i);
  }
});
