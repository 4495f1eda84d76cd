/** Peers that connect and reset the connection at once, before the broker has accepted it. */
import { assertEquals, assertInstanceOf, assertLess, assertRejects } from "@std/assert";
import net from "node:net";
import { AcceptError, DenoTransport } from "../../src/platform/mod.ts";
import { startBroker } from "../support/broker.ts";
import { greeted } from "../support/bystanders.ts";

/** Connects and resets the connection, as a port scanner or a health check may. */
async function connectAndReset(address: { hostname: string; port: number }): Promise<void> {
  const socket = net.connect(address.port, address.hostname);
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.resetAndDestroy();
  await closed;
}

Deno.test("a connection that is reset before it is accepted says nothing about the listener", async () => {
  const listener = new DenoTransport().listen({ hostname: "127.0.0.1", port: 0 });
  await connectAndReset(listener.address);
  const error = await assertRejects(() => listener.accept(), AcceptError);
  assertInstanceOf(error, AcceptError);
  assertEquals([error.transient, error.peerGone, error.closed], [true, true, false]);
  listener.close();
});

Deno.test("300 connections that are reset at once end nothing and delay nobody", async () => {
  await using broker = await startBroker();
  let panics = 0;
  using _panics = broker.on("panic", () => void panics++);
  using bystander = await greeted(broker);
  const startMs = performance.now();
  await Promise.all(Array.from({ length: 300 }, () => connectAndReset(broker.address)));
  await bystander.send("PING\r\n");
  await bystander.receiveUntil((text) => text.includes("PONG\r\n"));
  // Who comes now is let in at once, and not after a back-off.
  using late = await greeted(broker);
  await late.send("PING\r\n");
  await late.receiveUntil((text) => text.includes("PONG\r\n"));
  assertEquals(panics, 0);
  assertLess(performance.now() - startMs, 10_000);
});
