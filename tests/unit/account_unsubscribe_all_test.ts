import { assertEquals, assertGreater, assertLess } from "@std/assert";
import type { Clock } from "../../src/platform/mod.ts";
import { VirtualClock } from "../../src/platform/mod.ts";
import { type ClientMessage, ClientParser, Slab } from "../../src/protocol/mod.ts";
import { CommandRecorder } from "../support/command_recorder.ts";
import { AccountMember, MemoryAccount } from "../support/memory_account.ts";
import { toBytes } from "../support/wire_text.ts";

/** A clock for which every look takes a while; sleepers wait until the test lets them go. */
class SlowClock implements Clock {
  /** Those who sleep. */
  sleepers: (() => void)[] = [];
  #nowMs = 0;

  now(): number {
    return this.#nowMs;
  }
  monotonic(): number {
    return this.#nowMs += 4;
  }
  setTimer(): never {
    throw new Error("not needed");
  }
  sleep(): Promise<void> {
    return new Promise((resolve) => this.sleepers.push(resolve));
  }
  yield(): Promise<void> {
    return this.sleep();
  }
}

const settle = () => new VirtualClock().settle();
const COUNT = 10_000;

function crowd() {
  const clock = new SlowClock(), memory = new MemoryAccount(clock);
  const leaving = new AccountMember(), staying = new AccountMember();
  for (let i = 0; i < COUNT; i++) {
    memory.account.subscribe(leaving.subscriber, `s.${i}`, i % 2 === 0 ? null : "q", `${i}`);
  }
  memory.account.subscribe(leaving.subscriber, "s.>", null, "all");
  memory.account.subscribe(staying.subscriber, "s.*", null, "1");
  return { clock, memory, leaving, staying };
}

Deno.test("many subscriptions end in slices, between which others have their turn", async () => {
  const { clock, memory, leaving } = crowd();
  let ended = false;
  void memory.account.unsubscribeAll(leaving.subscriber).then(() => ended = true);
  let slices = 0, before = memory.account.interest.count;
  assertLess(before, COUNT + 2, "the first slice is done at once");
  for (;; slices++) {
    await settle();
    const sleeper = clock.sleepers.shift();
    if (sleeper === undefined) break;
    sleeper();
    await settle();
    assertLess(memory.account.interest.count, before, "each slice gets on");
    assertLess(before - memory.account.interest.count, COUNT / 3, "and is not the whole");
    before = memory.account.interest.count;
  }
  assertEquals(ended, true);
  assertGreater(slices, 3);
  assertEquals(memory.account.interest.count, 1, "the others' subscriptions stay");
});

Deno.test("from the first moment on nothing is delivered to them, and everything to the others", async () => {
  const { clock, memory, leaving, staying } = crowd();
  // It is not told to be closed: a second CONNECT does the same to one that stays.
  const ended = memory.account.unsubscribeAll(leaving.subscriber);
  assertEquals(leaving.subscriber.subscriptionCount, 0);
  let published = 0;
  for (let subject = 0; clock.sleepers.length > 0; subject += 1237) {
    const counts = await memory.publish(`PUB s.${subject % COUNT} 0\r\n\r\n`);
    assertEquals(counts, [1]);
    published++;
    clock.sleepers.shift()!();
    await settle();
  }
  await ended;
  assertGreater(published, 3);
  assertEquals(leaving.take(), "");
  assertEquals(staying.take().split("MSG ").length - 1, published);
});

Deno.test("who lost everything may subscribe anew with the same sids, also in the meantime", async () => {
  const { clock, memory, leaving, staying } = crowd();
  const ended = memory.account.unsubscribeAll(leaving.subscriber);
  memory.account.subscribe(leaving.subscriber, "s.0", null, "0");
  assertEquals(await memory.publish("PUB s.0 0\r\n\r\n"), [2]);
  for (; clock.sleepers.length > 0; await settle()) clock.sleepers.shift()!();
  await ended;
  assertEquals(await memory.publish("PUB s.0 0\r\n\r\n"), [2]);
  assertEquals(leaving.take(), "MSG s.0 0 0\r\n\r\n".repeat(2));
  assertEquals(staying.take(), "MSG s.0 1 0\r\n\r\n".repeat(2));
  assertEquals(memory.account.interest.count, 2);
});

Deno.test("ending all of none is done at once", async () => {
  const { account } = new MemoryAccount();
  await account.unsubscribeAll(new AccountMember().subscriber);
  assertEquals(account.interest.count, 0);
});

Deno.test("many who leave at once share their slices, however little each has", async () => {
  const clock = new SlowClock(), memory = new MemoryAccount(clock);
  const leaving = Array.from({ length: 100 }, () => new AccountMember());
  for (const [m, { subscriber }] of leaving.entries()) {
    for (let i = 0; i < 100; i++) memory.account.subscribe(subscriber, `s.${m}.${i}`, null, `${i}`);
  }
  const ended = Promise.all(
    leaving.map(({ subscriber }) => memory.account.unsubscribeAll(subscriber)),
  );
  let slices = 0;
  for (;; slices++) {
    const before = memory.account.interest.count;
    await settle();
    assertLess(before - memory.account.interest.count, COUNT / 3);
    const sleeper = clock.sleepers.shift();
    if (sleeper === undefined) break;
    sleeper();
  }
  await ended;
  assertGreater(slices, 3);
  assertEquals(memory.account.interest.count, 0);
});

Deno.test("many who leave at once with many subscriptions each go one after another", async () => {
  const clock = new SlowClock(), memory = new MemoryAccount(clock);
  const members = Array.from({ length: 5 }, () => new AccountMember());
  for (const [index, { subscriber }] of members.entries()) {
    for (let i = 0; i < COUNT; i++) {
      memory.account.subscribe(subscriber, `s.${index}.${i}`, null, `${i}`);
    }
  }
  let left = members.length;
  for (const { subscriber } of members) {
    void memory.account.unsubscribeAll(subscriber).then(() => left--);
  }
  for (await settle(); left > 0; await settle()) {
    // Otherwise their slices would add up to a long time in which nobody else has a turn.
    assertEquals(clock.sleepers.length, 1);
    clock.sleepers.shift()!();
  }
  assertEquals(memory.account.interest.count, 0);
});

Deno.test("a 503 is not addressed to a subscription that is about to be removed", async () => {
  const { clock, memory, leaving } = crowd();
  const { account } = memory, { subscriber } = leaving;
  account.subscribe(subscriber, "reply", null, "old");
  class Requests extends CommandRecorder {
    override publish(message: ClientMessage): void {
      account.answerNoResponders(message, subscriber);
    }
  }
  const request = async () => {
    const parser = new ClientParser(new Requests(), { maxControlLine: 4096, maxPayload: 1000 });
    parser.state = "authenticated";
    const slab = Slab.of(toBytes("PUB nobody reply 0\r\n\r\n"));
    parser.parse(slab, 0, slab.capacity);
    // Somebody's message flushes what there is.
    await memory.publish("PUB nobody 0\r\n\r\n");
    return leaving.take().slice(0, "HMSG reply old".length);
  };
  assertEquals(await request(), "HMSG reply old");
  const ended = account.unsubscribeAll(subscriber);
  assertGreater(account.interest.count, 1, "it is still there");
  assertEquals(await request(), "");
  account.subscribe(subscriber, "reply", null, "new");
  assertEquals(await request(), "HMSG reply new");
  for (; clock.sleepers.length > 0; await settle()) clock.sleepers.shift()!();
  await ended;
});
