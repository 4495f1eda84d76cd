import { assertEquals } from "@std/assert";
import { AccountDirectory } from "../../src/account/mod.ts";
import { AccountConnections } from "../../src/account_connections.ts";
import { TouchedOutboxes } from "../../src/connection/mod.ts";
import { SeededRandom, VirtualClock } from "../../src/platform/mod.ts";
import { MemoryBus } from "../support/memory_bus.ts";

function world() {
  const clock = new VirtualClock(), bus = new MemoryBus();
  const limits = { max_connections: 3 };
  const accounts = new AccountDirectory([["A", { limits }], ["B", { limits }]], {
    random: new SeededRandom(1),
    clock,
    touched: new TouchedOutboxes(),
    dropAbove: Infinity,
    pressAbove: Infinity,
    systemAccount: null,
    jetStreamElsewhere: false,
    server: () => ({ name: "s", cluster: null }),
    onProblem: () => {},
  });
  const eventId = () => "e";
  const server = () => ({ id: "here" });
  const connections = new AccountConnections({ accounts, bus, clock, id: "here", server, eventId });
  const tell = async (acc: string, id: string, conns: unknown) => {
    const text = JSON.stringify({ acc, server: { id }, conns });
    bus.publish(`$SYS.SERVER.ACCOUNT.${acc}.CONNS`, new TextEncoder().encode(text));
    await clock.settle();
  };
  return { clock, accounts, connections, tell };
}

Deno.test("what other servers tell of an account adds up, also before it is used here", async () => {
  const { accounts, tell } = world();
  await tell("A", "one", 2);
  await tell("A", "two", 1);
  await tell("A", "here", 7);
  await tell("A", "two", -1);
  await tell("nobody", "one", 1);
  assertEquals(accounts.size, 0, "no account is made for it");
  assertEquals(accounts.get("A")!.remoteConnections, 3);
  assertEquals(accounts.get("B")!.remoteConnections, 0);
  await tell("A", "one", 0);
  assertEquals(accounts.get("A")!.remoteConnections, 1);
});

Deno.test("who has not been heard for 90 seconds counts no more", async () => {
  const { clock, accounts, connections, tell } = world();
  const account = accounts.get("A")!;
  await tell("A", "one", 2);
  await clock.advance(60_000);
  await tell("A", "two", 1);
  await clock.advance(31_000);
  connections.look();
  assertEquals(account.remoteConnections, 1);
  await clock.advance(60_000);
  connections.look();
  assertEquals(account.remoteConnections, 0);
});
