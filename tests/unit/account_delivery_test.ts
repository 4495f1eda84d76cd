import { assertEquals, assertThrows } from "@std/assert";
import { InvalidSubjectError } from "../../src/protocol/mod.ts";
import { AccountMember, MemoryAccount } from "../support/memory_account.ts";
import { MemoryBroker } from "../support/memory_broker.ts";

Deno.test("a message is delivered to each subscription that matches, and they are counted", async () => {
  const memory = new MemoryAccount(), { account } = memory;
  const [one, two] = [new AccountMember(), new AccountMember()];
  account.subscribe(one.subscriber, "a.b", null, "1");
  account.subscribe(one.subscriber, "a.*", null, "2");
  account.subscribe(two.subscriber, "a.>", null, "x");
  account.subscribe(two.subscriber, "b", null, "y");
  assertEquals(await memory.publish("PUB a.b 2\r\nhi\r\nPUB a 0\r\n\r\nPUB b 0\r\n\r\n"), [
    3,
    0,
    1,
  ]);
  assertEquals(one.take(), "MSG a.b 1 2\r\nhi\r\nMSG a.b 2 2\r\nhi\r\n");
  assertEquals(two.take(), "MSG a.b x 2\r\nhi\r\nMSG b y 0\r\n\r\n");
  assertEquals(one.subscriber.outMessages, 2);
  assertEquals(one.subscriber.outBytes, 4);
  assertEquals(one.subscriber.subscriptionCount, 2);
});

Deno.test("a run of messages with one subject follows every change of interest in between", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  const pub = "PUB a.b 0\r\n\r\n", got = (sid: string) => `MSG a.b ${sid} 0\r\n\r\n`;
  assertEquals(
    await world.exchange(
      client,
      pub + "SUB a.b 1\r\n" + pub + pub + "SUB a.* 2\r\nUNSUB 1\r\n" + pub + "UNSUB 2\r\n" + pub +
        "SUB a.b 3\r\n" + pub,
    ),
    got("1") + got("1") + got("2") + got("3"),
  );
});

/** Ways to send a message, which the broker takes in different ways; each as the writes it is. */
const WAYS: Readonly<Record<string, (subject: string) => string[]>> = {
  "whole": (subject) => [`PUB ${subject} 1\r\nx\r\n`],
  "cut in its line": (subject) => [`PUB ${subject}`, ` 1\r\nx\r\n`],
  "cut in its payload": (subject) => [`PUB ${subject} 1\r\n`, `x\r\n`],
  "in odd spacing": (subject) => [`pub\t${subject}  1 \nx\r\n`],
};

Deno.test("subjects that follow each other and resemble each other are kept apart", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  const subjects = [
    "a",
    "aa",
    "aab",
    "aaaa",
    "aaab",
    "aaaaa",
    "aaaab",
    "b",
    "aaaaaaaa",
    "aaaaaaab",
  ];
  for (const length of [32, 33, 255, 256, 257, 258, 300, 600]) subjects.push("s".repeat(length));
  for (const [sid, subject] of subjects.entries()) {
    await world.exchange(client, `SUB ${subject} ${sid}\r\n`);
  }
  for (const first of subjects.keys()) {
    for (const second of subjects.keys()) {
      const order = [first, second, second, first];
      assertEquals(
        await world.exchange(
          client,
          order.map((index) => WAYS.whole!(subjects[index]!)).join(""),
        ),
        order.map((index) => `MSG ${subjects[index]} ${index} 1\r\nx\r\n`).join(""),
      );
    }
  }
});

for (const [name, way] of Object.entries(WAYS)) {
  Deno.test(`a message that comes ${name} does not mislead those around it`, async () => {
    await using world = await MemoryBroker.start();
    const client = await world.connect();
    await world.exchange(client, "SUB a 1\r\nSUB b 2\r\nSUB ab 3\r\n");
    const sids = new Map([["a", 1], ["b", 2], ["ab", 3]]);
    const order = ["a", "a", "b", "a", "ab", "ab", "a", "b", "b", "a", "ab"];
    for (let odd = 0; odd < order.length; odd++) {
      for (const [index, subject] of order.entries()) {
        for (const part of index % 4 === odd % 4 ? way(subject) : WAYS.whole!(subject)) {
          client.send(part);
        }
      }
      await world.settle();
      assertEquals(
        client.take(),
        order.map((subject) => `MSG ${subject} ${sids.get(subject)} 1\r\nx\r\n`).join(""),
      );
    }
  });
}

Deno.test("an invalid subject is refused, and leaves no trace", () => {
  const { account } = new MemoryAccount(), member = new AccountMember();
  const subscribe = () => account.subscribe(member.subscriber, "a..b", null, "1");
  assertThrows(subscribe, InvalidSubjectError);
  assertEquals(member.subscriber.subscriptionCount, 0);
  assertEquals(account.interest.count, 0);
});

Deno.test("a subscriber that is no longer open receives nothing", async () => {
  const memory = new MemoryAccount(), member = new AccountMember();
  memory.account.subscribe(member.subscriber, "a", null, "1");
  member.subscriber.open = false;
  assertEquals(await memory.publish("PUB a 0\r\n\r\n"), [0]);
  assertEquals(member.take(), "");
});

Deno.test("order: what one publisher sends arrives in order, over all subjects and subscriptions", async () => {
  await using world = await MemoryBroker.start();
  const subscriber = await world.connect(), publisher = await world.connect();
  await world.exchange(subscriber, "SUB > 1\r\nSUB b.* q 2\r\n");
  const sent = Array.from(
    { length: 500 },
    (_, i) => `PUB ${"abc"[i % 3]}.x ${String(i).length}\r\n${i}\r\n`,
  );
  await world.exchange(publisher, sent.join(""));
  const received = subscriber.take().split(/MSG \S+ /).slice(1);
  for (const sid of ["1", "2"]) {
    const numbers = received.filter((frame) => frame.startsWith(sid))
      .map((frame) => Number(frame.split("\r\n")[1]));
    const expected = Array.from({ length: 500 }, (_, i) => i)
      .filter((i) => sid === "1" || i % 3 === 1);
    assertEquals(numbers, expected);
  }
});

Deno.test("interleaved publishers: each one's order holds, and nothing is lost", async () => {
  await using world = await MemoryBroker.start();
  const subscriber = await world.connect();
  await world.exchange(subscriber, "SUB n 1\r\n");
  const publishers = await Promise.all(Array.from({ length: 4 }, () => world.connect()));
  for (let i = 0; i < 50; i++) {
    for (const [who, publisher] of publishers.entries()) {
      const payload = `${who}:${i}`;
      // Cut anywhere: halves of one message come between those of the others.
      const frame = `PUB n ${payload.length}\r\n${payload}\r\n`, cut = (i * 7 + who) % frame.length;
      publisher.send(frame.slice(0, cut));
      publisher.send(frame.slice(cut));
    }
    if (i % 10 === 0) await world.settle();
  }
  await world.settle();
  const payloads = subscriber.take().split("\r\n").filter((line) => line.includes(":"));
  assertEquals(payloads.length, 200);
  for (let who = 0; who < 4; who++) {
    assertEquals(
      payloads.filter((payload) => payload.startsWith(`${who}:`)),
      Array.from({ length: 50 }, (_, i) => `${who}:${i}`),
    );
  }
});
