/** Clients with bcrypt passwords that all come back at once, as after a restart of the broker. */
import { assert, assertEquals } from "@std/assert";
import bcrypt from "bcryptjs";
import { Broker } from "../../mod.ts";
import { connectFrame, MemoryBroker, type MemoryClient } from "../support/memory_broker.ts";

/** More than the checks that may wait, so that they would not get in one by one. */
const CLIENTS = 300;

/** Users whose hashes take a check of about a millisecond each. */
function bcryptUsers(count: number): { user: string; password: string }[] {
  return Array.from({ length: count }, (_, i) => ({
    user: `user${i}`,
    password: bcrypt.hashSync(`password${i}`, 4),
  }));
}

/** Everybody connects and speaks before anybody is answered. How often each answer was given. */
async function storm(world: MemoryBroker, users: number): Promise<Record<string, number>> {
  const clients: MemoryClient[] = [];
  for (let i = 0; i < CLIENTS; i++) clients.push(await world.connectSilently());
  const answers = await Promise.all(clients.map((client, i) => {
    const credentials = { user: `user${i % users}`, pass: `password${i % users}` };
    client.send(connectFrame(credentials) + "PING\r\n");
    return client.takeUntil("PONG\r\n");
  }));
  for (const client of clients) client.close();
  await world.settle();
  const counts: Record<string, number> = {};
  for (const answer of answers) {
    const verdict = /PONG|-ERR .*/.exec(answer)?.[0] ?? "nothing";
    counts[verdict] = (counts[verdict] ?? 0) + 1;
  }
  return counts;
}

Deno.test("300 clients of one bcrypt user connect at once and all get in, again and again", async () => {
  await using world = await MemoryBroker.start({ authorization: { users: bcryptUsers(1) } });
  for (let round = 0; round < 3; round++) {
    assertEquals(await storm(world, 1), { PONG: CLIENTS });
  }
});

Deno.test("300 clients of 20 bcrypt users connect at once and all get in", async () => {
  await using world = await MemoryBroker.start({ authorization: { users: bcryptUsers(20) } });
  assertEquals(await storm(world, 20), { PONG: CLIENTS });
});

Deno.test("who hangs up while its password is checked does not keep the others waiting", async () => {
  // Cost 10: each check takes tens of milliseconds, all of them together seconds.
  const hash = "$2b$10$H3IISKBpngsRlqujBWea1Ohvb/JW53HVhJ2auyMnCyFD.8eYz5dEa";
  await using broker = await Broker.start({
    host: "127.0.0.1",
    port: -1,
    // One user would have used up its guesses.
    authorization: {
      users: ["u", ...Array.from({ length: 100 }, (_, i) => `u${i}`)]
        .map((user) => ({ user, password: hash })),
    },
  });
  const connect = (pass: string, user = "u") => {
    const options = JSON.stringify({ verbose: false, user, pass });
    return new TextEncoder().encode(`CONNECT ${options}\r\nPING\r\n`);
  };
  /** How long one check takes on this machine at this moment. */
  const checkMs = async (pass: string) => {
    const startedAtMs = performance.now(), decoder = new TextDecoder();
    using connection = await Deno.connect(broker.address);
    await connection.write(connect(pass));
    const bytes = new Uint8Array(4096);
    for (let text = ""; !text.includes("-ERR");) {
      const count = await connection.read(bytes);
      if (count === null) break;
      text += decoder.decode(bytes.subarray(0, count));
    }
    return performance.now() - startedAtMs;
  };
  const beforeMs = await checkMs("wrong before");
  const ended = Promise.withResolvers<void>();
  // The one above may be among them.
  let left = 100;
  using _ = broker.on("disconnected", () => --left === 0 && ended.resolve());
  await Promise.all(Array.from({ length: 100 }, async (_, i) => {
    using connection = await Deno.connect(broker.address);
    await connection.write(connect(`wrong ${i}`, `u${i}`));
  }));
  const startedAtMs = performance.now();
  using client = await Deno.connect(broker.address);
  await client.write(connect("secret"));
  const buffer = new Uint8Array(4096), decoder = new TextDecoder();
  for (let text = ""; !text.includes("PONG\r\n");) {
    const count = await client.read(buffer);
    if (count === null) throw new Error(`refused: ${text}`);
    text += decoder.decode(buffer.subarray(0, count));
  }
  await ended.promise;
  const elapsedMs = performance.now() - startedAtMs;
  const oneMs = Math.max(beforeMs, await checkMs("wrong after"));
  assert(
    elapsedMs < Math.max(2500, 40 * oneMs),
    `${elapsedMs} ms, ${oneMs} for one, as if those who left were still checked`,
  );
});

Deno.test("what is sent behind CONNECT counts although its sender hangs up during the check", async () => {
  await using world = await MemoryBroker.start({ authorization: { users: bcryptUsers(2) } });
  const credentials = (i: number) => connectFrame({ user: `user${i}`, pass: `password${i}` });
  const subscriber = await world.connectSilently();
  subscriber.send(`${credentials(0)}SUB a 1\r\nPING\r\n`);
  await subscriber.takeUntil("PONG\r\n");
  const publisher = await world.connectSilently();
  await publisher.send(`${credentials(1)}PUB a 2\r\nhi\r\n`);
  await publisher.connection.closeWrite();
  assertEquals((await subscriber.takeUntil("hi\r\n")).includes("MSG a 1 2\r\nhi\r\n"), true);
});
