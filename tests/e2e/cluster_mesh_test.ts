/** Clusters over real sockets, in this process. */
import { assert, assertEquals, assertLess } from "@std/assert";
import type { Broker } from "../../mod.ts";
import { taskCount } from "../support/observed_broker.ts";
import { RawClient } from "../support/conversation.ts";
import { eventually } from "../support/eventually.ts";
import { Mesh } from "../support/mesh.ts";
import { connectClient, Received, soon, status } from "../support/nats_client.ts";

/** Whether `broker` knows exactly so much interest of all its peers together. */
function knows(broker: Broker, count: number): boolean {
  let known = 0;
  for (const { routes } of broker.routes()) for (const { interests } of routes) known += interests;
  return known === count;
}

Deno.test("ten brokers are a full mesh within three seconds of the last one's start", async () => {
  await using mesh = await Mesh.start(10);
  const startedAtMs = performance.now();
  await mesh.full();
  assertLess(performance.now() - startedAtMs, 3000);
  for (const broker of mesh.brokers) {
    assertEquals(broker.statistics.routes, 9 * 4);
    assertEquals(new Set(broker.routes().map(({ name }) => name)).size, 9);
  }
});

Deno.test("a mesh stays right while 1,000 subscriptions change per second on each broker", async () => {
  await using mesh = await Mesh.start(4);
  await mesh.full();
  const clients = await Promise.all(
    mesh.brokers.map((broker) => RawClient.connect(broker.address)),
  );
  try {
    for (const client of clients) await client.receiveLine();
    for (const client of clients) client.send("CONNECT {}\r\nPING\r\n");
    // 1,000 begin and 900 end, ten times in a second, and a tenth stays.
    for (let round = 0; round < 10; round++) {
      const nextMs = performance.now() + 100;
      clients.forEach((client, who) => {
        let text = "";
        for (let i = 0; i < 100; i++) {
          text += `SUB churn.${who}.${round}.${i} ${round * 100 + i}\r\n`;
        }
        for (let i = 10; i < 100; i++) text += `UNSUB ${round * 100 + i}\r\n`;
        client.send(text);
      });
      await eventually("time passes", () => performance.now() >= nextMs);
    }
    for (const broker of mesh.brokers) {
      await eventually("all interest is known, and no other", () => knows(broker, 3 * 100));
    }
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
  for (const broker of mesh.brokers) await eventually("it is all gone", () => knows(broker, 0));
});

Deno.test("interest of 100,000 subjects reaches a new peer in two seconds, and clients are served", async () => {
  const count = 100_000;
  await using mesh = await Mesh.start(1);
  const [first] = mesh.brokers as [Broker];
  const subscriber = await RawClient.connect(first.address);
  let text = 'CONNECT {"verbose":false}\r\n';
  for (let i = 0; i < count; i++) text += `SUB orders.${i}.new ${i}\r\n`;
  subscriber.send(text);
  await eventually("all are subscribed", () => first.statistics.subscriptions === count);
  await using client = await connectClient(first);

  // The best of several is the brokers' own doing, and the others the machine's.
  const times: { readonly ms: number; readonly slowestMs: number }[] = [];
  let second: Broker;
  do {
    const startedAtMs = performance.now();
    let slowestMs = 0;
    second = await mesh.add();
    while (!knows(second, count)) {
      const sentMs = performance.now();
      await client.flush();
      slowestMs = Math.max(slowestMs, performance.now() - sentMs);
    }
    times.push({ ms: performance.now() - startedAtMs, slowestMs });
    // Both brokers and the test are one process here.
  } while (times.length < 6 && !times.some(({ ms, slowestMs }) => ms < 2000 && slowestMs < 250));
  assert(
    times.some(({ ms, slowestMs }) => ms < 2000 && slowestMs < 250),
    `it took ${JSON.stringify(times)}`,
  );
  subscriber[Symbol.dispose]();
  await eventually("it is all gone", () => knows(second, 0));
});

Deno.test("requests, queue groups and headers work across brokers", async () => {
  await using mesh = await Mesh.start(3);
  await mesh.full();
  const [a, b, c] = await Promise.all(mesh.brokers.map((broker) => connectClient(broker)));
  try {
    const got = [a!, b!, c!].map((client) => new Received(client, "work", { queue: "q" }));
    const plain = new Received(c!, "work");
    b!.subscribe("svc", { callback: (_error, m) => void m.respond(`answer to ${m.string()}`) });
    await Promise.all([a!.flush(), b!.flush(), c!.flush()]);
    for (const broker of mesh.brokers) {
      await eventually(
        "it is known",
        () => broker.routes().every(({ id }) => broker.remoteInterest(id).length > 0),
      );
    }
    for (let i = 0; i < 3000; i++) a!.publish("work", String(i));
    await plain.count(3000);
    await Promise.all([a!.flush(), b!.flush()]);
    await eventually(
      "each once",
      () => got.reduce((sum, { messages }) => sum + messages.length, 0) >= 3000,
    );
    assertEquals(got.reduce((sum, { messages }) => sum + messages.length, 0), 3000);
    // Each has the same chance, wherever it is: three standard deviations are 80.
    for (const { messages } of got) {
      assert(Math.abs(messages.length - 1000) < 160, `${messages.length}`);
    }
    assertEquals((await soon(c!.request("svc", "1"))).string(), "answer to 1");
    const error = await c!.request("nobody").catch((error) => error as Error);
    assert(error instanceof Error && /no responders/i.test(error.message + error.name));
  } finally {
    await Promise.all([a, b, c].map((client) => client!.close()));
  }
});

Deno.test("clients learn of brokers that come and go", async () => {
  await using mesh = await Mesh.start(1);
  await using client = await connectClient(mesh.brokers[0]!);
  const came = status(client, "update");
  const second = await mesh.add();
  const { address } = second;
  assertEquals((await came).added, [`${address.hostname}:${address.port}`]);
  const went = status(client, "update");
  await second.close();
  assertEquals((await went).deleted, [`${address.hostname}:${address.port}`]);
});

Deno.test("a broker that leaves a cluster leaves nothing behind", async () => {
  await using mesh = await Mesh.start(2);
  await mesh.full();
  const [first] = mesh.brokers as [Broker];
  const third = await mesh.add();
  await mesh.full();
  const before = taskCount(first.tasks());
  await third.close();
  await eventually("it is gone", () => first.routes().length === 1);
  await eventually("so are its tasks", () => taskCount(first.tasks()) === before - 4);
});

Deno.test("clients are told of no address where nobody listens", async () => {
  await using mesh = await Mesh.start(2, { host: "0.0.0.0" });
  await mesh.full();
  const port = mesh.brokers[0]!.address.port;
  let urls: string[] = [];
  await eventually("clients are told of other addresses", async () => {
    using client = await RawClient.connect({ hostname: "127.0.0.1", port });
    urls = JSON.parse((await client.receiveLine()).slice("INFO ".length)).connect_urls ?? [];
    return urls.length > 0;
  });
  for (const url of urls) {
    const { hostname, port } = new URL(`nats://${url}`);
    (await Deno.connect({ hostname: hostname.replace(/^\[|\]$/g, ""), port: +port })).close();
  }
});
