/** Request and reply with the official client. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  Empty,
  headers,
  NoRespondersError,
  RequestError,
  TimeoutError,
} from "@nats-io/transport-node";
import { startBroker } from "../support/broker.ts";
import { connectClient, Received } from "../support/nats_client.ts";

Deno.test("a request is answered, with one subscription for all requests or one for each", async () => {
  await using broker = await startBroker();
  await using service = await connectClient(broker);
  await using client = await connectClient(broker);
  service.subscribe("upper", {
    callback: (_error, message) => {
      const answer = headers();
      answer.set("Length", `${message.data.length}`);
      message.respond(message.string().toUpperCase(), { headers: answer });
    },
  });
  await service.flush();
  for (const noMux of [false, true]) {
    const answer = await client.request("upper", "hello", { timeout: 5000, noMux });
    assertEquals(answer.string(), "HELLO");
    assertEquals(answer.headers?.get("Length"), "5");
  }
});

Deno.test("1,000 requests under way at once each get their own answer", async () => {
  await using broker = await startBroker();
  await using service = await connectClient(broker);
  await using client = await connectClient(broker);
  service.subscribe("square.*", {
    queue: "squares",
    callback: (_error, message) => {
      message.respond(`${Number(message.subject.split(".")[1]) ** 2}`);
    },
  });
  await service.flush();
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, i) => client.request(`square.${i}`, "", { timeout: 5000 })),
  );
  assertEquals(answers.map((answer) => Number(answer.string())), answers.map((_, i) => i * i));
});

Deno.test("requestMany gets every answer, up to a count or the last one", async () => {
  await using broker = await startBroker();
  await using services = await connectClient(broker);
  await using client = await connectClient(broker);
  for (const name of ["a", "b", "c"]) {
    services.subscribe("who", {
      callback: (_error, message) => {
        message.respond(name);
      },
    });
  }
  services.subscribe("list", {
    callback: (_error, message) => {
      for (const item of ["1", "2", "3", "4"]) message.respond(item);
      message.respond(Empty);
    },
  });
  await services.flush();
  const all = async (answers: Promise<AsyncIterable<{ string(): string }>>) => {
    const texts: string[] = [];
    for await (const answer of await answers) texts.push(answer.string());
    return texts;
  };
  for (const noMux of [false, true]) {
    const counted = await all(
      client.requestMany("who", "", { strategy: "count", maxMessages: 3, maxWait: 5000, noMux }),
    );
    assertEquals(counted.toSorted(), ["a", "b", "c"]);
    const listed = await all(
      client.requestMany("list", "", { strategy: "sentinel", maxWait: 5000, noMux }),
    );
    assertEquals(listed.filter((text) => text !== ""), ["1", "2", "3", "4"]);
  }
});

Deno.test("a request that nobody listens to fails at once", async () => {
  await using broker = await startBroker();
  await using client = await connectClient(broker);
  const error = await assertRejects(
    () => client.request("nobody.here", "", { timeout: 60_000 }),
    RequestError,
  );
  assert(error.isNoResponders());
  await assertRejects(async () => {
    const answers = await client.requestMany("nobody.here", "", { maxWait: 60_000, noMux: true });
    for await (const _ of answers) throw new Error("an answer from nobody");
  }, NoRespondersError);

  // The frame behind it: status 503 in headers, without a payload.
  const received = new Received(client, "my.inbox");
  client.publish("nobody.here", "question", { reply: "my.inbox" });
  await received.count(1);
  assertEquals(received.messages[0]!.headers?.code, 503);
  assertEquals(received.messages[0]!.data.length, 0);
});

Deno.test("a request that somebody hears but does not answer times out", async () => {
  await using broker = await startBroker();
  await using client = await connectClient(broker);
  const heard = new Received(client, "silence");
  await client.flush();
  await assertRejects(() => client.request("silence", "", { timeout: 50 }), TimeoutError);
  assertEquals(heard.messages.length, 1);
});
