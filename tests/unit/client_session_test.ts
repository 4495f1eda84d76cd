import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connectFrame, MemoryBroker } from "../support/memory_broker.ts";

const greeting = (text: string) => JSON.parse(text.slice("INFO ".length, -" \r\n".length));

Deno.test("a client is greeted with INFO before it says anything", async () => {
  await using world = await MemoryBroker.start({ server_name: "grüß", max_payload: 1000 });
  const client = await world.connectUngreeted();
  await world.settle();
  const info = client.take();
  assertMatch(info, /^INFO \{.*\} \r\n$/);
  const fields = JSON.parse(
    new TextDecoder().decode(Uint8Array.from(info.slice(5, -3), (unit) => unit.charCodeAt(0))),
  );
  assertEquals(fields.server_id, world.broker.id);
  assertEquals(fields.server_name, "grüß");
  assertEquals(fields.max_payload, 1000);
  assertEquals(fields.headers, true);
  assertEquals(fields.proto, 1);
  assertEquals(fields.client_id, 1);
  assertEquals(fields.client_ip, "memory");
  assertEquals(fields.connect_info, undefined);
  assertEquals(fields.auth_required, undefined);
});

Deno.test("client_advertise is where INFO says that clients should connect to", async () => {
  await using world = await MemoryBroker.start({ client_advertise: "front:4333" });
  const client = await world.connectUngreeted();
  await world.settle();
  const { host, port } = JSON.parse(client.take().slice("INFO ".length));
  assertEquals([host, port], ["front", 4333]);
});

Deno.test("the first PING after CONNECT brings a second INFO, once, to clients of protocol 1", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connectSilently();
  assertEquals(await world.exchange(client, "PING\r\n"), "PONG\r\n");
  const answer = await world.exchange(client, connectFrame() + "PING\r\n");
  assertMatch(answer, /^PONG\r\nINFO \{[^\n]*\} \r\n$/);
  const info = greeting(answer.slice("PONG\r\n".length));
  assertEquals(info.connect_info, true);
  assertEquals(info.remote_account, "$G");
  assertEquals(await world.exchange(client, connectFrame() + "PING\r\n"), "PONG\r\n");

  const old = await world.connectSilently();
  assertEquals(
    await world.exchange(old, connectFrame({ protocol: 0 }) + "PING\r\n"),
    "PONG\r\n",
  );
});

Deno.test("verbose: +OK for each command but PING, before the message that a PUB gives rise to", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect({ verbose: true });
  assertEquals(await world.exchange(client, "SUB a 1\r\n"), "+OK\r\n");
  assertEquals(
    await world.exchange(client, "PUB a 2\r\nhi\r\n"),
    "+OK\r\nMSG a 1 2\r\nhi\r\n",
  );
  assertEquals(
    await world.exchange(client, "HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n"),
    "+OK\r\nHMSG a 1 12 12\r\nNATS/1.0\r\n\r\n\r\n",
  );
  assertEquals(
    await world.exchange(client, "PUB a r 0\r\n\r\nPUB b r 0\r\n\r\n"),
    "+OK\r\nMSG a 1 r 0\r\n\r\n+OK\r\n",
    "no 503: there is no subscription for the answer",
  );
  assertEquals(await world.exchange(client, "UNSUB 1\r\nUNSUB 77\r\n"), "+OK\r\n+OK\r\n");
  assertEquals(await world.exchange(client, "PING\r\nPONG\r\n"), "PONG\r\n");
  assertEquals(await world.exchange(client, connectFrame({ verbose: true })), "+OK\r\n");
});

Deno.test("what is refused gets -ERR instead of +OK, and the connection stays", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect({ verbose: true });
  assertEquals(await world.exchange(client, "SUB a..b 1\r\n"), "-ERR 'Invalid Subject'\r\n");
  assertEquals(
    await world.exchange(client, "SUB a _sys_ 1\r\n"),
    `-ERR 'Permissions Violation for Subscription to "a" using queue "_sys_"'\r\n`,
  );
  assertEquals(
    await world.exchange(client, "PUB $NRG.x 0\r\n\r\n"),
    `-ERR 'Permissions Violation for Publish to "$NRG.x"'\r\n`,
  );
  assertEquals(
    await world.exchange(client, "PUB a _R_.x 0\r\n\r\n"),
    `-ERR 'Permissions Violation for Publish with Reply of "_R_.x"'\r\n`,
  );
  assertEquals(
    await world.exchange(client, "PUB _GR_.x _R_.x 0\r\n\r\n"),
    `-ERR 'Permissions Violation for Publish to "_GR_.x"'\r\n`,
    "of two faults only the subject's is told",
  );
  assertEquals(await world.exchange(client, "SUB ok 1\r\n"), "+OK\r\n", "the sid is still free");
  assertEquals(world.ended, []);
});

