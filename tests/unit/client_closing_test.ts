import { assert, assertEquals, assertLess, assertLessOrEqual, assertMatch } from "@std/assert";
import { hashSync } from "bcryptjs";
import { Account } from "../../src/account/mod.ts";
import type { MemoryConnection } from "../../src/platform/mod.ts";
import { connectFrame, MemoryBroker, MemoryClient } from "../support/memory_broker.ts";

/** Longest that a connection which is being closed may stay, in virtual milliseconds. */
const GOODBYE_LIMIT_MS = 3000 + 100;

Deno.test("the last -ERR arrives before the end although the peer keeps sending", async () => {
  await using world = await MemoryBroker.start();
  const listener = await world.connect(), client = await world.connect();
  await world.exchange(listener, "SUB > 1\r\n");
  client.send("BOGUS\r\n");
  for (let i = 0; i < 200; i++) client.send("PUB a 10\r\n0123456789\r\n".repeat(500));
  await world.settle();
  assertEquals(client.take(), "-ERR 'Unknown Protocol Operation'\r\n");
  assert(client.ended, "the broker has ended its direction");
  assertEquals(client.unsentBytes, 0, "and reads on, so that nothing resets the connection");
  assertEquals(listener.take(), "", "but nothing of it means anything any more");
  assertEquals(world.broker.statistics.connections, 2, "until the peer hangs up");
  client.close();
  await world.settle();
  assertEquals(world.broker.statistics.connections, 1);
});

Deno.test("a peer that never stops sending is cut off after a while", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  client.send("BOGUS\r\n");
  for (let waitedMs = 0; waitedMs < GOODBYE_LIMIT_MS; waitedMs += 50) {
    client.send("x".repeat(10_000));
    await world.advance(50);
  }
  assertEquals(world.ended, [{ id: 1, reason: "Protocol Violation" }]);
  assertEquals(client.take(), "-ERR 'Unknown Protocol Operation'\r\n");
});

Deno.test("a peer that neither reads nor hangs up is let go of after a while", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  await world.exchange(client, "SUB a 1\r\n");
  client.connection.stall();
  client.connection.resume("sent");
  client.send("PUB a 90000\r\n" + "x".repeat(90_000) + "\r\nBOGUS\r\n");
  await world.settle();
  assertEquals(world.ended, []);
  await world.advance(GOODBYE_LIMIT_MS);
  assertEquals(world.ended, [{ id: 1, reason: "Protocol Violation" }]);
  assertEquals(world.broker.statistics.subscriptions, 0);
});

Deno.test("everything that was queued before the error is delivered before it", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  const count = 2000, payload = "x".repeat(100);
  await world.exchange(client, "SUB a 1\r\n");
  client.send(`PUB a 100\r\n${payload}\r\n`.repeat(count) + "BOGUS\r\n");
  await world.settle();
  const received = client.take();
  assertEquals(received.split(payload).length - 1, count);
  assert(received.endsWith("\r\n-ERR 'Unknown Protocol Operation'\r\n"));
});

Deno.test("a wrong token: -ERR, then the end, and the log names nobody's secret", async () => {
  await using world = await MemoryBroker.start({ authorization: { token: "right" } });
  const client = await world.connectSilently();
  assertEquals(
    await world.exchange(
      client,
      connectFrame({ auth_token: "wrong-token", name: "app" }) + "PING\r\n",
    ),
    "-ERR 'Authorization Violation'\r\n",
  );
  client.close();
  await world.settle();
  assertEquals(world.ended, [{ id: 1, reason: "Authentication Failure" }]);
  const line = world.log.find((line) => line.includes("authentication error"));
  assertMatch(line ?? "", /cid:1.*app/);
  assert(!world.log.some((line) => line.includes("wrong-token")));
});

Deno.test("where credentials are required, nothing else is done before CONNECT", async () => {
  await using world = await MemoryBroker.start({
    authorization: { users: [{ user: "u", password: "p" }] },
  });
  const commands = [
    ...["PING\r\n", "PONG\r\n", "SUB a 1\r\n", "UNSUB 1\r\n", "X", "\r\n", "INFO {}\r\n"],
    // The parser has a short way for these.
    ...["PUB a 2\r\nhi\r\n", "HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n"],
  ];
  for (const first of commands) {
    const client = await world.connectSilently();
    assertEquals(await world.exchange(client, first), "-ERR 'Authorization Violation'\r\n", first);
    client.close();
  }
  const client = await world.connectSilently();
  const good = connectFrame({ user: "u", pass: "p", protocol: 0 });
  assertEquals(await world.exchange(client, good + "PING\r\n"), "PONG\r\n");
  assertEquals(
    await world.exchange(client, `CONNECT {"pass":"q"}\r\n`),
    "-ERR 'Authorization Violation'\r\n",
    "a second CONNECT is checked too",
  );
});

