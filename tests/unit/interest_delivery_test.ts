/**
 * Large queue groups that change while a message is delivered to them.
 */
import { assertEquals } from "@std/assert";
import { AccountMember, MemoryAccount } from "../support/memory_account.ts";

Deno.test("everybody in a large group whose limit is one gets one, and then nobody is left", async () => {
  const memory = new MemoryAccount(), { account } = memory;
  const member = new AccountMember();
  const sids: string[] = [];
  // Some of them with another subject, so that the group has two parts, and a few with a third.
  for (const [subject, count] of [["a.b", 70], ["a.*", 50], ["*.b", 5]] as const) {
    for (let i = 0; i < count; i++) {
      const sid = `${sids.length}`;
      account.subscribe(member.subscriber, subject, "q", sid);
      account.unsubscribe(member.subscriber, sid, 1);
      sids.push(sid);
    }
  }
  const counts = await memory.publish("PUB a.b 0\r\n\r\n".repeat(sids.length + 3));
  assertEquals(counts, [...sids.map(() => 1), 0, 0, 0]);
  const received = member.take().split("\r\n").filter((line) => line !== "");
  assertEquals(received.sort(), sids.map((sid) => `MSG a.b ${sid} 0`).sort());
  assertEquals(account.interest.count, 0);
});

Deno.test("members of a large group that are passed over are each asked once", async () => {
  const memory = new MemoryAccount(), { account } = memory;
  const deaf = new AccountMember(), last = new AccountMember();
  deaf.subscriber.echo = false;
  for (let i = 0; i < 100; i++) account.subscribe(deaf.subscriber, "g", "q", `${i}`);
  assertEquals(await memory.publish("PUB g 0\r\n\r\n", deaf), [0]);
  account.subscribe(last.subscriber, "g", "q", "x");
  assertEquals(await memory.publish("PUB g 0\r\n\r\n".repeat(20), deaf), Array(20).fill(1));
  assertEquals(last.take(), "MSG g x 0\r\n\r\n".repeat(20));
  account.unsubscribe(last.subscriber, "x", 0);
  assertEquals(await memory.publish("PUB g 0\r\n\r\n", deaf), [0]);
  assertEquals(deaf.take(), "");
});
