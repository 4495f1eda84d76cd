import { assertEquals } from "@std/assert";
import type { DeliveryGuard } from "../../src/account/mod.ts";
import { AccountMember, MemoryAccount } from "../support/memory_account.ts";

/** Lets pass, or nothing. */
function guard(admits: boolean): DeliveryGuard {
  return { admits: () => admits, delivered: () => {} };
}

Deno.test("a subscription that is guarded anew stays what it is, and other servers see no gap", async () => {
  const memory = new MemoryAccount(), member = new AccountMember(), { account } = memory;
  const told: [string, number][] = [];
  account.observe({ interestChanged: (subject, _queue, count) => told.push([subject, count]) });
  account.subscribe(member.subscriber, "a.*", null, "1");
  account.unsubscribe(member.subscriber, "1", 3);
  await memory.publish("PUB a.b 1\r\nx\r\n");
  const subscription = () => member.subscriber.subscriptions!.get("1")!;
  account.guardAnew(subscription(), guard(false));
  assertEquals(await memory.publish("PUB a.b 1\r\nx\r\n"), [0]);
  account.guardAnew(subscription(), guard(true));
  assertEquals(await memory.publish("PUB a.b 1\r\nx\r\n"), [1]);
  account.guardAnew(subscription(), null);
  assertEquals(await memory.publish("PUB a.b 1\r\nx\r\nPUB a.b 1\r\nx\r\n"), [1, 0]);
  assertEquals(member.take(), "MSG a.b 1 1\r\nx\r\n".repeat(3));
  assertEquals(account.interest.count, 0);
  assertEquals(told, [["a.*", 1], ["a.*", 0]]);
});
