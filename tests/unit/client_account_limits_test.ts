import { assertEquals } from "@std/assert";
import { type BrokerSettings, MemoryBroker } from "../support/memory_broker.ts";

const TOO_MANY = "-ERR 'maximum account active connections exceeded'\r\n";

function accountWith(limits: object, more: object = {}): BrokerSettings {
  const users = [{ user: "a", password: "x" }, { user: "b", password: "x" }];
  return { accounts: { A: { users, limits } }, ...more };
}

Deno.test("an account's limit of no subscriptions is one, the server's is none", async () => {
  await using world = await MemoryBroker.start(accountWith({ max_subscriptions: 0 }));
  const client = await world.connect({ user: "a", pass: "x" });
  assertEquals(
    await world.exchange(client, "SUB q 1\r\nPING\r\n"),
    "-ERR 'maximum subscriptions exceeded'\r\nPONG\r\n",
  );
  await using open = await MemoryBroker.start({ max_subscriptions: 0 });
  const free = await open.connect();
  assertEquals(await open.exchange(free, "SUB q 1\r\nPING\r\n"), "PONG\r\n");
});

Deno.test("the lower limit of subscriptions counts", async () => {
  await using world = await MemoryBroker.start(
    accountWith({ max_subscriptions: 2 }, { max_subscriptions: 1 }),
  );
  const client = await world.connect({ user: "a", pass: "x" });
  assertEquals(
    await world.exchange(client, "SUB q 1\r\nSUB q 2\r\n"),
    "-ERR 'maximum subscriptions exceeded'\r\n",
  );
});

Deno.test("who sends no CONNECT is held to the account's limit of connections as well", async () => {
  await using world = await MemoryBroker.start(
    accountWith({ max_connections: 1 }, { no_auth_user: "a" }),
  );
  const first = await world.connectSilently(), second = await world.connectSilently();
  assertEquals(await world.exchange(first, "PI"), "");
  assertEquals(await world.exchange(first, "NG\r\n"), "PONG\r\n");
  assertEquals(await world.exchange(second, "SUB x 1\r\nPING\r\n"), TOO_MANY);
  const third = await world.connect({ user: "b", pass: "x" });
  await world.settle();
  assertEquals(third.ended, true);
  // A CONNECT behind the first command changes nothing for who counts already.
  const connect = `CONNECT {"user":"b","pass":"x","verbose":false}\r\nPING\r\n`;
  assertEquals(await world.exchange(first, connect), "PONG\r\n");
  await first.close();
  await world.settle();
  const fourth = await world.connectSilently();
  assertEquals(await world.exchange(fourth, "PING\r\n"), "PONG\r\n");
});

Deno.test("who has said nothing yet takes nobody's place", async () => {
  await using world = await MemoryBroker.start(
    accountWith({ max_connections: 1 }, { no_auth_user: "a" }),
  );
  const idle = await world.connectSilently();
  const client = await world.connect({ user: "b", pass: "x" });
  assertEquals(await world.exchange(client, "PING\r\n"), "PONG\r\n");
  assertEquals(await world.exchange(idle, "PING\r\n"), TOO_MANY);
});
