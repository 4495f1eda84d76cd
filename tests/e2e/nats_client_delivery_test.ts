/** Who receives what, in which order and how often, as the official client sees it. */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Empty, headers } from "@nats-io/transport-node";
import { startBroker } from "../support/broker.ts";
import { connectClient, Received, soon } from "../support/nats_client.ts";

Deno.test("a message reaches every subscriber of its subject, and nobody else", async () => {
  await using broker = await startBroker();
  await using first = await connectClient(broker);
  await using second = await connectClient(broker);
  await using publisher = await connectClient(broker);
  const [weather, again, sports] = [
    new Received(first, "weather"),
    new Received(second, "weather"),
    new Received(second, "sports"),
  ];
  await Promise.all([first.flush(), second.flush()]);

  publisher.publish("weather", "sunny");
  publisher.publish("weather.local", "rain");
  publisher.publish("weather");
  publisher.publish("Weather", "snow");
  await publisher.flush();
  await weather.count(2);
  await again.count(2);

  assertEquals(weather.texts, ["sunny", ""]);
  assertEquals(again.texts, ["sunny", ""]);
  await second.flush();
  assertEquals(sports.texts, []);
});

Deno.test("a publisher gets its own message, unless it asked for no echo", async () => {
  await using broker = await startBroker();
  await using loud = await connectClient(broker);
  await using quiet = await connectClient(broker, { noEcho: true });
  const [own, none] = [new Received(loud, "a"), new Received(quiet, "b")];
  loud.publish("a", "1");
  quiet.publish("b", "1");
  await Promise.all([loud.flush(), quiet.flush()]);
  assertEquals(own.texts, ["1"]);
  assertEquals(none.texts, []);
});

Deno.test("wildcards match whole tokens", async () => {
  await using broker = await startBroker();
  await using client = await connectClient(broker);
  const patterns = ["orders.*", "orders.>", "orders.*.paid", "*.eu", ">", "orders.eu", "orders"];
  const received = new Map(patterns.map((pattern) => [pattern, new Received(client, pattern)]));
  for (const subject of ["orders", "orders.eu", "orders.eu.paid", "orders.us.paid", "refunds.eu"]) {
    client.publish(subject);
  }
  await client.flush();
  const seen = Object.fromEntries(
    [...received].map(([pattern, { messages }]) => [pattern, messages.map((m) => m.subject)]),
  );
  assertEquals(seen, {
    "orders.*": ["orders.eu"],
    "orders.>": ["orders.eu", "orders.eu.paid", "orders.us.paid"],
    "orders.*.paid": ["orders.eu.paid", "orders.us.paid"],
    "*.eu": ["orders.eu", "refunds.eu"],
    ">": ["orders", "orders.eu", "orders.eu.paid", "orders.us.paid", "refunds.eu"],
    "orders.eu": ["orders.eu"],
    "orders": ["orders"],
  });
});

Deno.test("a queue group gets one copy of each message, spread evenly over its members", async () => {
  const MESSAGES = 3000, MEMBERS = 3;
  await using broker = await startBroker();
  await using publisher = await connectClient(broker);
  await using stack = new AsyncDisposableStack();
  const ids: string[] = [], all = Promise.withResolvers<void>();
  const shares: number[] = [];
  for (let member = 0; member < MEMBERS; member++) {
    const client = stack.use(await connectClient(broker));
    shares.push(0);
    client.subscribe("work.*", {
      queue: "workers",
      callback: (_error, message) => {
        ids.push(message.string());
        shares[member]!++;
        if (ids.length === MESSAGES) all.resolve();
      },
    });
    await client.flush();
  }
  // A second group and a plain subscriber get copies of their own.
  const [other, plain] = [
    new Received(publisher, "work.>", { queue: "auditors" }),
    new Received(publisher, "work.job"),
  ];
  for (let i = 0; i < MESSAGES; i++) publisher.publish("work.job", `${i}`);
  await publisher.flush();
  await soon(all.promise);

  assertEquals(new Set(ids).size, MESSAGES);
  assertEquals(ids.length, MESSAGES);
  assertEquals(other.messages.length, MESSAGES);
  assertEquals(plain.messages.length, MESSAGES);
  // Six standard deviations of a binomial distribution: fails once in 10^8 runs.
  const mean = MESSAGES / MEMBERS;
  const tolerance = 6 * Math.sqrt(mean * (1 - 1 / MEMBERS));
  for (const share of shares) {
    assert(Math.abs(share - mean) < tolerance, `not even: ${shares}`);
  }
});

Deno.test("a queue group goes on with the members that are left", async () => {
  await using broker = await startBroker();
  await using publisher = await connectClient(broker);
  await using staying = await connectClient(broker);
  const leaving = await connectClient(broker);
  const [stays, leaves] = [
    new Received(staying, "work", { queue: "workers" }),
    new Received(leaving, "work", { queue: "workers" }),
  ];
  await Promise.all([staying.flush(), leaving.flush()]);
  for (let i = 0; i < 100; i++) publisher.publish("work", `${i}`);
  await publisher.flush();
  await Promise.all([staying.flush(), leaving.flush()]);
  await leaving.drain();
  for (let i = 100; i < 200; i++) publisher.publish("work", `${i}`);
  await publisher.flush();
  await stays.count(200 - leaves.messages.length);

  assert(leaves.messages.length > 0, "a member was never chosen");
  assertEquals(new Set([...stays.texts, ...leaves.texts]).size, 200);
});

