/** Servers that join at the same time by different servers. */
import { assertEquals } from "@std/assert";
import { infosIn, RoutePeer, startClustered } from "../support/route_peer.ts";

const namesIn = (text: string) =>
  infosIn(text).map(({ server_name, gossip_mode }) => `${server_name} ${gossip_mode ?? 0}`);

Deno.test("who has come lately is told even of servers that others have told everybody of", async () => {
  await using world = await startClustered();
  using early = new RoutePeer(world, "EARLY", 7001);
  using late = new RoutePeer(world, "LATE", 7002);
  using next = new RoutePeer(world, "NEXT", 7003);
  const first = await early.join();
  await world.advance(9000);
  first.pong();
  // Told of by a third server, which may not have known those who came lately.
  const second = await late.join({ gossip_mode: 1 });
  assertEquals(namesIn(first.take()), ["LATE 1"]);
  await world.advance(2000);
  first.pong();
  second.pong();
  // By now that third server must know the first one, and has told it.
  await next.join({ gossip_mode: 1 });
  assertEquals([namesIn(first.take()), namesIn(second.take())], [[], ["NEXT 1"]]);
});
