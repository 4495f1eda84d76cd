/**
 * What holds for a broker in a cluster whatever its peers do.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { MemoryBroker } from "./memory_broker.ts";
import { framesIn, type RouteLink, RoutePeer } from "./route_peer.ts";

/** Longer than the broker waits for a peer at fault to hang up. */
const LINGER_MS = 1000;

/** Two clients and a good peer see that the broker serves them. */
export async function assertServed(world: MemoryBroker): Promise<void> {
  const client = await world.connect();
  using good = new RoutePeer(world, "GOOD", 7999, { gossip_mode: 1 });
  const link = await good.join({ port: 0 });
  await world.exchange(client, "SUB served 1\r\n");
  await link.exchange("RS+ $G served\r\n");
  client.send("PUB served 2\r\nhi\r\n");
  await world.settle();
  assertEquals(client.take(), "MSG served 1 2\r\nhi\r\n");
  assert(link.take().endsWith("RMSG $G served 2\r\nhi\r\n"));
  await link.exchange("RMSG $G served 2\r\nho\r\n");
  assertEquals(client.take(), "MSG served 1 2\r\nho\r\n");
  client.close();
}

/** Everything of every route is released. */
export async function assertReleased(world: MemoryBroker): Promise<void> {
  await world.advance(LINGER_MS);
  const tasks = JSON.stringify(world.broker.tasks());
  assert(!tasks.includes("route:"), tasks);
  assertEquals(world.broker.statistics.panics, 0);
}

/** What `link` got besides INFO, and that the broker has ended the connection. */
export async function assertRefused(
  world: MemoryBroker,
  link: RouteLink,
  text: string,
): Promise<void> {
  await world.settle();
  assertEquals(framesIn(link.take()), text);
  assert(link.ended, "the broker has ended its side");
  await world.advance(LINGER_MS);
  const tasks = JSON.stringify(world.broker.tasks());
  assert(!tasks.includes("route:"), tasks);
  assertEquals(world.broker.routes().length, 0);
}
