import { assertEquals } from "@std/assert";
import { AccountConnections } from "../../src/account_connections.ts";
import { VirtualClock } from "../../src/platform/mod.ts";
import { accountDirectory } from "../support/account_directory.ts";
import { MemoryBus } from "../support/memory_bus.ts";

Deno.test("what other servers tell of accounts makes none, and holds where one is made later", async () => {
  const clock = new VirtualClock(), bus = new MemoryBus();
  const definitions = { A: { limits: { max_connections: 3 } }, B: {} };
  const accounts = accountDirectory(definitions, { clock });
  const connections = new AccountConnections({
    accounts,
    bus,
    clock,
    id: "HERE",
    server: () => ({ id: "HERE" }),
    eventId: () => "id",
  });
  const tell = async (acc: string, conns: number, id: string) => {
    const text = JSON.stringify({ acc, conns, server: { id } });
    bus.publish(`$SYS.SERVER.ACCOUNT.${acc}.CONNS`, new TextEncoder().encode(text));
    await clock.settle();
  };
  accounts.isOpen = () => true;
  await tell("A", 2, "ONE");
  await tell("A", 1, "TWO");
  for (let i = 0; i < 100; i++) await tell(`X${i}`, 1, "ONE");
  assertEquals(accounts.size, 0);
  const account = accounts.get("A")!;
  assertEquals(account.remoteConnections, 3);
  await tell("A", 0, "TWO");
  assertEquals(account.remoteConnections, 2);
  await clock.advance(100_000);
  connections.look();
  assertEquals([account.remoteConnections, accounts.size], [0, 1]);
});
