/**
 * Commands that are cheap to send and expensive to carry out. However many of them arrive at once, the
 * others have their turn in between.
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import { quote } from "../../src/protocol/mod.ts";
import { connectFrame, MemoryBroker, type MemoryClient } from "../support/memory_broker.ts";

/** A broker that counts a 16th of the usual work as much: what arrives at once is at most 64 KiB here. */
const SETTINGS = { max_pending: "2MiB" };

/** Whether somebody else's PING is answered before the hog is done with what it sent at once. */
async function othersHaveTheirTurn(
  world: MemoryBroker,
  hog: MemoryClient,
  commands: string,
): Promise<boolean> {
  const bystander = await world.connect();
  // What it sends is to be read at once: its read buffer has to have grown.
  for (let i = 0; i < 4; i++) {
    await world.exchange(hog, `PUB warm 60000\r\n${"x".repeat(60_000)}\r\n`);
  }
  const { statistics } = world.broker, before = bystander.receivedBytes;
  const isDone = () => world.broker.statistics.subscriptions > statistics.subscriptions;
  // The hog's are read first.
  hog.send(`${commands}SUB hog.done done\r\n`);
  bystander.send("PING\r\n");
  while (bystander.receivedBytes === before) await Promise.resolve();
  const inTime = !isDone();
  await world.advance(1000);
  assert(isDone(), "in the end everything is carried out");
  return inTime;
}

/** Commands, and what prepares them. */
const HOGS: readonly [
  name: string,
  commands: string,
  prepare?: (world: MemoryBroker, hog: MemoryClient) => Promise<void>,
][] = [
  ["refusals that quote long subjects", `PUB $NRG.${"\xe2".repeat(2000)} 0\r\n\r\n`.repeat(25)],
  ["CONNECT", "CONNECT {}\r\n".repeat(1000)],
  ["INFO", "INFO {}\r\n".repeat(1000)],
  ["UNSUB", "UNSUB 1\r\n".repeat(1000)],
  ["messages to many who do not take them", "PUB own 0\r\n\r\n".repeat(100), async (world, hog) => {
    await world.exchange(hog, connectFrame({ echo: false }));
    await world.exchange(hog, subscriptions(1000, (i) => `own ${i}`));
  }],
  [
    "messages to a group that does not take them",
    "PUB g 0\r\n\r\n".repeat(100),
    async (world, hog) => {
      await world.exchange(hog, connectFrame({ echo: false }));
      await world.exchange(hog, subscriptions(1000, (i) => `g q ${i}`));
    },
  ],
  ["requests without responders", "PUB no reply 0\r\n\r\n".repeat(100), async (world) => {
    const crowd = await world.connect();
    await world.exchange(crowd, subscriptions(1000, (i) => `reply ${i}`));
  }],
];

function subscriptions(count: number, argument: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => `SUB ${argument(i)}\r\n`).join("");
}

for (const [name, commands, prepare] of HOGS) {
  Deno.test(`others have their turn between many: ${name}`, async () => {
    await using world = await MemoryBroker.start(SETTINGS);
    const hog = await world.connect();
    await prepare?.(world, hog);
    assertEquals(await othersHaveTheirTurn(world, hog, commands), true);
  });
}

Deno.test("quoting 80 KB that are no UTF-8 takes no second", () => {
  const text = "\xe2".repeat(4000), startMs = performance.now();
  for (let i = 0; i < 20; i++) quote(text);
  // It takes some 20 ms; by a decoder that throws it took 2,500 ms.
  assertLess(performance.now() - startMs, 1000);
});

Deno.test("a violation is logged once a second for all clients together, and cut", async () => {
  await using world = await MemoryBroker.start();
  const text = `PUB $NRG.${"x".repeat(3000)} 0\r\n\r\n`;
  for (let i = 0; i < 5; i++) {
    const client = await world.connect();
    await world.exchange(client, text.repeat(3));
    client.close();
  }
  const lines = world.log.filter((line) => line.includes("Permissions Violation"));
  assertEquals(lines.length, 1);
  assertLess(lines[0]!.length, 500);
});
