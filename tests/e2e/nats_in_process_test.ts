/** The official client inside the broker's process, by itself and beside clients over TCP. */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  AuthorizationError,
  ClosedConnectionError,
  connect,
  ConnectionError,
  type NatsConnection,
  ProtocolError,
  RequestError,
  TimeoutError,
} from "@nats-io/transport-node";
import { type Broker, connectNats } from "../../src/nats/mod.ts";
import { ScopeClosedError } from "../../mod.ts";
import { memoryPipe } from "../../src/platform/mod.ts";
import { startBroker } from "../support/broker.ts";
import { connectClient, Received, soon, status } from "../support/nats_client.ts";

Deno.test("it publishes, subscribes, asks and answers, with clients over TCP and its like", async () => {
  await using broker = await startBroker();
  await using inside = await connectNats(broker, { name: "inside" });
  await using other = await connectNats(broker);
  await using outside = await connectClient(broker);
  const [received, heard] = [new Received(inside, "to.inside"), new Received(other, "to.*")];
  inside.subscribe("upper", {
    callback: (_error, message) => {
      message.respond(message.string().toUpperCase());
    },
  });
  await Promise.all([inside.flush(), other.flush()]);
  assertEquals((await outside.request("upper", "a", { timeout: 5000 })).string(), "A");
  assertEquals((await other.request("upper", "b", { timeout: 5000 })).string(), "B");
  outside.publish("to.inside", "hello");
  await received.count(1);
  await heard.count(1);
  const noResponders = await assertRejects(
    () => inside.request("nobody", "", { timeout: 60_000 }),
    RequestError,
  );
  assert(noResponders.isNoResponders());
  assertEquals(inside.getServer(), "memory:0");
  assertEquals(inside.info?.server_id, broker.id);
  assert(await inside.rtt() >= 0);
});

Deno.test("100,000 messages and 8 MiB payloads arrive in order and whole", async () => {
  const MESSAGES = 100_000, SIZE = 8 * 1024 * 1024;
  await using broker = await startBroker({ max_payload: "8MiB" });
  await using publisher = await connectNats(broker);
  await using subscriber = await connectNats(broker);
  let next = 0, wrong = 0;
  const all = Promise.withResolvers<void>();
  subscriber.subscribe("numbers", {
    callback: (_error, message) => {
      if (message.string() !== `${next}`) wrong++;
      if (++next === MESSAGES) all.resolve();
    },
  });
  const large = new Received(subscriber, "large");
  await subscriber.flush();
  for (let i = 0; i < MESSAGES; i++) publisher.publish("numbers", `${i}`);
  await soon(all.promise);
  assertEquals(wrong, 0);
  const payload = new Uint8Array(SIZE).map((_, at) => at % 251);
  publisher.publish("large", payload);
  await large.count(1);
  assert(large.messages[0]!.data.every((byte, at) => byte === at % 251));
  assertEquals(large.messages[0]!.data.length, SIZE);
});

Deno.test("messages that are kept are not written over by later ones", async () => {
  await using broker = await startBroker();
  await using client = await connectNats(broker);
  const received = new Received(client, "kept");
  for (let i = 0; i < 1000; i++) {
    client.publish("kept", `${i}`.repeat(20));
    if (i % 10 === 0) await client.flush();
  }
  await received.count(1000);
  assertEquals(received.texts, Array.from({ length: 1000 }, (_, i) => `${i}`.repeat(20)));
});

Deno.test("who may connect is decided as over TCP", async () => {
  await using broker = await startBroker({ authorization: { user: "alice", password: "secret" } });
  for (const options of [{}, { user: "alice", pass: "wrong" }, { token: "secret" }]) {
    await assertRejects(() => connectNats(broker, options), AuthorizationError);
  }
  await using client = await connectNats(broker, { user: "alice", pass: "secret" });
  await client.flush();
  assertEquals(broker.statistics.connections, 1);
});

Deno.test("an error that the broker closes it for is what closed() resolves to", async () => {
  await using broker = await startBroker({ max_payload: 100 });
  const client = await connectNats(broker);
  client.info!.max_payload = 1000;
  client.publish("a", new Uint8Array(101));
  const error = await soon(client.closed());
  assertInstanceOf(error, ProtocolError);
  assertEquals(error.message, "Maximum Payload Violation");
  assertThrows(() => client.publish("a"), ClosedConnectionError);
});

Deno.test("when the broker closes, so does the client", async () => {
  const broker = await startBroker();
  const client = await connectNats(broker);
  const disconnected = status(client, "disconnect");
  const closed = client.closed();
  await broker.close();
  assertEquals(await soon(closed), undefined);
  await disconnected;
  await assertRejects(() => client.flush(), ClosedConnectionError);
});

Deno.test("connecting to a broker that has closed is refused", async () => {
  const broker = await startBroker();
  await broker.close();
  await assertRejects(() => connectNats(broker), ScopeClosedError, "broker/clients");
});

/** A broker that says what it is told to, and no more. */
function scriptedBroker(): { broker: Broker; say(text: string): Promise<void>; close(): void } {
  const [client, server] = memoryPipe();
  return {
    broker: { connect: () => client } as unknown as Broker,
    say: async (text) => void await server.write(new TextEncoder().encode(text)),
    close: () => server.close(),
  };
}

