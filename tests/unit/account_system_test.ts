import { assertEquals, assertStringIncludes } from "@std/assert";
import { MemoryBroker } from "../support/memory_broker.ts";

const accounts = { S: { users: [{ user: "s", password: "x" }] } };
const asSystem = { user: "s", pass: "x" };

Deno.test("no_system_account leaves a system account that is named what it is, as in nats-server", async () => {
  await using world = await MemoryBroker.start({
    accounts,
    system_account: "S",
    no_system_account: true,
  });
  const client = await world.connectSilently();
  client.send(
    `CONNECT ${JSON.stringify({ ...asSystem, protocol: 1, verbose: false })}\r\nPING\r\n`,
  );
  await world.settle();
  assertStringIncludes(client.take(), '"acc_is_sys":true');
});

Deno.test("without a system account nobody is in one", async () => {
  await using world = await MemoryBroker.start({ accounts, no_system_account: true });
  const client = await world.connectSilently();
  client.send(
    `CONNECT ${JSON.stringify({ ...asSystem, protocol: 1, verbose: false })}\r\nPING\r\n`,
  );
  await world.settle();
  const info = client.take();
  assertStringIncludes(info, '"remote_account":"S"');
  assertEquals(info.includes("acc_is_sys"), false);
});
