/** What a publisher remembers of the other servers' interest. */
import { assertEquals } from "@std/assert";
import { framesIn, RoutePeer, startClustered } from "../support/route_peer.ts";

Deno.test("a publisher does not take the interest in one subject for that in another", async () => {
  await using world = await startClustered();
  using peer = new RoutePeer(world);
  const link = await peer.join(), client = await world.connect();
  await link.exchange("RS+ $G other\r\n");
  await world.exchange(client, "PUB a 1\r\n1\r\n");
  // While nobody elsewhere is interested in anything, there is nothing to remember.
  await link.exchange("RS- $G other\r\n");
  await world.exchange(client, "PUB b 1\r\n2\r\n");
  link.take();
  await link.exchange("RS+ $G b\r\n");
  await world.exchange(client, "PUB b 1\r\n3\r\n");
  assertEquals(framesIn(link.take()), "RMSG $G b 1\r\n3\r\n");
});