Deno.test("a broker that does not answer is given up on", async () => {
  const [client, server] = memoryPipe();
  const broker = { connect: () => client } as unknown as Broker;
  await assertRejects(() => connectNats(broker, { timeout: 20 }), TimeoutError);
  // And hung up on: behind what the client said comes the end.
  const bytes = new Uint8Array(4096);
  let said = "";
  for (let count; (count = await soon(server.read(bytes))) !== null;) {
    said += new TextDecoder().decode(bytes.subarray(0, count));
  }
  assertMatch(said, /^(CONNECT .*\r\n)?(PING\r\n)?$/);
  server.close();
});

Deno.test("a broker that closes instead of answering is an error", async () => {
  const { broker, close } = scriptedBroker();
  const connecting = connectNats(broker);
  close();
  await assertRejects(() => connecting, ConnectionError, "before it let the client in");
});

Deno.test("a round trip under way when the broker closes fails", async () => {
  const { broker, say, close } = scriptedBroker();
  await say('INFO {"version":"2.15.1","max_payload":1024,"headers":true}\r\nPONG\r\n');
  const client = await connectNats(broker);
  const flush = assertRejects(() => soon(client.flush()), RequestError, "disconnected");
  close();
  await flush;
  assertEquals(await soon(client.closed()), undefined);
});

Deno.test("what is published and not taken is bounded", async () => {
  await using broker = await startBroker();
  const client = await connectNats(broker, { maxPendingBytes: 1_000_000 });
  // The broker takes nothing before this turn is over.
  for (let i = 0; i < 2000 && !client.isClosed(); i++) {
    client.publish("flood", new Uint8Array(1000));
  }
  const error = await soon(client.closed());
  assertInstanceOf(error, ConnectionError);
  assertEquals(
    error.message,
    "more than 1000000 bytes were published and not yet taken by the broker: " +
      "await flush() now and then, or raise maxPendingBytes",
  );
  // The same amount in portions is fine.
  await using patient = await connectNats(broker, { maxPendingBytes: 1_000_000 });
  for (let i = 0; i < 2000; i++) {
    patient.publish("flood", new Uint8Array(1000));
    if (i % 500 === 0) await patient.flush();
  }
  await patient.flush();
  for (const maxPendingBytes of [0, -1, NaN]) {
    await assertRejects(() => connectNats(broker, { maxPendingBytes }), RangeError);
  }
});

Deno.test("what a callback throws closes the connection, and is what closed() resolves to", async () => {
  await using broker = await startBroker();
  const client = await connectNats(broker);
  const mistake = new Error("a mistake");
  client.subscribe("a", {
    callback: () => {
      throw mistake;
    },
  });
  client.publish("a");
  assertEquals(await soon(client.closed()), mistake);
});

Deno.test("draining and closing leave nothing behind, and may be repeated", async () => {
  await using broker = await startBroker();
  const drained = await connectNats(broker);
  const received = new Received(drained, "a");
  for (let i = 0; i < 100; i++) drained.publish("a", `${i}`);
  await drained.drain();
  assertEquals(received.messages.length, 100);
  const closed = await connectNats(broker);
  new Received(closed, "b");
  await Promise.all([closed.close(), closed.close()]);
  await closed.close();
  await using last = await connectNats(broker);
  await last.flush();
  assertEquals(broker.statistics.connections, 1);
  assertEquals(broker.statistics.subscriptions, 0);
});

Deno.test("connections over TCP made before, at the same time and after go where they should", async () => {
  await using inProcess = await startBroker({ server_name: "in-process" });
  const tcp = await startBroker({ server_name: "tcp" });
  const { port } = tcp.address;
  const names = (clients: NatsConnection[]) => clients.map((client) => client.info?.server_name);
  const options = { reconnect: true, reconnectTimeWait: 20, reconnectJitter: 0 };
  const before = await connectClient(tcp, { ...options, maxReconnectAttempts: -1 });
  const received = new Received(before, "hello");

  // A host name has to be looked up first: meanwhile others connect.
  const dial = () => connect({ servers: `localhost:${port}`, reconnect: false });
  const beside = await Promise.all([
    dial(),
    connectNats(inProcess),
    dial(),
    connectNats(inProcess),
    dial(),
  ]);
  const after = await connectClient(tcp);
  assertEquals(names(beside), ["tcp", "in-process", "tcp", "in-process", "tcp"]);
  assertEquals(names([before, after]), ["tcp", "tcp"]);
  const inside = beside[1]!;

  // One that has been there all the time reconnects over TCP.
  const reconnected = status(before, "reconnect");
  await Promise.all(
    [...beside, after].filter((each) => each !== inside).map((each) => each.close()),
  );
  await tcp.close();
  await using again = await startBroker({ server_name: "tcp-again", port });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => before.close());
  await reconnected;
  assertEquals(names([before, inside]), ["tcp-again", "in-process"]);
  await using other = await connectClient(again);
  other.publish("hello");
  await received.count(1);
  await inside.close();
});
