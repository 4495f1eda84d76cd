import { assert, assertEquals } from "@std/assert";
import { connectFrame, MemoryBroker } from "../support/memory_broker.ts";

/** The protocol lines of the log, from the arrow on and without the module's name. */
function traced(log: readonly string[]): string[] {
  return log.map((line) => /(?:<<-|->>) .*(?= module=client$)/.exec(line)?.[0]).filter((line) =>
    line !== undefined
  );
}

Deno.test("trace: what a client sends and gets, in order", async () => {
  await using world = await MemoryBroker.start({ trace: true });
  const client = await world.connectSilently();
  world.log.length = 0;
  await world.exchange(
    client,
    connectFrame({ protocol: 0, verbose: true }) + "SUB a q 1\r\nPUB a r 2\r\nhi\r\n" +
      "HPUB b 12 14\r\nNATS/1.0\r\n\r\nyo\r\nUNSUB 1 5\r\nUNSUB 1\r\nPING\r\nPONG\r\nSUB a..b 2\r\n",
  );
  const lines = traced(world.log);
  assert(lines[0]!.startsWith("<<- [CONNECT {"), lines[0]);
  const expected = [
    "->> [+OK]",
    "<<- [SUB a q 1]",
    "->> [+OK]",
    "<<- [PUB a r 2]",
    `<<- MSG_PAYLOAD: ["hi"]`,
    "->> [+OK]",
    "<<- [HPUB b 12 14]",
    `<<- MSG_PAYLOAD: ["yo"]`,
    "->> [+OK]",
    "<<- [UNSUB 1 5]",
    "->> [+OK]",
    "<<- [UNSUB 1]",
    "->> [+OK]",
    "<<- [PING]",
    "->> [PONG]",
    "<<- [PONG]",
    "<<- [SUB a..b 2]",
    "->> [-ERR 'Invalid Subject']",
  ];
  assertEquals(lines.slice(1).filter((line) => !line.startsWith("->> [MSG")), expected);
  assert(
    lines.some((line) => line.startsWith("->> [MSG a 1") && line.endsWith(" 2]")),
    "deliveries are shown too",
  );
  assert(world.log.every((line) => line.includes("cid:1 - ")));
});

Deno.test("trace: no secret is ever shown", async () => {
  await using world = await MemoryBroker.start({
    trace: true,
    authorization: { user: "u", password: "passw0rd" },
  });
  const good = await world.connect({
    user: "u",
    pass: "passw0rd",
    auth_token: "t0ken",
    jwt: "jw.t",
    sig: "s1g",
  });
  assertEquals(await world.exchange(good, "PING\r\n"), "PONG\r\n");
  const bad = await world.connectSilently();
  await world.exchange(bad, connectFrame({ user: "u", pass: "passwrong" }));
  const other = await world.connectSilently();
  await world.exchange(other, `CONNECT {"user":"u","pass":"passw0rd"\r\n`);
  const all = world.log.join("\n");
  for (const secret of ["passw0rd", "passwrong", "t0ken", "jw.t", "s1g"]) {
    assert(!all.includes(secret), secret);
  }
  assert(traced(world.log).some((line) => line.includes(`"user":"u"`)));
});

Deno.test("trace: payloads are cut where that is configured", async () => {
  await using world = await MemoryBroker.start({ trace: true, max_traced_msg_len: 4 });
  const client = await world.connect();
  await world.exchange(client, "PUB a 10\r\n0123456789\r\n");
  assert(traced(world.log).includes(`<<- MSG_PAYLOAD: ["0123..."]`), traced(world.log).join("\n"));
});

Deno.test("trace: line ends and other control characters of a peer cannot forge lines", async () => {
  await using world = await MemoryBroker.start({ trace: true });
  const client = await world.connect();
  const before = world.log.length;
  await world.exchange(client, "PUB a\rb 9\r\nx\r\n[INF] y\r\n");
  for (const line of world.log.slice(before)) assert(!/[\r\n]/.test(line), JSON.stringify(line));
});

Deno.test("without trace nothing of the conversation is in the log", async () => {
  await using world = await MemoryBroker.start({ debug: true });
  const client = await world.connect();
  await world.exchange(client, "PUB a 2\r\nhi\r\n");
  assertEquals(traced(world.log), []);
  client.close();
  await world.settle();
  assert(world.log.some((line) => line.includes("Client connection closed: Client Closed")));
});