Deno.test("while a bcrypt hash is checked nothing behind CONNECT is done, and nothing is lost", async () => {
  const hash = hashSync("secret", 4);
  await using world = await MemoryBroker.start({ authorization: { token: hash } });
  const good = await world.connectSilently(), bad = await world.connectSilently();
  good.send(connectFrame({ auth_token: "secret", protocol: 0 }) + "SUB a 1\r\nPUB a 2\r\nhi\r\nPI");
  good.send("NG\r\n");
  bad.send(connectFrame({ auth_token: hash }) + "SUB a 1\r\nPING\r\n");
  assertEquals(await good.takeUntil("PONG\r\n"), "MSG a 1 2\r\nhi\r\nPONG\r\n");
  assertEquals(await bad.takeUntil("-ERR"), "-ERR 'Authorization Violation'\r\n");
  bad.close();
});

Deno.test("passwords that cannot be checked for want of time are told as that, not as wrong", async () => {
  // Official clients give up for good after two violations.
  const hash = hashSync("right", 4), count = 400;
  await using world = await MemoryBroker.start({ authorization: { token: hash } });
  const clients = await Promise.all(Array.from({ length: count }, () => world.connectSilently()));
  // Each is a check of its own, and there are more of them than may wait.
  for (const [i, client] of clients.entries()) {
    client.send(connectFrame({ auth_token: `wrong ${i}` }));
  }
  const answers = await Promise.all(clients.map((client) => client.takeUntil("-ERR")));
  const told = (answer: string) => answers.filter((each) => each === answer).length;
  const tooMany = told("-ERR 'Authentication Timeout'\r\n");
  const wrong = told("-ERR 'Authorization Violation'\r\n");
  assertEquals(tooMany + wrong, count);
  assert(tooMany > 0 && wrong > 0, `${tooMany} ${wrong}`);
  for (const client of clients) client.close();
});

Deno.test("the authentication timeout ends with CONNECT; the check of a hash has half a minute", async () => {
  const hash = "$2b$14$GSCZeJqghUB7nmgs.ohRCuPtLiN.UNyNQ7TCsJPqlERoPTCXLlzPm";
  await using world = await MemoryBroker.start({ authorization: { token: hash, timeout: "1s" } });
  const client = await world.connectSilently();
  client.send(connectFrame({ auth_token: "slow" }));
  await world.advance(29_000);
  assertEquals(client.take(), "", "it has done its part in time");
  await world.advance(1100);
  assertMatch(client.take(), /^-ERR 'Auth/);
  client.close();
  await world.settle();
  assertEquals(world.ended.length, 1);
});

Deno.test("a client that has ended its direction stays until it has received everything", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  await world.exchange(client, "SUB a 1\r\n");
  client.stall();
  client.send("PUB a 200000\r\n" + "x".repeat(200_000) + "\r\n");
  await world.settle();
  await client.connection.closeWrite();
  await world.settle();
  assertEquals([world.broker.statistics.connections, world.ended], [1, []]);
  client.resume();
  await world.settle();
  assertEquals(client.take().length, "MSG a 1 200000\r\n".length + 200_002);
  assertEquals(world.ended, [{ id: 1, reason: "Client Closed" }]);
});

Deno.test("closing the broker flushes what is queued, sends no -ERR and ends everybody", async () => {
  const world = await MemoryBroker.start();
  const clients = [await world.connect(), await world.connect(), await world.connectSilently()];
  for (const client of clients) client.send("SUB a 1\r\nPUB a 3\r\nbye\r\n");
  await world[Symbol.asyncDispose]();
  for (const client of clients) {
    assert(client.ended);
    assert(!client.take().includes("-ERR"));
  }
  assertEquals(world.ended.map(({ reason }) => reason), Array(3).fill("Server Shutdown"));
  assertEquals(world.clock.pendingTimers, 0, "no timer is left behind");
});

Deno.test("closing the broker does not wait for long for peers that take nothing", async () => {
  const world = await MemoryBroker.start();
  const client = await world.connect();
  await world.exchange(client, "SUB a 1\r\n");
  client.stall();
  client.send("PUB a 200000\r\n" + "x".repeat(200_000) + "\r\n");
  await world.settle();
  const startMs = world.clock.monotonic();
  let closedAtMs = Infinity;
  const closing = world.broker.close().then(() => closedAtMs = world.clock.monotonic());
  await world.advance(10_000);
  await closing;
  assertLessOrEqual(closedAtMs - startMs, GOODBYE_LIMIT_MS);
});

Deno.test("a drained broker tells those who understand it, and waits for them to leave", async () => {
  const world = await MemoryBroker.start();
  const modern = await world.connect(), old = await world.connect({ protocol: 0 });
  let closed = false;
  const closing = world.broker.close({ drain: true, drainMs: 4000 }).then(() => closed = true);
  await world.advance(1000);
  assertMatch(modern.take(), /^INFO \{.*"ldm":true.*\} \r\n$/);
  assertEquals(old.take(), "");
  assertEquals(await world.exchange(old, "SUB a 1\r\nPUB a 0\r\n\r\n"), "MSG a 1 0\r\n\r\n");
  await world.advance(2000);
  assert(!closed);
  modern.close();
  old.close();
  await world.settle();
  await closing;
  assertEquals(world.clock.monotonic(), 3000, "no longer than they take");
});

