import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { GuessLimiter, type GuessLimiterOptions, Refusal } from "../../src/auth/mod.ts";
import { SystemRandom } from "../../src/platform/system_random.ts";
import { VirtualClock } from "../../src/platform/virtual_clock.ts";
import { authenticatorOf, decided, HASH, outcome, peerWith } from "../support/identities.ts";

const HERE = "192.0.2.1", THERE = "192.0.2.2";

function setup(options: Partial<GuessLimiterOptions> = {}) {
  const clock = new VirtualClock();
  const limiter = new GuessLimiter({ clock, random: new SystemRandom(), ...options });
  /** Whether a secret was looked at; the right one is "right". */
  const guess = (address: string, user: string, secret: string): boolean => {
    const guess = limiter.begin(address, user, secret);
    if (secret === "right") guess?.right();
    else guess?.wrong();
    return guess !== null;
  };
  const guesses = (address: string, user: string, count: number, from = 0) =>
    Array.from({ length: count }, (_, i) => guess(address, user, `wrong ${from + i}`))
      .filter(Boolean).length;
  return { clock, limiter, guess, guesses };
}

Deno.test("after ten different secrets, each wait is twice as long as the one before", async () => {
  const { clock, guess, guesses } = setup();
  assertEquals(guesses(HERE, "u", 50), 11);
  for (const [i, waitS] of [1, 2, 4, 8, 16, 32, 60, 60].entries()) {
    await clock.advance(waitS * 1000 - 1);
    assertEquals(guess(HERE, "u", `late ${i}`), false, `after less than ${waitS} s`);
    assertEquals(guess(HERE, "u", "right"), false, "the right one is not looked at either");
    await clock.advance(1);
    assertEquals(guess(HERE, "u", `late ${i}`), true, `after ${waitS} s`);
  }
});

Deno.test("the right secret ends the waiting, and ten minutes of quiet do", async () => {
  const { clock, guess, guesses } = setup();
  assertEquals(guesses(HERE, "u", 11), 11);
  await clock.advance(1000);
  assert(guess(HERE, "u", "right"));
  assertEquals(guesses(HERE, "u", 50), 11);
  await clock.advance(600_001);
  assertEquals(guesses(HERE, "u", 50), 11);
});

Deno.test("other users and other addresses do not wait", () => {
  const { guess, guesses } = setup();
  guesses(HERE, "u", 50);
  assertEquals(guess(HERE, "u", "right"), false);
  assert(guess(THERE, "u", "right"));
  assert(guess(HERE, "v", "right"));
  assert(guess(HERE, "", "right"));
});

Deno.test("an address that tries many users waits, but for those it is known to have", async () => {
  const { clock, guess, guesses } = setup();
  assert(guess(HERE, "known", "right"));
  for (let i = 0; i < 101; i++) assertEquals(guesses(HERE, `user ${i}`, 1), 1);
  assertEquals(guess(HERE, "new", "right"), false);
  assert(guess(HERE, "known", "right"));
  assert(guess(THERE, "new", "right"));
  await clock.advance(1000);
  assert(guess(HERE, "new", "right"));
});

Deno.test("one outdated password that is tried for ever guesses nothing", async () => {
  const { clock, guess } = setup();
  for (let i = 0; i < 1000; i++) {
    assert(guess(HERE, "u", "outdated"));
    if (i % 10 === 0) await clock.advance(1000);
  }
  assert(guess(HERE, "u", "right"));
});

Deno.test("a storm of clients with right passwords is not slowed", () => {
  const { limiter, guess } = setup();
  const open = Array.from({ length: 20_000 }, (_, i) => limiter.begin(HERE, `user ${i}`, "right"));
  assertEquals(open.filter((guess) => guess === null), []);
  for (const guess of open) guess!.right();
  const same = Array.from({ length: 20_000 }, () => limiter.begin(HERE, "u", "right"));
  assertEquals(same.filter((guess) => guess === null), []);
  assert(guess(HERE, "v", "right"));
});

