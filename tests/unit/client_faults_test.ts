import { assert, assertEquals } from "@std/assert";
import { SeededRandom } from "../../src/platform/mod.ts";
import { connectFrame, MemoryBroker } from "../support/memory_broker.ts";

/** What a client may say to be closed: the -ERR it gets, if any, and the reason that is noted. */
const FATAL: readonly [sent: string, answer: string, reason: string][] = [
  ["BOGUS\r\n", "Unknown Protocol Operation", "Protocol Violation"],
  ["\r\n", "Unknown Protocol Operation", "Protocol Violation"],
  ["MSG a 1 0\r\n\r\n", "Unknown Protocol Operation", "Protocol Violation"],
  ["PUB a 1\r\nxy\r\n", "Unknown Protocol Operation", "Protocol Violation"],
  ["PUB a 101\r\n", "Maximum Payload Violation", "Maximum Message Payload Exceeded"],
  [`SUB ${"s".repeat(101)}`, "maximum control line exceeded", "Maximum Control Line Exceeded"],
  ["SUB a\r\n", "", "Protocol Violation"],
  ["PUB a -1\r\n", "", "Protocol Violation"],
  ["UNSUB\t \r\n", "", "Protocol Violation"],
  ["CONNECT {\r\n", "", "Protocol Violation"],
  [`CONNECT {"verbose":1}\r\n`, "", "Protocol Violation"],
  ["INFO []\r\n", "", "Protocol Violation"],
  ["-ERR 'I give up'\r\n", "", "Parse Error"],
  [`CONNECT {"protocol":2}\r\n`, "invalid client protocol", "Bad Client Protocol Version"],
  [
    `CONNECT {"headers":false,"no_responders":true}\r\n`,
    "no responders requires headers support",
    "No Responders Requires Headers",
  ],
  [`CONNECT {"account":"A"}\r\n`, "Authorization Violation", "Authentication Failure"],
  [`CONNECT {"new_account":true}\r\n`, "Authorization Violation", "Authentication Failure"],
];

for (const [sent, answer, reason] of FATAL) {
  Deno.test(`closed for ${JSON.stringify(sent).slice(0, 40)}: ${answer || "no -ERR"}`, async () => {
    await using world = await MemoryBroker.start({ max_payload: 100, max_control_line: 100 });
    const client = await world.connect();
    assertEquals(
      await world.exchange(client, sent),
      answer === "" ? "" : `-ERR '${answer}'\r\n`,
    );
    assert(client.ended);
    client.close();
    await world.settle();
    assertEquals(world.ended, [{ id: 1, reason }]);
    assertEquals(world.broker.statistics.connections, 0);
  });
}

Deno.test("what came before a fatal error is done, what came behind it is not", async () => {
  await using world = await MemoryBroker.start();
  const listener = await world.connect();
  await world.exchange(listener, "SUB > 1\r\n");
  const client = await world.connect();
  assertEquals(
    await world.exchange(client, "PUB a 0\r\n\r\nPING\r\nBOGUS\r\nPUB b 0\r\n\r\nPING\r\n"),
    "PONG\r\n-ERR 'Unknown Protocol Operation'\r\n",
  );
  assertEquals(listener.take(), "MSG a 1 0\r\n\r\n");
});

Deno.test("a client that hangs up gets what is queued for it, and leaves nothing behind", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  await client.send("SUB a 1\r\nPING\r\nPUB a 0\r\n\r\nPUB a 5\r\nunfin");
  await client.connection.closeWrite();
  await world.settle();
  assertEquals(client.take(), "PONG\r\nMSG a 1 0\r\n\r\n");
  assert(client.ended);
  assertEquals(world.ended, [{ id: 1, reason: "Client Closed" }]);
  assertEquals(world.broker.statistics.subscriptions, 0);
  assertEquals(world.broker.statistics.connections, 0);
});

Deno.test("a connection that breaks ends its session", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  await world.exchange(client, "SUB a 1\r\n");
  client.connection.reset();
  await world.settle();
  assertEquals(world.ended, [{ id: 1, reason: "Read Error" }]);
  assertEquals(world.broker.statistics.subscriptions, 0);
  assertEquals(world.broker.statistics.panics, 0);
});

/** Chance that fails when it is told to. */
class FailingRandom extends SeededRandom {
  failing = false;

  override next(): number {
    if (this.failing) throw new RangeError("no more chance");
    return super.next();
  }
}

Deno.test("a panic in one session ends that connection alone, and is told with its path", async () => {
  const random = new FailingRandom(1);
  await using world = await MemoryBroker.start({}, random);
  const told: string[] = [];
  using _panics = world.broker.on("panic", ({ path }) => told.push(path));
  const victim = await world.connect(), other = await world.connect();
  await world.exchange(victim, "SUB a 1\r\n");
  random.failing = true;
  // CONNECT draws the delay of the first PING.
  await world.exchange(victim, connectFrame());
  assert(victim.ended);
  assertEquals(world.ended, [{ id: 1, reason: "Internal Error" }]);
  assertEquals(world.broker.statistics.panics, 1);
  assertEquals(world.broker.statistics.subscriptions, 0);
  assertEquals(told, ["broker/clients/client:1"]);
  const lines = world.log.filter((line) => line.includes("no more chance"));
  assertEquals(lines.length, 1, "logged once");
  assert(lines[0]!.includes("Panic in broker/clients/client:1"), lines[0]);
  assertEquals(await world.exchange(other, "PING\r\n"), "PONG\r\n");
});
