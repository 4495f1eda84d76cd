/** A message for a queue group whose last member has just left, on its way to another server. */
import { assertEquals } from "@std/assert";
import { Broker } from "../../mod.ts";
import { MemoryTransport, SeededRandom, VirtualClock } from "../../src/platform/mod.ts";
import { connectFrame, MemoryClient } from "../support/memory_broker.ts";

/** A broker of a cluster, with ends of connections to it that the test speaks for. */
async function startBroker() {
  const transport = new MemoryTransport(), clock = new VirtualClock();
  const broker = await Broker.start({
    host: "memory",
    port: 4222,
    cluster: { name: "C", host: "memory", port: 6222, pool_size: -1 },
  }, { transport, clock, random: new SeededRandom(1) });
  const dial = async (port: number) =>
    new MemoryClient(await transport.connect({ hostname: "memory", port }));
  return {
    broker,
    clock,
    /** Another server, which has announced `interest`. */
    peer: async (id: string, denats: string | undefined, interest: string) => {
      const peer = await dial(6222);
      peer.send(`CONNECT ${JSON.stringify({ name: id, cluster: "C", headers: true })}\r\n`);
      peer.send(`INFO ${
        JSON.stringify({
          server_id: id,
          server_name: id,
          host: "memory",
          port: 1,
          headers: true,
          cluster: "C",
          proto: 2,
          denats,
        })
      }\r\n${interest}PING\r\n`);
      await clock.settle();
      peer.take();
      return peer;
    },
    client: async (subscriptions: string) => {
      const client = await dial(4222);
      client.send(`${connectFrame()}${subscriptions}PING\r\n`);
      await clock.settle();
      client.take();
      return client;
    },
    async [Symbol.asyncDispose]() {
      const closing = broker.close();
      await clock.advance(20_000);
      await closing;
    },
  };
}

const GROUP = "RS+ $G a q 1\r\n", GROUP_AND_PLAIN = `${GROUP}RS+ $G a\r\n`;

Deno.test("another denats is told that a message handed on is for the group alone", async () => {
  await using world = await startBroker();
  const origin = await world.peer("ORIGIN", "0.1.0", "");
  const other = await world.peer("OTHER", "0.1.0", GROUP_AND_PLAIN);
  origin.send("RMSG $G a | q 2\r\nhi\r\n");
  await world.clock.settle();
  assertEquals(other.take(), "RMSG $G a | q q 2\r\nhi\r\n");
});

Deno.test("a nats-server is handed a message that it has from its origin if there is nobody else", async () => {
  await using world = await startBroker();
  const origin = await world.peer("ORIGIN", "0.1.0", "");
  const plain = await world.peer("PLAIN", undefined, GROUP_AND_PLAIN);
  origin.send("RMSG $G a | q 2\r\nhi\r\n");
  await world.clock.settle();
  assertEquals(plain.take(), "RMSG $G a | q 2\r\nhi\r\n");
  const member = await world.peer("MEMBER", undefined, GROUP);
  plain.take();
  origin.send("RMSG $G a + r q 2\r\nhi\r\n");
  await world.clock.settle();
  assertEquals([plain.take(), member.take()], ["", "RMSG $G a + r q 2\r\nhi\r\n"]);
});

Deno.test("what was handed on goes to one member of the group and to nobody else", async () => {
  await using world = await startBroker();
  const origin = await world.peer("ORIGIN", "0.1.0", "");
  const client = await world.client("SUB a 1\r\nSUB * 2\r\nSUB a q 3\r\nSUB a q 4\r\n");
  origin.send("RMSG $G a | q q 2\r\nhi\r\n");
  await world.clock.settle();
  assertEquals(client.take().replace(/ [34] /, " 3 "), "MSG a 3 2\r\nhi\r\n");
  origin.send("RMSG $G a | q p 2\r\nhi\r\n");
  await world.clock.settle();
  assertEquals(
    client.take().split("\r\n").filter((line) => line.startsWith("MSG")).length,
    3,
  );
});