Deno.test("secrets count while they are being looked at, and no more if nothing came of it", () => {
  const { limiter } = setup();
  const open = Array.from({ length: 50 }, (_, i) => limiter.begin(HERE, "u", `wrong ${i}`));
  assertEquals(open.filter((guess) => guess !== null).length, 11);
  const other = setup();
  for (let i = 0; i < 50; i++) other.limiter.begin(HERE, "u", `secret ${i}`)!.open();
  assert(other.guess(HERE, "u", "right"));
});

Deno.test("neighbours in an IPv6 network are one, a client within the process is nobody's", () => {
  const { guess, guesses } = setup();
  guesses("2001:db8:0:1::1", "u", 50);
  for (const near of ["2001:db8:0:1::2", "2001:0db8:0000:0001:ffff::", "2001:DB8:0:1:2:3:4:5"]) {
    assertEquals(guess(near, "u", "right"), false, near);
  }
  for (const far of ["2001:db8:0:2::1", "2001:db8::1", "::1"]) {
    assert(guess(far, "u", "right"), far);
  }
  guesses(HERE, "u", 50);
  assertEquals(guess(`::ffff:${HERE}`, "u", "right"), false);
  assertEquals(guesses("memory", "u", 500), 500);
});

Deno.test("what is remembered is bounded: the least recently seen makes room", () => {
  const { guess, guesses } = setup({ entriesMax: 100 });
  guesses(HERE, "u", 50);
  for (let i = 0; i < 100; i++) guess(`198.51.100.${i}`, "v", "right");
  assert(guess(HERE, "u", "right"));
});

Deno.test("no order of guesses gets more looked at than the rules say", async () => {
  const step = fc.oneof(
    fc.record({ secret: fc.nat(1000) }),
    fc.record({ waitMs: fc.nat(5000) }),
  );
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
    const { clock, limiter } = setup();
    const seen = new Set<number>();
    for (const step of steps) {
      if ("waitMs" in step) await clock.advance(step.waitMs);
      else {
        const guess = limiter.begin(HERE, "u", String(step.secret));
        if (guess === null) continue;
        guess.wrong();
        seen.add(step.secret);
      }
    }
    // Ten are free, and the waits of 1, 2, 4, ... s fit into the time that went by.
    const waitable = Math.floor(Math.log2(clock.monotonic() / 1000 + 1));
    assert(seen.size <= 11 + waitable, `${seen.size} in ${clock.monotonic()} ms`);
  }));
});

Deno.test("whoever guesses is told to come later, whether the user exists or not", async () => {
  const clock = new VirtualClock();
  const limiter = new GuessLimiter({ clock, random: new SystemRandom() });
  const users = [{ user: "plain", password: "pw" }, { user: "hash", password: HASH }];
  const { authenticator, verifier } = authenticatorOf({ users }, { limiter });
  for (const user of ["plain", "hash", "nobody"]) {
    for (let i = 0; i < 11; i++) {
      const reason = await decided(authenticator, { user, pass: `wrong ${i}` });
      assertEquals(reason, user === "nobody" ? "there is no such user" : "the password is wrong");
    }
    const asked = verifier.asked.length;
    const refusal = authenticator.authenticate({ user, pass: "pw" }, peerWith());
    assert(refusal instanceof Refusal);
    assertEquals(refusal.reason, "too many different passwords were tried from this address");
    assertEquals(refusal.text, "Authentication Timeout");
    assertEquals(verifier.asked.length, asked);
  }
  const elsewhere = await authenticator.authenticate(
    { user: "hash", pass: "pw" },
    peerWith({ hostname: THERE }),
  );
  assertNotEquals(typeof outcome(elsewhere), "string");
  authenticator.update({ users });
  assertNotEquals(typeof await decided(authenticator, { user: "hash", pass: "pw" }), "string");
});
