/** News of servers that come back. */
import { assertEquals } from "@std/assert";
import { infosIn, RoutePeer, startClustered } from "../support/route_peer.ts";

Deno.test("a server that is dialled again is made known again: others may have come meanwhile", async () => {
  await using world = await startClustered();
  using lost = new RoutePeer(world, "LOST").listen();
  using other = new RoutePeer(world, "OTHER", 7002);
  const first = await lost.join();
  first.close();
  await world.settle();
  const link = await other.join();
  // It is first left to the one that had dialled.
  await world.advance(6000);
  link.pong();
  await lost.welcome();
  const names = infosIn(link.take()).map(({ server_name, gossip_mode }) => [
    server_name,
    gossip_mode ?? 0,
  ]);
  assertEquals(names, [["LOST", 0]]);
});