Deno.test("a refused message reaches nobody, and the next one with its subject does not either", async () => {
  await using world = await MemoryBroker.start();
  const everything = await world.connect();
  await world.exchange(everything, "SUB > 1\r\nSUB $NRG.> 2\r\n");
  const one = await world.connect();
  await world.exchange(one, "SUB a 1\r\n");
  const client = await world.connect();
  await world.exchange(
    client,
    "PUB a 0\r\n\r\nPUB $NRG.x 0\r\n\r\nPUB $NRG.x 0\r\n\r\nPUB b _R_.x 0\r\n\r\nPUB b 0\r\n\r\n",
  );
  assertEquals(everything.take(), "MSG a 1 0\r\n\r\nMSG b 1 0\r\n\r\n");
  assertEquals(one.take(), "MSG a 1 0\r\n\r\n");
});

Deno.test("pedantic clients are told of bad publish subjects, which are processed nevertheless", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect({ pedantic: true, verbose: true });
  await world.exchange(client, "SUB a.* 1\r\n");
  assertEquals(
    await world.exchange(client, "PUB a.> 1\r\nx\r\n"),
    "-ERR 'Invalid Publish Subject'\r\n+OK\r\nMSG a.> 1 1\r\nx\r\n",
  );
  const lax = await world.connect({ verbose: true });
  assertEquals(await world.exchange(lax, "PUB a..b 0\r\n\r\n"), "+OK\r\n");
});

Deno.test("before CONNECT a client is verbose and pedantic, hears itself and has no headers", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connectSilently();
  assertEquals(
    await world.exchange(client, "SUB a 1\r\nPUB a 0\r\n\r\nPUB a. 0\r\n\r\n"),
    "+OK\r\n+OK\r\nMSG a 1 0\r\n\r\n-ERR 'Invalid Publish Subject'\r\n+OK\r\n",
  );
  assertEquals(await world.exchange(client, "HPUB a 0 0\r\n\r\n"), "");
  assert(client.ended, "a silent close");
});

Deno.test("echo: a client that does not want to hear itself is no receiver of its own messages", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect({ echo: false });
  const other = await world.connect();
  await world.exchange(client, "SUB a 1\r\nSUB r 9\r\n");
  assertEquals(
    await world.exchange(client, "PUB a r 0\r\n\r\n"),
    "HMSG r 9 33 33\r\nNATS/1.0 503\r\nNats-Subject: a\r\n\r\n\r\n",
  );
  await world.exchange(other, "PUB a 0\r\n\r\n");
  assertEquals(client.take(), "MSG a 1 0\r\n\r\n");
});

Deno.test("no responders: a 503 to the requester's own plain subscription for the answer", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  await world.exchange(client, "SUB inbox.* 7\r\nSUB queued q 8\r\n");
  assertEquals(
    await world.exchange(client, "PUB nobody inbox.1 2\r\nhi\r\nPING\r\n"),
    "HMSG inbox.1 7 38 38\r\nNATS/1.0 503\r\nNats-Subject: nobody\r\n\r\n\r\nPONG\r\n",
  );
  assertEquals(await world.exchange(client, "PUB nobody 0\r\n\r\n"), "", "no reply subject");
  assertEquals(await world.exchange(client, "PUB nobody elsewhere 0\r\n\r\n"), "");
  assertEquals(await world.exchange(client, "PUB nobody queued 0\r\n\r\n"), "", "a queue group");

  const other = await world.connect();
  await world.exchange(other, "SUB theirs 1\r\nSUB served 2\r\n");
  assertEquals(await world.exchange(client, "PUB nobody theirs 0\r\n\r\n"), "", "not its own");
  assertEquals(other.take(), "");
  assertEquals(await world.exchange(client, "PUB served inbox.2 0\r\n\r\n"), "");
  assertEquals(other.take(), "MSG served 2 inbox.2 0\r\n\r\n");

  const indifferent = await world.connect({ no_responders: false });
  await world.exchange(indifferent, "SUB inbox.* 7\r\n");
  assertEquals(await world.exchange(indifferent, "PUB nobody inbox.1 0\r\n\r\n"), "");
});