Deno.test("a client in the same process is one like the others", async () => {
  await using world = await MemoryBroker.start();
  const inside = new MemoryClient(world.broker.connect() as MemoryConnection);
  await world.settle();
  inside.take();
  const outside = await world.connect();
  await world.exchange(inside, connectFrame() + "SUB a 1\r\n");
  await world.exchange(outside, "PUB a 2\r\nhi\r\n");
  assertEquals(inside.take(), "MSG a 1 2\r\nhi\r\n");
  assertEquals(world.broker.statistics.connections, 2);
  inside.close();
  await world.settle();
  assertEquals(world.broker.statistics.connections, 1);
});

Deno.test("a client that receives slowly but steadily gets all that is queued before it is closed", async () => {
  await using world = await MemoryBroker.start();
  const slow = await world.connect(), publisher = await world.connect();
  await world.exchange(slow, "SUB a 1\r\n");
  slow.stall();
  await world.exchange(publisher, `PUB a 1024\r\n${"x".repeat(1024)}\r\n`.repeat(400));
  const before = slow.receivedBytes, all = 400 * `MSG a 1 1024\r\n${"x".repeat(1024)}\r\n`.length;
  const closed = world.broker.close();
  // What the connection buffers, every 1.2 s: 7.2 s in all.
  for (let i = 0; i < 6; i++) {
    await world.advance(1200);
    slow.resume();
    slow.stall();
  }
  slow.resume();
  await world.advance(1000);
  await closed;
  assertEquals(slow.receivedBytes - before, all);
  assertEquals(world.log.filter((line) => line.includes("received everything")), []);
});

Deno.test("a client that receives nothing while the broker closes is closed in time, and that is logged", async () => {
  await using world = await MemoryBroker.start();
  const deaf = await world.connect(), publisher = await world.connect();
  await world.exchange(deaf, "SUB a 1\r\n");
  deaf.stall();
  await world.exchange(publisher, `PUB a 1024\r\n${"x".repeat(1024)}\r\n`.repeat(400));
  let closed = false;
  void world.broker.close().then(() => closed = true);
  await world.advance(1900);
  assertEquals(closed, false);
  await world.advance(200);
  assertEquals(closed, true);
  const lines = world.log.filter((line) => line.includes("before it had received everything"));
  assertEquals(lines.length, 1);
  assertMatch(lines[0]!, /cid:\d+ .* dropped=\d+/);
});

Deno.test("lame duck: with a client go its subscriptions", async () => {
  const world = await MemoryBroker.start();
  const first = await world.connect(), second = await world.connect();
  await world.exchange(first, "SUB x 1\r\nSUB y q 2\r\n");
  await world.exchange(second, "SUB x 1\r\nSUB y q 2\r\n");
  const closed = world.broker.close({ drain: true, drainMs: 60_000, graceMs: 1000 });
  await world.advance(1000);
  for (let i = 0; i < 200 && world.broker.statistics.connections > 1; i++) await world.advance(10);
  assertEquals(world.broker.statistics.connections, 1);
  assertEquals(world.broker.statistics.subscriptions, 2);
  await world.advance(100_000);
  await closed;
});

Deno.test("what was delivered before a panic in the same chunk arrives", async () => {
  const original = Account.prototype.unsubscribe;
  using _ = { [Symbol.dispose]: () => void (Account.prototype.unsubscribe = original) };
  Account.prototype.unsubscribe = () => {
    throw new TypeError("a bug");
  };
  await using world = await MemoryBroker.start();
  const subscriber = await world.connect(), publisher = await world.connect();
  await world.exchange(subscriber, "SUB a 1\r\n");
  await world.exchange(publisher, "PUB a 2\r\nhi\r\nUNSUB 9\r\n");
  assertEquals(subscriber.take(), "MSG a 1 2\r\nhi\r\n");
});

Deno.test("max_pending counts although a write is under way", async () => {
  await using world = await MemoryBroker.start({ max_pending: "16KiB", max_payload: 1000 });
  const subscriber = await world.connect(), publisher = await world.connect();
  await world.exchange(subscriber, "SUB a 1\r\n");
  subscriber.stall();
  for (let sent = 0; sent < 200 && world.ended.length === 0; sent++) {
    await world.exchange(publisher, `PUB a 1000\r\n${"x".repeat(1000)}\r\n`);
    if (sent % 10 === 0) await world.advance(500);
  }
  assertEquals(world.ended.map(({ reason }) => reason), ["Slow Consumer (Pending Bytes)"]);
  const pending = /pending=(\d+)/.exec(world.log.at(-1)!)?.[1];
  // One message more than it may be.
  assertLess(Number(pending), 16 * 1024 + 1100);
});
