/** Clients with bcrypt passwords that all come back at once, as after a restart of the broker. */
import { assertEquals } from "@std/assert";
import bcrypt from "bcryptjs";
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