Deno.test("a 503 does not count towards an UNSUB's max", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  await world.exchange(client, "SUB r 1\r\nUNSUB 1 1\r\n");
  const noResponders = "HMSG r 1 36 36\r\nNATS/1.0 503\r\nNats-Subject: nope\r\n\r\n\r\n";
  assertEquals(await world.exchange(client, "PUB nope r 0\r\n\r\n"), noResponders);
  assertEquals(await world.exchange(client, "PUB nope r 0\r\n\r\n"), noResponders);
  assertEquals(
    await world.exchange(client, "PUB r 0\r\n\r\nPUB r 0\r\n\r\n"),
    "MSG r 1 0\r\n\r\n",
  );
});

Deno.test("headers: cut off for clients without them, passed on to others, whatever they hold", async () => {
  await using world = await MemoryBroker.start();
  const publisher = await world.connect();
  const modern = await world.connect();
  const plain = await world.connect({ headers: false, no_responders: false });
  const alsoPlain = await world.connect({ headers: false, no_responders: false });
  for (const client of [plain, modern, alsoPlain]) await world.exchange(client, "SUB a 1\r\n");
  const headers = "NATS/1.0\r\nKey: a\0b\r\n\r\n", length = headers.length;

  await world.exchange(publisher, `HPUB a r ${length} ${length + 5}\r\n${headers}hello\r\n`);
  assertEquals(modern.take(), `HMSG a 1 r ${length} ${length + 5}\r\n${headers}hello\r\n`);
  assertEquals(plain.take(), "MSG a 1 r 5\r\nhello\r\n");
  assertEquals(alsoPlain.take(), "MSG a 1 r 5\r\nhello\r\n");

  await world.exchange(publisher, `HPUB a ${length} ${length}\r\n${headers}\r\n`);
  assertEquals(modern.take(), `HMSG a 1 ${length} ${length}\r\n${headers}\r\n`);
  assertEquals(plain.take(), "MSG a 1 0\r\n\r\n");

  await world.exchange(publisher, "HPUB a 0 2\r\nhi\r\nHPUB a 5 5\r\nwrong\r\n");
  assertEquals(modern.take(), "MSG a 1 2\r\nhi\r\nHMSG a 1 5 5\r\nwrong\r\n");
  assertEquals(plain.take(), "MSG a 1 2\r\nhi\r\nMSG a 1 0\r\n\r\n");
});

Deno.test("two messages with headers in one write do not share what is left of them", async () => {
  await using world = await MemoryBroker.start();
  const publisher = await world.connect();
  const plain = await world.connect({ headers: false, no_responders: false });
  await world.exchange(plain, "SUB a 1\r\n");
  await world.exchange(
    publisher,
    "HPUB a 12 13\r\nNATS/1.0\r\n\r\nX\r\nHPUB a 12 14\r\nNATS/1.0\r\n\r\nYZ\r\n",
  );
  assertEquals(plain.take(), "MSG a 1 1\r\nX\r\nMSG a 1 2\r\nYZ\r\n");
});

Deno.test("a broker without header support refuses HPUB and says so in INFO", async () => {
  await using world = await MemoryBroker.start({ no_header_support: true });
  const client = await world.connectUngreeted();
  await world.settle();
  assertStringIncludes(client.take(), `"headers":false`);
  await world.exchange(client, connectFrame({ no_responders: false }));
  assertEquals(await world.exchange(client, "HPUB a 0 0\r\n\r\n"), "");
  assert(client.ended);
  client.close();
  await world.settle();
  assertEquals(world.ended, [{ id: 1, reason: "Message Header Violation" }]);
});

Deno.test("UNSUB with max counts from SUB on, and frees the sid when it is reached", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  const publish = (count: number) => "PUB a 0\r\n\r\n".repeat(count);
  const delivered = (count: number, sid = "1") => `MSG a ${sid} 0\r\n\r\n`.repeat(count);
  await world.exchange(client, "SUB a 1\r\n");
  assertEquals(await world.exchange(client, publish(2)), delivered(2));
  assertEquals(await world.exchange(client, "UNSUB 1 5\r\n" + publish(9)), delivered(3));
  assertEquals(world.broker.statistics.subscriptions, 0);

  await world.exchange(client, "SUB a 1\r\n" + publish(3));
  assertEquals(client.take(), "");
  assertEquals(await world.exchange(client, "UNSUB 1 3\r\n" + publish(1)), "", "reached already");
  await world.exchange(client, "SUB a 1\r\nUNSUB 1 2\r\nUNSUB 1 4\r\n");
  assertEquals(await world.exchange(client, publish(9)), delivered(4), "raised");
  await world.exchange(client, "SUB a 1\r\nUNSUB 1 2\r\nSUB b 1\r\n");
  assertEquals(
    await world.exchange(client, "PUB b 0\r\n\r\n" + publish(9)),
    delivered(2),
    "the sid was in use until its limit was reached",
  );
  for (const immediate of ["UNSUB 1", "UNSUB 1 0", "UNSUB 1 x", "UNSUB 1 -4"]) {
    await world.exchange(client, `SUB a 1\r\n${immediate}\r\n`);
    assertEquals(world.broker.statistics.subscriptions, 0, immediate);
  }
});

