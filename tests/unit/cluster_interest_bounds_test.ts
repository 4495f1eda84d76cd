import { assert, assertEquals } from "@std/assert";
import { MemoryCluster } from "../support/memory_cluster.ts";
import { framesIn, RoutePeer } from "../support/route_peer.ts";

const TOO_MUCH = "-ERR 'maximum subscriptions exceeded'\r\n";

/** How much interest the one peer of `world` has announced. */
function interests(world: MemoryCluster): number {
  return world.cluster.routes()[0]!.routes[0]!.interests;
}

Deno.test("a peer may announce so much interest and no more", async () => {
  await using world = new MemoryCluster({ maxInterests: 100 });
  using peer = new RoutePeer(world);
  const link = await peer.join();
  const announce = (from: number, to: number, verb = "RS+") => {
    let text = "";
    for (let i = from; i < to; i++) text += `${verb} $G s.${i}\r\n`;
    return link.exchange(text);
  };
  assertEquals(await announce(0, 100), "");
  // The same once more, or something else instead of it, is no more.
  assertEquals(await announce(0, 100), "");
  assertEquals(await announce(50, 100, "RS-") + await announce(100, 150), "");
  assertEquals(interests(world), 100);
  assertEquals(await announce(150, 1000), TOO_MUCH);
  assert(link.ended);
  await world.clock.advance(2000);
  assertEquals(world.cluster.routes(), []);
  assert(world.log.some((line) => line.includes("maximum subscriptions exceeded")));
  // Somebody else may.
  using other = new RoutePeer(world, "S2", 7002);
  await (await other.join()).exchange("RS+ $G foo\r\n");
  assertEquals(interests(world), 1);
});

Deno.test("nor may its subjects and queue groups be longer together than so much", async () => {
  await using world = new MemoryCluster({ maxInterestBytes: 10_000 });
  using peer = new RoutePeer(world);
  const link = await peer.join();
  const long = "x".repeat(1000);
  for (let i = 0; i < 50; i++) {
    const text = `RS+ $G ${i}.${long}\r\nRS+ $G ${i} ${long} 77\r\nRS+ $G ${i} ${long} 78\r\n` +
      `LS+ ${long} $G ${i}\r\n`;
    assertEquals(await link.exchange(text), "");
    assertEquals(
      await link.exchange(text.replaceAll("S+", "S-").replaceAll(/ 7[78]\r/g, "\r")),
      "",
    );
    assertEquals(interests(world), 0);
  }
  let text = "";
  for (let i = 0; i < 11; i++) text += `RS+ $G ${i}.${long}\r\n`;
  assertEquals(framesIn(await link.exchange(text)), TOO_MUCH);
  assert(link.ended);
});
