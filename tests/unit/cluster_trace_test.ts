/** What the trace of a route shows, and what it must not. */
import { assert, assertEquals } from "@std/assert";
import { RoutePeer, startClustered } from "../support/route_peer.ts";

Deno.test("a route is traced, without secrets", async () => {
  await using world = await startClustered({}, { trace: true });
  const client = await world.connect();
  await world.exchange(client, "SUB a 1\r\n");
  using peer = new RoutePeer(world);
  const link = await peer.dial();
  await link.join({}, { user: "eve", pass: "hunter2" });
  await link.exchange(
    "RS+ $G b q 2\r\nRS- $G b q\r\nRMSG $G a + r q1 q2 2\r\nhi\r\nHMSG $G a 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPING\r\n",
  );
  const traced = world.log.filter((line) => line.includes("rid:"))
    .map((line) => /(?:<<-|->>) .*\]/.exec(line)?.[0]).filter((line) => line !== undefined);
  const received = traced.filter((line) => line.startsWith("<<-"));
  assert(received[0]!.startsWith("<<- [CONNECT {"), received[0]);
  assert(received[1]!.startsWith("<<- [INFO {"), received[1]);
  assertEquals(received.slice(2), [
    "<<- [RS+ $G b q 2]",
    "<<- [RS- $G b q]",
    "<<- [RMSG $G a + r q1 q2 2]",
    '<<- MSG_PAYLOAD: ["hi"]',
    "<<- [HMSG $G a 12 14]",
    '<<- MSG_PAYLOAD: ["hi"]',
    "<<- [PING]",
  ]);
  assert(traced.includes("->> [RS+ $G a]"), traced.join("\n"));
  assert(traced.includes("->> [PONG]"), traced.join("\n"));
  assert(!world.log.join("\n").includes("hunter2"), "no secrets");
});