Deno.test("a sid in use keeps its first subscription", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect({ verbose: true });
  assertEquals(
    await world.exchange(client, "SUB a 1\r\nSUB b 1\r\nSUB c..d 1\r\n"),
    "+OK\r\n+OK\r\n+OK\r\n",
  );
  assertEquals(
    await world.exchange(client, "PUB a 0\r\n\r\nPUB b 0\r\n\r\n"),
    "+OK\r\nMSG a 1 0\r\n\r\n+OK\r\n",
  );
});

Deno.test("max_subscriptions is checked before anything else about a SUB, and closes nothing", async () => {
  await using world = await MemoryBroker.start({ max_subscriptions: 2 });
  const client = await world.connect();
  const exceeded = "-ERR 'maximum subscriptions exceeded'\r\n";
  assertEquals(await world.exchange(client, "SUB a 1\r\nSUB b 2\r\n"), "");
  assertEquals(
    await world.exchange(client, "SUB c 3\r\nSUB a 1\r\nSUB x..y 4\r\n"),
    exceeded.repeat(3),
  );
  assertEquals(await world.exchange(client, "PUB c 0\r\n\r\nPUB a 0\r\n\r\n"), "MSG a 1 0\r\n\r\n");
  assertEquals(await world.exchange(client, "UNSUB 2\r\nSUB c 3\r\nSUB d 4\r\n"), exceeded);
  const other = await world.connect();
  assertEquals(await world.exchange(other, "SUB a 1\r\nSUB b 2\r\n"), "", "a limit of each one");
});

Deno.test("max_sub_tokens bounds subscriptions, not messages", async () => {
  await using world = await MemoryBroker.start({ max_sub_tokens: 3 });
  const client = await world.connect();
  assertEquals(await world.exchange(client, "SUB a.b.> 1\r\n"), "");
  assertEquals(
    await world.exchange(client, "SUB a.b.c.d 2\r\n"),
    `-ERR 'Permissions Violation for Subscription to "a.b.c.d", too many tokens'\r\n`,
  );
  assertEquals(
    await world.exchange(client, "PUB a.b.c.d.e 0\r\n\r\n"),
    "MSG a.b.c.d.e 1 0\r\n\r\n",
  );
});

Deno.test("what was subscribed before the first CONNECT stays, a second CONNECT drops all", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connectSilently();
  await world.exchange(client, "SUB a 1\r\nSUB a q 2\r\n");
  await world.exchange(client, connectFrame());
  assertEquals(
    await world.exchange(client, "PUB a 0\r\n\r\n"),
    "MSG a 1 0\r\n\r\nMSG a 2 0\r\n\r\n",
  );
  assertEquals(
    await world.exchange(client, connectFrame() + "PUB a 0\r\n\r\nSUB a 1\r\nPUB a 0\r\n\r\n"),
    "MSG a 1 0\r\n\r\n",
    "also where everything came in one write, and the sid is free again",
  );
  assertEquals(world.broker.statistics.subscriptions, 1);
});

Deno.test("what somebody subscribed to before CONNECT said who it is ends with that", async () => {
  await using world = await MemoryBroker.start({
    no_auth_user: "n",
    accounts: {
      A: { users: [{ user: "n", password: "x" }, { user: "m", password: "x" }] },
      B: { users: [{ user: "b", password: "x" }] },
    },
  });
  const a = await world.connect(), b = await world.connect({ user: "b", pass: "x" });
  for (const who of [{ user: "b", pass: "x" }, { user: "m", pass: "x" }, {}]) {
    const client = await world.connectSilently();
    assertEquals(await world.exchange(client, "SUB s 1\r\nPING\r\n"), "+OK\r\nPONG\r\n");
    await world.exchange(a, "PUB s 1\r\n1\r\n");
    assertEquals(client.take(), "MSG s 1 1\r\n1\r\n");
    await world.exchange(client, connectFrame(who));
    assertEquals(world.broker.statistics.subscriptions, 0);
    await world.exchange(a, "PUB s 1\r\n2\r\n");
    await world.exchange(b, "PUB s 1\r\n3\r\n");
    assertEquals(client.take(), "");
    client.close();
  }
});

