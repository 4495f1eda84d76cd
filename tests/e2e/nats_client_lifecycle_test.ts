/** From connect to close, and back again, with the official client. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedConnectionError, DrainingConnectionError } from "@nats-io/transport-node";
import { startBroker } from "../support/broker.ts";
import { connectClient, Received, soon, status } from "../support/nats_client.ts";

Deno.test("flush and rtt are round trips", async () => {
  await using broker = await startBroker();
  await using client = await connectClient(broker);
  await client.flush();
  const rtt = await client.rtt();
  assert(rtt >= 0 && rtt < 1000, `${rtt} ms`);
  await Promise.all(Array.from({ length: 100 }, () => client.flush()));
});

Deno.test("INFO tells the client about the server", async () => {
  await using broker = await startBroker({ server_name: "one" });
  await using client = await connectClient(broker);
  const { info } = client;
  assertEquals(info?.server_name, "one");
  assertEquals(info?.server_id, broker.id);
  assertEquals(info?.port, broker.address.port);
  assertEquals(info?.headers, true);
  assertEquals(info?.client_ip, "127.0.0.1");
});

Deno.test("a subscription ends after the number of messages it was limited to", async () => {
  await using broker = await startBroker();
  await using client = await connectClient(broker);
  await using publisher = await connectClient(broker);
  const [limited, atOnce, later] = [
    new Received(client, "n", { max: 3 }),
    new Received(client, "n"),
    new Received(client, "n"),
  ];
  await client.flush();
  assertEquals(broker.statistics.subscriptions, 3);
  publisher.publish("n", "0");
  await publisher.flush();
  await later.count(1);
  atOnce.subscription.unsubscribe();
  later.subscription.unsubscribe(4);
  await client.flush();
  for (let i = 1; i < 10; i++) publisher.publish("n", `${i}`);
  await publisher.flush();
  await later.count(4);
  await client.flush();

  assertEquals(limited.texts, ["0", "1", "2"]);
  assertEquals(atOnce.texts, ["0"]);
  assertEquals(later.texts, ["0", "1", "2", "3"]);
  assertEquals(broker.statistics.subscriptions, 0);
});

Deno.test("draining a subscription delivers what is under way, and nothing after", async () => {
  await using broker = await startBroker();
  await using client = await connectClient(broker);
  await using publisher = await connectClient(broker);
  const received = new Received(client, "n");
  await client.flush();
  for (let i = 0; i < 1000; i++) publisher.publish("n", `${i}`);
  await publisher.flush();
  await received.subscription.drain();
  publisher.publish("n", "too late");
  await publisher.flush();
  await client.flush();
  assertEquals(received.texts, Array.from({ length: 1000 }, (_, i) => `${i}`));
  assert(received.subscription.isClosed());
});

Deno.test("draining a connection finishes what it has begun, and closes it", async () => {
  await using broker = await startBroker();
  await using publisher = await connectClient(broker);
  await using observer = await connectClient(broker);
  const worker = await connectClient(broker);
  const results = new Received(observer, "results");
  worker.subscribe("jobs", {
    callback: (_error, message) => worker.publish("results", `${message.string()} done`),
  });
  await Promise.all([observer.flush(), worker.flush()]);
  for (let i = 0; i < 500; i++) publisher.publish("jobs", `${i}`);
  await publisher.flush();

  const drained = worker.drain();
  assertThrows(() => worker.subscribe("more"), DrainingConnectionError);
  await soon(drained);
  assertThrows(() => worker.publish("results"), ClosedConnectionError);
  await results.count(500);
  assertEquals(results.texts, Array.from({ length: 500 }, (_, i) => `${i} done`));
});

Deno.test("closing a connection takes its subscriptions with it", async () => {
  await using broker = await startBroker();
  const gone = Promise.withResolvers<string>();
  using _ = broker.on("disconnected", ({ reason }) => gone.resolve(reason));
  const client = await connectClient(broker);
  for (let i = 0; i < 100; i++) new Received(client, `subject.${i}.*`);
  await client.flush();
  assertEquals(broker.statistics.subscriptions, 100);
  await client.close();
  assertEquals(await soon(gone.promise), "Client Closed");
  await using other = await connectClient(broker);
  await other.flush();
  assertEquals(broker.statistics.subscriptions, 0);
  assertEquals(broker.statistics.connections, 1);
  await assertRejects(() => client.flush(), ClosedConnectionError);
});

Deno.test("200 clients talk at once", async () => {
  const CLIENTS = 200;
  await using broker = await startBroker();
  await using stack = new AsyncDisposableStack();
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, (_, i) => connectClient(broker, { name: `client ${i}` })),
  );
  for (const client of clients) stack.use(client);
  const received = clients.map((client) => new Received(client, "all"));
  await Promise.all(clients.map((client) => client.flush()));
  assertEquals(broker.statistics.connections, CLIENTS);
  for (const [i, client] of clients.entries()) client.publish("all", `${i}`);
  await Promise.all(received.map((each) => each.count(CLIENTS)));
  for (const { texts } of received) assertEquals(new Set(texts).size, CLIENTS);
});

Deno.test("a client comes back to a new broker on the same port, with its subscriptions", async () => {
  const first = await startBroker();
  const { port } = first.address;
  const client = await connectClient(first, {
    reconnect: true,
    reconnectTimeWait: 20,
    reconnectJitter: 0,
    maxReconnectAttempts: -1,
  });
  const received = new Received(client, "greet.*");
  const queued = new Received(client, "work", { queue: "workers" });
  await client.flush();
  const disconnected = status(client, "disconnect"), reconnected = status(client, "reconnect");
  await first.close();
  await disconnected;
  await using second = await startBroker({ port });
  // Closed before the broker is, or it would go on trying.
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => client.close());
  await reconnected;
  await using other = await connectClient(second);
  other.publish("greet.sue", "1");
  other.publish("work", "2");
  await other.flush();
  await received.count(1);
  await queued.count(1);
  assertEquals(received.texts, ["1"]);
  assertEquals(queued.texts, ["2"]);
  client.publish("greet.me", "3");
  await received.count(2);
  assertEquals(client.info?.server_id, second.id);
  assertEquals(second.statistics.subscriptions, 2);
});

Deno.test("a client without reconnecting is closed with its broker", async () => {
  const broker = await startBroker();
  const client = await connectClient(broker);
  const closed = client.closed();
  await broker.close();
  await soon(closed);
  assertThrows(() => client.publish("a"), ClosedConnectionError);
});
