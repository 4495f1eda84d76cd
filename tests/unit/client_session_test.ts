import { assertEquals } from "@std/assert";
import { MemoryBroker } from "../support/memory_broker.ts";
Deno.test("probe", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  assertEquals(await world.exchange(client, "SUB a 1\r\nPUB a 2\r\nhi\r\nPING\r\n"), "MSG a 1 2\r\nhi\r\nPONG\r\n");
  await world.advance(3000);
  assertEquals(client.take(), "PING\r\n");
});