Deno.test("a second CONNECT changes only what it names", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect({ verbose: true, echo: false });
  assertEquals(await world.exchange(client, "CONNECT {}\r\n"), "+OK\r\n");
  await world.exchange(client, `CONNECT {"verbose":false,"echo":null}\r\nSUB a 1\r\n`);
  assertEquals(client.take(), "");
  assertEquals(await world.exchange(client, "PUB a 0\r\n\r\n"), "", "still without echo");
  assertEquals(
    await world.exchange(client, `CONNECT {"echo":true}\r\nSUB a 1\r\nPUB a 0\r\n\r\n`),
    "MSG a 1 0\r\n\r\n",
  );
});

Deno.test("INFO, +OK and PONG from a client mean nothing", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  assertEquals(
    await world.exchange(client, `INFO {"port":1}\r\nINFO null\r\n+OK\r\nPONG\r\nPING\r\n`),
    "PONG\r\n",
  );
});

Deno.test("subject, sid and reply of every length arrive as they were sent", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  for (let length = 1; length <= 70; length++) {
    const sid = "s".repeat(length), subject = "\u00e9".repeat(length), reply = "r".repeat(length);
    assertEquals(
      await world.exchange(client, `SUB ${subject} ${sid}\r\nPUB ${subject} ${reply} 3\r\nabc\r\n`),
      `MSG ${subject} ${sid} ${reply} 3\r\nabc\r\n`,
    );
    await world.exchange(client, `UNSUB ${sid}\r\n`);
  }
});

Deno.test("messages are counted as they come in and go out", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect(), other = await world.connect();
  await world.exchange(client, "SUB a 1\r\nSUB > 2\r\n");
  await world.exchange(
    other,
    "PUB a 3\r\nabc\r\nHPUB a 12 13\r\nNATS/1.0\r\n\r\nx\r\nPUB b 1\r\nx\r\n",
  );
  const { inMessages, inBytes, outMessages, outBytes } = world.broker.statistics;
  assertEquals(
    { inMessages, inBytes, outMessages, outBytes },
    { inMessages: 3, inBytes: 17, outMessages: 5, outBytes: 33 },
  );
  client.close();
  await world.settle();
  assertEquals(world.broker.statistics.outMessages, 5, "what the closed one got is not forgotten");
  assertEquals(world.broker.statistics.outBytes, 33);
  assertEquals(world.broker.statistics.totalConnections, 2);

  const plain = await world.connect({ headers: false, no_responders: false });
  await world.exchange(plain, "SUB a 1\r\n");
  await world.exchange(other, "HPUB a 12 13\r\nNATS/1.0\r\n\r\nx\r\n");
  assertEquals(world.broker.statistics.outBytes, 34, "only what was really sent");
});

Deno.test("who is taken for a user without saying anything is not waited for for ever", async () => {
  const authorization = { users: [{ user: "n", password: "x" }], timeout: "1s" };
  await using world = await MemoryBroker.start({ authorization, no_auth_user: "n" });
  const silent = await world.connectSilently(), half = await world.connectSilently();
  const speaking = await world.connectSilently();
  half.send("CONN");
  assertEquals(await world.exchange(speaking, "SUB a 1\r\n"), "+OK\r\n");
  await world.advance(1200);
  assertEquals(silent.take(), "-ERR 'Authentication Timeout'\r\n");
  assertEquals(half.take(), "-ERR 'Authentication Timeout'\r\n");
  assertEquals(await world.exchange(speaking, "PING\r\n"), "PONG\r\n");
});

Deno.test("who is taken for a user is told by the second INFO that there are users", async () => {
  const authorization = { users: [{ user: "n", password: "x" }] };
  await using world = await MemoryBroker.start({ authorization, no_auth_user: "n" });
  const client = await world.connectUngreeted();
  await world.settle();
  const first = client.take();
  const second = await world.exchange(client, connectFrame() + "PING\r\n");
  assertEquals([first.includes("auth_required"), second.includes('"auth_required":true')], [
    false,
    true,
  ]);
});
