import { assert, assertEquals, assertMatch } from "@std/assert";
import { MemoryBroker } from "../support/memory_broker.ts";

Deno.test("max_connections: one too many gets INFO and -ERR, and its place is free when one leaves", async () => {
  await using world = await MemoryBroker.start({ max_connections: 2 });
  const first = await world.connect();
  await world.connect();
  const third = await world.connectUngreeted();
  await world.settle();
  assertMatch(third.take(), /^INFO \{.*\} \r\n-ERR 'maximum connections exceeded'\r\n$/);
  assert(third.ended);
  assertEquals(await world.exchange(third, "PING\r\n"), "");
  third.close();
  assertEquals(world.broker.statistics.connections, 2);
  assert(world.log.some((line) => line.includes("maximum connections exceeded")));

  first.close();
  await world.settle();
  const fourth = await world.connect();
  assertEquals(await world.exchange(fourth, "PING\r\n"), "PONG\r\n");
});

Deno.test("who is being closed makes room, but not for more than there is room for", async () => {
  await using world = await MemoryBroker.start({ max_connections: 2 });
  // Each is closed when it hangs up, or a second later.
  const first = await world.connect(), second = await world.connect();
  for (const client of [first, second]) await world.exchange(client, "BOGUS\r\n");
  const third = await world.connect(), fourth = await world.connect();
  for (const client of [third, fourth]) {
    assertEquals(await world.exchange(client, "PING\r\n"), "PONG\r\n");
    await world.exchange(client, "BOGUS\r\n");
  }
  // All four are still there: to err and stay is no way around the limit.
  const fifth = await world.connectUngreeted();
  await world.settle();
  assertMatch(fifth.take(), /-ERR 'maximum connections exceeded'/);
  await world.advance(1500);
  const sixth = await world.connect();
  assertEquals(await world.exchange(sixth, "PING\r\n"), "PONG\r\n");
});

Deno.test("ids are never used twice, also not those of the refused", async () => {
  await using world = await MemoryBroker.start({ max_connections: 1 });
  const id = (text: string) => Number(/"client_id":(\d+)/.exec(text)?.[1]);
  const ids: number[] = [];
  for (let round = 0; round < 3; round++) {
    const admitted = await world.connectUngreeted();
    await world.settle();
    ids.push(id(admitted.take()));
    const refused = await world.connectUngreeted();
    await world.settle();
    ids.push(id(refused.take()));
    refused.close();
    admitted.close();
    await world.settle();
  }
  assertEquals(new Set(ids).size, 6, ids.join(" "));
});

Deno.test("peers that connect and say nothing delay nobody", async () => {
  await using world = await MemoryBroker.start();
  for (let i = 0; i < 500; i++) await world.connectUngreeted();
  const client = await world.connect();
  assertEquals(await world.exchange(client, "PING\r\n"), "PONG\r\n");
  assertEquals(world.broker.statistics.connections, 501);
});

Deno.test("connected and disconnected are told with the client's name and user", async () => {
  await using world = await MemoryBroker.start({ authorization: { user: "u", password: "p" } });
  const told: unknown[] = [];
  using _connected = world.broker.on(
    "connected",
    ({ id, name, user }) => told.push({ id, name, user }),
  );
  using _gone = world.broker.on(
    "disconnected",
    ({ id, name, user, reason }) => told.push({ id, name, user, reason }),
  );
  const client = await world.connect({ name: "app", user: "u", pass: "p" });
  client.close();
  await world.settle();
  assertEquals(told, [
    { id: 1, name: "app", user: "u" },
    { id: 1, name: "app", user: "u", reason: "Client Closed" },
  ]);
});