Deno.test("headers arrive as they were sent, with and without a payload", async () => {
  await using broker = await startBroker();
  await using publisher = await connectClient(broker);
  await using subscriber = await connectClient(broker);
  const received = new Received(subscriber, "with.headers");
  await subscriber.flush();
  const sent = headers();
  sent.append("Trace-Id", "17");
  sent.append("Tag", "red");
  sent.append("Tag", "green");
  sent.append("Text", "zażółć gęślą jaźń");
  publisher.publish("with.headers", "payload", { headers: sent, reply: "answers.here" });
  publisher.publish("with.headers", Empty, { headers: sent });
  await publisher.flush();
  await received.count(2);
  for (const [at, message] of received.messages.entries()) {
    assertEquals(message.headers?.values("Tag"), ["red", "green"]);
    assertEquals(message.headers?.get("Trace-Id"), "17");
    assertEquals(message.headers?.get("Text"), "zażółć gęślą jaźń");
    assertEquals(message.string(), at === 0 ? "payload" : "");
    assertEquals(message.reply, at === 0 ? "answers.here" : "");
  }
});

Deno.test("100,000 messages from one publisher arrive in order, all of them, once", async () => {
  const MESSAGES = 100_000;
  await using broker = await startBroker();
  await using publisher = await connectClient(broker);
  await using subscriber = await connectClient(broker);
  let next = 0, firstWrong: string | null = null;
  const done = Promise.withResolvers<void>();
  subscriber.subscribe("numbers", {
    callback: (_error, message) => {
      const text = message.string();
      if (text !== `${next}`) firstWrong ??= `${text} in place of ${next}`;
      if (++next === MESSAGES) done.resolve();
    },
  });
  await subscriber.flush();
  for (let i = 0; i < MESSAGES; i++) publisher.publish("numbers", `${i}`);
  await publisher.flush();
  await soon(done.promise);
  await subscriber.flush();
  assertStrictEquals(firstWrong, null);
  assertEquals(next, MESSAGES);
  assertEquals(broker.statistics.inMessages, MESSAGES);
  assertEquals(broker.statistics.outMessages, MESSAGES);
  assertEquals(broker.statistics.slowConsumers, 0);
});

Deno.test("4 subscribers each get all of 50,000 messages in order", async () => {
  const MESSAGES = 50_000, SUBSCRIBERS = 4;
  await using broker = await startBroker();
  await using publisher = await connectClient(broker);
  await using stack = new AsyncDisposableStack();
  const counts = new Array<number>(SUBSCRIBERS).fill(0), wrong: string[] = [];
  const done: Promise<void>[] = [];
  for (let at = 0; at < SUBSCRIBERS; at++) {
    const client = stack.use(await connectClient(broker));
    const all = Promise.withResolvers<void>();
    done.push(all.promise);
    client.subscribe("numbers", {
      callback: (_error, message) => {
        if (message.string() !== `${counts[at]}`) wrong.push(`${at}: ${message.string()}`);
        if (++counts[at]! === MESSAGES) all.resolve();
      },
    });
    await client.flush();
  }
  for (let i = 0; i < MESSAGES; i++) publisher.publish("numbers", `${i}`);
  await publisher.flush();
  await soon(Promise.all(done));
  assertEquals(wrong, []);
  assertEquals(counts, new Array(SUBSCRIBERS).fill(MESSAGES));
});

Deno.test("the order of each publisher is kept when several publish at once", async () => {
  const PUBLISHERS = 5, MESSAGES = 4000;
  await using broker = await startBroker();
  await using subscriber = await connectClient(broker);
  await using stack = new AsyncDisposableStack();
  const received = new Received(subscriber, "numbers.*");
  await subscriber.flush();
  const publishers = await Promise.all(
    Array.from({ length: PUBLISHERS }, () => connectClient(broker)),
  );
  for (const publisher of publishers) stack.use(publisher);
  // In turns of different lengths, so that their bytes interleave.
  await Promise.all(publishers.map(async (publisher, id) => {
    for (let i = 0; i < MESSAGES; i++) {
      publisher.publish(`numbers.${id}`, `${i}`);
      if (i % (37 * (id + 1)) === 0) await publisher.flush();
    }
    await publisher.flush();
  }));
  await received.count(PUBLISHERS * MESSAGES);
  const expected = Array.from({ length: MESSAGES }, (_, i) => `${i}`);
  for (let id = 0; id < PUBLISHERS; id++) {
    const own = received.messages.filter(({ subject }) => subject === `numbers.${id}`);
    assertEquals(own.map((message) => message.string()), expected);
  }
});
