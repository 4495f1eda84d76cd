/** What a publisher remembers of its last subject, while interest of other servers comes and goes. */
import { assertEquals } from "@std/assert";
import { Broker } from "../../mod.ts";
import { MemoryTransport, SeededRandom, VirtualClock } from "../../src/platform/mod.ts";
import { connectFrame, MemoryClient } from "../support/memory_broker.ts";

/** A broker of a cluster with one client, and one other server that the test speaks for. */
async function startWorld() {
  const transport = new MemoryTransport(), clock = new VirtualClock();
  const broker = await Broker.start({
    host: "memory",
    port: 4222,
    cluster: { name: "C", host: "memory", port: 6222, pool_size: -1 },
  }, { transport, clock, random: new SeededRandom(1) });
  const dial = async (port: number, greeting: string) => {
    const end = new MemoryClient(await transport.connect({ hostname: "memory", port }));
    end.send(`${greeting}PING\r\n`);
    await clock.settle();
    end.take();
    return end;
  };
  const info = { server_id: "PEER", server_name: "P", host: "memory", port: 1, cluster: "C" };
  const peer = await dial(
    6222,
    `CONNECT {"name":"PEER","cluster":"C"}\r\nINFO ${JSON.stringify(info)}\r\n`,
  );
  const client = await dial(4222, connectFrame());
  /** One side says something; returns what the other server gets. */
  const says = async (end: MemoryClient, text: string) => {
    end.send(text);
    await clock.settle();
    return peer.take();
  };
  return {
    client: (text: string) => says(client, text),
    peer: (text: string) => says(peer, text),
    async [Symbol.asyncDispose]() {
      const closing = broker.close();
      await clock.advance(20_000);
      await closing;
    },
  };
}

Deno.test("a subject that was published while nobody elsewhere wanted anything", async () => {
  await using world = await startWorld();
  await world.peer("RS+ $G other\r\n");
  await world.client("PUB first 0\r\n\r\n");
  await world.peer("RS- $G other\r\n");
  assertEquals(await world.client("PUB second 0\r\n\r\n"), "");
  await world.peer("RS+ $G second\r\n");
  assertEquals(await world.client("PUB second 0\r\n\r\n"), "RMSG $G second 0\r\n\r\n");
});

Deno.test("a subject whose first message was refused", async () => {
  await using world = await startWorld();
  await world.peer("RS+ $G first\r\n");
  assertEquals(await world.client("PUB first 0\r\n\r\n"), "RMSG $G first 0\r\n\r\n");
  assertEquals(await world.client("PUB second _R_.x 0\r\n\r\n"), "");
  assertEquals(await world.client("PUB second 0\r\n\r\n"), "");
});
