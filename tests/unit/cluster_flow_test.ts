/** A subscriber that is behind, and the other messages of the route that its messages come by. */
import { assert, assertEquals, assertLess } from "@std/assert";
import type { MemoryBroker, MemoryClient } from "../support/memory_broker.ts";
import { RoutePeer, startClustered } from "../support/route_peer.ts";

/** How many messages are for the quick one. */
const QUICK = 4;
const PAYLOAD = "x".repeat(32_768);
/** How often the slow one reads what has come, in milliseconds: some 2.6 MB/s. */
const SIP_MS = 50;

/** Lets a stalled client have what there is. */
async function sip(world: MemoryBroker, client: MemoryClient): Promise<void> {
  // No more than what is under way by now.
  for (let i = 0; i < 2; i++) {
    client.resume();
    client.stall();
    await world.settle();
  }
  await world.advance(SIP_MS);
}

Deno.test("a slow subscriber does not keep the others of its route waiting", async () => {
  await using world = await startClustered({}, { max_pending: "64MB" });
  const slow = await world.connect(), quick = await world.connect();
  await world.exchange(slow, "SUB slow 1\r\n");
  await world.exchange(quick, "SUB quick 1\r\n");
  using peer = new RoutePeer(world);
  const link = await peer.join();
  slow.stall();
  // 12 MB for the slow one: five seconds at its pace.
  const text = `RMSG $G slow ${PAYLOAD.length}\r\n${PAYLOAD}\r\n`.repeat(96);
  for (let i = 0; i < QUICK; i++) void link.send(text + "RMSG $G quick 1\r\nq\r\n");
  let received = "", elapsedMs = 0;
  while (received.split("MSG quick").length <= QUICK) {
    await sip(world, slow);
    elapsedMs += SIP_MS;
    received += quick.take();
    assertLess(elapsedMs, 3000, `${received.split("MSG quick").length - 1} of ${QUICK} have come`);
  }
});

Deno.test("where nobody else gets anything the route goes at the subscriber's pace", async () => {
  await using world = await startClustered({}, { max_pending: "4MB" });
  const slow = await world.connect();
  await world.exchange(slow, "SUB slow 1\r\n");
  using peer = new RoutePeer(world);
  const link = await peer.join();
  slow.stall();
  // Twice as much as may wait for it.
  const text = `RMSG $G slow ${PAYLOAD.length}\r\n${PAYLOAD}\r\n`.repeat(8);
  for (let i = 0; i < 32; i++) void link.send(text);
  for (let rounds = 0; slow.receivedBytes < 32 * 8 * PAYLOAD.length; rounds++) {
    await sip(world, slow);
    assert(rounds < 400, `${slow.receivedBytes} bytes have come`);
  }
  assertEquals(world.ended, []);
});

Deno.test("what a peer sends is read even while it does not read itself", async () => {
  await using world = await startClustered();
  const client = await world.connect(), publisher = await world.connect();
  await world.exchange(client, "SUB in 1\r\n");
  using peer = new RoutePeer(world);
  const link = await peer.join();
  await link.exchange("RS+ $G out\r\n");
  link.stall();
  // More than publishers wait for.
  void publisher.send(`PUB out ${PAYLOAD.length}\r\n${PAYLOAD}\r\n`.repeat(32));
  await world.settle();
  // Answering this puts something more into what waits for the peer.
  void link.send("PING\r\n");
  await world.settle();
  void link.send("RMSG $G in 1\r\nx\r\n");
  await world.settle();
  assertEquals(client.take(), "MSG in 1 1\r\nx\r\n");
});
