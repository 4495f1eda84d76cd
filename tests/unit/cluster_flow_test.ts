import { assertEquals } from "@std/assert";
import { RoutePeer, startClustered } from "../support/route_peer.ts";

/** More than what publishers wait for, in messages that a chunk has some of. */
const MESSAGES = 32, MESSAGE_BYTES = 32_768;
/** A little more than a publisher waits for one who keeps messages from others. */
const PATIENCE_MS = 500;

Deno.test("what a route brings for others does not wait for a subscriber who does not read", async () => {
  await using world = await startClustered();
  const deaf = await world.connect(), other = await world.connect();
  deaf.send("SUB deaf 1\r\n");
  other.send("SUB other 1\r\n");
  await world.settle();
  using peer = new RoutePeer(world);
  const link = await peer.join();
  deaf.stall();
  for (let i = 0; i < MESSAGES; i++) {
    link.send(`RMSG $G deaf ${MESSAGE_BYTES}\r\n${"x".repeat(MESSAGE_BYTES)}\r\n`);
  }
  link.send("RMSG $G other 2\r\nhi\r\n");
  await world.advance(PATIENCE_MS);
  assertEquals(other.take(), "MSG other 1 2\r\nhi\r\n");
  deaf.resume();
  await world.settle();
  assertEquals(deaf.ended, false);
});
