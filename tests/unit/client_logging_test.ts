/** What many clients do at once is one line of the log, not as many as there are of them. */
import { assert, assertEquals } from "@std/assert";
import { MemoryBroker } from "../support/memory_broker.ts";

const MANY = 50;

/** The lines of the log that contain `text`. */
function lines(world: MemoryBroker, text: string): string[] {
  return world.log.filter((line) => line.includes(text));
}

Deno.test("many that are one too many are one line a second", async () => {
  await using world = await MemoryBroker.start({ max_connections: 1 });
  await world.connect();
  const refuseMany = async () => {
    for (let i = 0; i < MANY; i++) {
      const refused = await world.connectUngreeted();
      await world.settle();
      refused.close();
    }
  };
  await refuseMany();
  assertEquals(lines(world, "maximum connections exceeded").length, 1);
  await world.advance(1000);
  await refuseMany();
  const [, second] = lines(world, "maximum connections exceeded");
  assert(second?.includes(`suppressed=${MANY - 1}`), second);
});

Deno.test("many clients that are closed for the same reason are one line", async () => {
  await using world = await MemoryBroker.start();
  for (let i = 0; i < MANY; i++) {
    const client = await world.connectSilently();
    await world.exchange(client, "BOGUS\r\n");
    client.close();
    await world.settle();
  }
  assertEquals(world.ended.length, MANY);
  assertEquals(lines(world, "Protocol Violation").length, 1);
});

Deno.test("many messages that one client may not publish are one line", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  const answers = await world.exchange(client, "PUB $NRG.x 0\r\n\r\n".repeat(MANY));
  assertEquals(answers.split("-ERR").length - 1, MANY, "but it is told each time");
  assertEquals(lines(world, "Permissions Violation").length, 1);
});

Deno.test("many wrong credentials are one line", async () => {
  await using world = await MemoryBroker.start({ authorization: { token: "t" } });
  for (let i = 0; i < MANY; i++) {
    const client = await world.connectSilently();
    await world.exchange(client, `CONNECT {"auth_token":"x"}\r\n`);
    client.close();
    await world.settle();
  }
  assertEquals(lines(world, "authentication error").length, 1);
});

Deno.test("who tries again and again keeps nobody else out of the log", async () => {
  await using world = await MemoryBroker.start({
    authorization: { users: [{ user: "u", password: "p" }] },
  });
  const tryAs = async (user: string) => {
    const client = await world.connectSilently();
    await world.exchange(client, `CONNECT {"user":"${user}","pass":"x"}\r\n`);
    client.close();
    await world.settle();
  };
  for (let i = 0; i < 5; i++) await tryAs("u");
  await tryAs("other");
  assertEquals(lines(world, "user=u").length, 1);
  assertEquals(lines(world, "user=other").length, 1);
  for (let i = 0; i < MANY; i++) await tryAs(`made-up-${i}`);
  const all = lines(world, "authentication error").length;
  assert(all > 8 && all <= 16, `${all} lines`);
});

Deno.test("every part of the server that has a log can have a level", async () => {
  const names = ["client", "accept", "auth", "account", "tls", "route", "supervisor"];
  const levels = Object.fromEntries(names.map((name) => [name, "debug"]));
  await using world = await MemoryBroker.start({ log: { levels } });
  assertEquals(world.broker.config.log.levels, levels);
});
