/**
 * JetStream of nats-server, used by clients of a denats in the same cluster.
 *
 * A message from a stream travels on the consumer's subject, with its own subject behind an `@` of
 * the reply; the server of the client puts both where they belong.
 */
import { headers, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { startGroup } from "../support/cluster_group.ts";
import { available, DENATS } from "../support/cluster_server.ts";
import { meshed, settled, type Side } from "../support/cluster_side.ts";
import { eventually } from "../support/eventually.ts";
import { Received, soon } from "../support/nats_client.ts";

const STREAM = "ORDERS";

/** As clients know it: `$JS.ACK.<stream>.<consumer>.` and five numbers, without an `@`. */
const ACK_SUBJECT = /^\$JS\.ACK\.(?:[^.@]+\.){2,4}(?:\d+\.){4}\d+(?:\.[^.@]+)?$/;

Deno.test({
  name: "cluster: consumers of a stream deliver to clients of denats, which acknowledge",
  ignore: !await available([DENATS, "2.15"]),
  fn: async (test) => {
    // Two with JetStream, because one alone never elects a leader.
    await using group = await startGroup([
      { kind: "2.15", dials: [1], jetstream: true },
      { kind: "2.15", dials: [0], jetstream: true },
      { kind: DENATS, dials: [0, 1] },
    ]);
    const { sides } = group, [official, , ours] = sides as [Side, Side, Side];
    await meshed(sides);
    const manager = official.client(), client = ours.client();
    const config = { name: STREAM, subjects: ["orders.>"], storage: "memory" };
    await manage(manager, `STREAM.CREATE.${STREAM}`, config);
    await settled(sides);

    // The clients live longer than a step. The test around it looks for what is left.
    const options = { sanitizeOps: false, sanitizeResources: false };
    await test.step({
      ...options,
      name: "a publisher gets the stream's acknowledgement",
      fn: async () => {
        for (const number of [1, 2, 3]) {
          const sent = headers();
          sent.set("Number", `${number}`);
          const reply = await client.request(`orders.${number}`, `order ${number}`, {
            headers: sent,
            timeout: 9000,
          });
          assertEquals((reply.json() as { seq: number }).seq, number);
        }
      },
    });
    await test.step({
      ...options,
      name: "a push consumer",
      fn: async () => {
        using received = new Received(client, "deliver.push");
        await settled(sides);
        await manage(manager, `CONSUMER.DURABLE.CREATE.${STREAM}.push`, {
          stream_name: STREAM,
          config: { durable_name: "push", deliver_subject: "deliver.push", ack_policy: "explicit" },
        });
        await received.count(3);
        checkOrders(received.messages);
        for (const message of received.messages) client.publish(message.reply!, "+ACK");
        await acknowledged(manager, "push", 3);
      },
    });
    await test.step({
      ...options,
      name: "a push consumer with a queue group",
      fn: async () => {
        using first = new Received(client, "deliver.group", { queue: "pickers" });
        using second = new Received(client, "deliver.group", { queue: "pickers" });
        await settled(sides);
        await manage(manager, `CONSUMER.DURABLE.CREATE.${STREAM}.group`, {
          stream_name: STREAM,
          config: {
            durable_name: "group",
            deliver_subject: "deliver.group",
            deliver_group: "pickers",
            ack_policy: "explicit",
          },
        });
        await eventually(
          "both members together get all",
          () => first.messages.length + second.messages.length >= 3,
        );
        const messages = [...first.messages, ...second.messages];
        checkOrders(messages.sort((a, b) => a.subject < b.subject ? -1 : 1));
        for (const message of messages) message.respond("+ACK");
        await acknowledged(manager, "group", 3);
      },
    });
    await test.step({
      ...options,
      name: "a pull consumer",
      fn: async () => {
        await manage(manager, `CONSUMER.DURABLE.CREATE.${STREAM}.pull`, {
          stream_name: STREAM,
          config: { durable_name: "pull", ack_policy: "explicit" },
        });
        await settled(sides);
        using received = new Received(client, "pulled.*");
        await settled(sides);
        const next = `$JS.API.CONSUMER.MSG.NEXT.${STREAM}.pull`;
        client.publish(next, "3", { reply: "pulled.here" });
        await received.count(3);
        checkOrders(received.messages);
        for (const message of received.messages) message.respond("+ACK");
        await acknowledged(manager, "pull", 3);
      },
    });
  },
});

/** The three orders, as a client of a nats-server would get them. */
function checkOrders(messages: readonly Msg[]): void {
  assertEquals(
    messages.map((one) => [one.subject, one.string(), one.headers?.get("Number")]),
    ["1", "2", "3"].map((number) => [`orders.${number}`, `order ${number}`, number]),
  );
  for (const { reply } of messages) assertMatch(reply ?? "", ACK_SUBJECT);
}

/** Asks JetStream for something; while there is no leader, again and again. */
async function manage(client: NatsConnection, what: string, request: unknown): Promise<unknown> {
  let answer: { error?: { description: string } } | undefined;
  await eventually(() => `${what}: ${answer?.error?.description ?? "no answer"}`, async () => {
    try {
      answer = (await client.request(`$JS.API.${what}`, JSON.stringify(request), { timeout: 2000 }))
        .json();
    } catch {
      return false;
    }
    return answer?.error === undefined;
  }, 20_000);
  return answer;
}

/** Waits until a consumer knows that everything up to a message is acknowledged. */
async function acknowledged(client: NatsConnection, consumer: string, last: number): Promise<void> {
  await eventually(`${consumer} is acknowledged up to ${last}`, async () => {
    const answer = await soon(manage(client, `CONSUMER.INFO.${STREAM}.${consumer}`, {}));
    const { ack_floor, num_ack_pending } = answer as {
      ack_floor: { stream_seq: number };
      num_ack_pending: number;
    };
    assert(ack_floor.stream_seq <= last);
    return ack_floor.stream_seq === last && num_ack_pending === 0;
  });
}
