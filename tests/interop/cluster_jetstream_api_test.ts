/**
 * The whole of JetStream for clients of a denats whose neighbours have it: three nats-servers hold
 * streams of three replicas, and the client is connected to none of them.
 *
 * `INTEROP_STAND_IN=2.15` puts a nats-server without JetStream in denats' place.
 */
import {
  AckPolicy,
  type Consumer,
  type ConsumerMessages,
  DeliverPolicy,
  type JsMsg,
} from "@nats-io/jetstream";
import { Kvm, type KvWatchEntry } from "@nats-io/kv";
import { Objm } from "@nats-io/obj";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type AccountName, credentials } from "../support/cluster_config.ts";
import { available, DENATS } from "../support/cluster_server.ts";
import { eventually } from "../support/eventually.ts";
import {
  jetStreamOf,
  replicated,
  retried,
  startJetStreamCluster,
} from "../support/jetstream_cluster.ts";
import { connectClient, soon } from "../support/nats_client.ts";

const isAvailable = await available([DENATS, "2.15"]);

/** Clients and iterators live longer than a step. The test around it looks for what is left. */
const LOOSE = { sanitizeOps: false, sanitizeResources: false };

/**
 * A consumer's server may tell that it takes requests later than another one that it is created: a
 * request that reached nobody is repeated after two missed heartbeats.
 */
const PULLING = { expires: 2000, idle_heartbeat: 500 };

/** How long consumers may take to go on after the loss of a server, in milliseconds. */
const RECOVERY_LIMIT_MS = 40_000;

Deno.test({
  name: "cluster: a client of denats uses the streams of nats-servers",
  ignore: !isAvailable,
  fn: async (test) => {
    await using cluster = await startJetStreamCluster(DENATS);
    await using stack = new AsyncDisposableStack();
    const connect = async (account: AccountName) => {
      const client = await connectClient(cluster.ours, credentials(account));
      stack.defer(() => client.close());
      return client;
    };
    const connection = await connect("A"), other = await connect("APP");
    const { client, manager } = await jetStreamOf(connection);

    await test.step({
      ...LOOSE,
      name: "each account has streams of its own",
      fn: async () => {
        const config = { name: "ORDERS", subjects: ["orders.>"], num_replicas: 3 };
        const info = await retried("a stream is created", () => manager.streams.add(config));
        assertEquals(info.config.num_replicas, 3);
        const theirs = await jetStreamOf(other);
        assertEquals((await theirs.manager.getAccountInfo()).streams, 0);
        assertEquals((await manager.getAccountInfo()).streams, 1);
        const same = { ...config, subjects: ["orders.theirs"] };
        await retried("a stream of that name", () => theirs.manager.streams.add(same));
        assertEquals((await theirs.manager.streams.info("ORDERS")).config.subjects, same.subjects);
        assertEquals((await manager.streams.info("ORDERS")).config.subjects, config.subjects);
        await replicated(manager, "ORDERS");
        // An account without JetStream reaches nobody.
        const without = await connect("tenant-1");
        await assertRejects(() => without.request("$JS.API.INFO"), Error, "no responders");
      },
    });
    await test.step({
      ...LOOSE,
      name: "publishers get acknowledgements",
      fn: async () => {
        for (let number = 1; number <= 20; number++) {
          const ack = await client.publish(`orders.${number % 4}`, `${number}`, {
            msgID: `id ${number}`,
          });
          assertEquals([ack.stream, ack.seq, ack.duplicate], ["ORDERS", number, false]);
        }
        const again = await client.publish("orders.0", "again", { msgID: "id 20" });
        assertEquals([again.seq, again.duplicate], [20, true]);
        await assertRejects(
          () => client.publish("orders.0", "late", { expect: { lastSequence: 7 } }),
          Error,
          "wrong last sequence: 20",
        );
        await assertRejects(() => client.publish("nothing.here", "x"), Error);
        const { state } = await manager.streams.info("ORDERS", { subjects_filter: ">" });
        assertEquals(state.messages, 20);
        assertEquals(state.subjects, {
          "orders.0": 5,
          "orders.1": 5,
          "orders.2": 5,
          "orders.3": 5,
        });
      },
    });
    await test.step({
      ...LOOSE,
      name: "pull consumers fetch, take one, and consume",
      fn: async () => {
        await manager.consumers.add("ORDERS", {
          durable_name: "pull",
          ack_policy: AckPolicy.Explicit,
        });
        const consumer = await client.consumers.get("ORDERS", "pull");
        const fetched = await fetchSome(consumer, 5);
        checkNumbers(fetched, 1, 5);
        for (const message of fetched) assert(await message.ackAck());
        const next = await consumer.next({ expires: 5000 });
        assertEquals([next?.seq, next?.subject, next?.string()], [6, "orders.2", "6"]);
        next?.ack();
        const consumed = await messagesOf(consumer.consume({ ...PULLING, max_messages: 4 }), 14);
        checkNumbers(consumed, 7, 20);
        for (const message of consumed) message.ack();
        await eventually("everything is acknowledged", async () => {
          const { ack_floor, num_ack_pending } = await consumer.info();
          return ack_floor.stream_seq === 20 && num_ack_pending === 0;
        });
        const empty = await messagesOf(consumer.fetch({ max_messages: 5, expires: 1000 }), 5);
        assertEquals(empty, []);
      },
    });
    await test.step({
      ...LOOSE,
      name: "what is not acknowledged comes again",
      fn: async () => {
        await manager.consumers.add("ORDERS", {
          durable_name: "again",
          ack_policy: AckPolicy.Explicit,
          filter_subject: "orders.3",
          max_deliver: 2,
        });
        const consumer = await client.consumers.get("ORDERS", "again");
        const [first] = await fetchSome(consumer, 1);
        first?.nak();
        const second = await messagesOf(consumer.fetch({ max_messages: 5, expires: 5000 }), 5);
        assertEquals(
          second.map((one) => [one.string(), one.redelivered, one.info.deliveryCount]).sort(),
          [["11", false, 1], ["15", false, 1], ["19", false, 1], ["3", true, 2], ["7", false, 1]],
        );
        second.forEach((one) => one.term("enough"));
        assert(await manager.consumers.delete("ORDERS", "again"));
      },
    });
    await test.step({
      ...LOOSE,
      name: "push consumers, alone and in a group",
      fn: async () => {
        await manager.consumers.add("ORDERS", {
          durable_name: "push",
          deliver_subject: "deliver.push",
          ack_policy: AckPolicy.Explicit,
          flow_control: true,
          idle_heartbeat: 1_000_000_000,
        });
        const push = await client.consumers.getPushConsumer("ORDERS", "push");
        const pushed = await messagesOf(push.consume(), 20);
        checkNumbers(pushed, 1, 20);
        for (const message of pushed) assert(await message.ackAck());
        assertEquals((await push.info()).num_ack_pending, 0);

        await manager.consumers.add("ORDERS", {
          durable_name: "group",
          deliver_subject: "deliver.group",
          deliver_group: "pickers",
          ack_policy: AckPolicy.Explicit,
          ack_wait: 30_000_000_000,
        });
        const members = await Promise.all([1, 2].map(async () => {
          const member = await client.consumers.getPushConsumer("ORDERS", "group");
          return collect(await member.consume());
        }));
        await eventually(
          "both together get all",
          () => members.flatMap(({ messages }) => messages).length >= 20,
        );
        for (const member of members) await member.stop();
        const all = members.flatMap(({ messages }) => messages).sort((a, b) => a.seq - b.seq);
        checkNumbers(all, 1, 20);
      },
    });
    await test.step({
      ...LOOSE,
      name: "ordered consumers, pulled and pushed",
      fn: async () => {
        const pulled = await client.consumers.get("ORDERS", { filter_subjects: "orders.1" });
        const one = await messagesOf(pulled.consume(PULLING), 5);
        assertEquals(one.map((message) => message.string()), ["1", "5", "9", "13", "17"]);
        const pushed = await client.consumers.getPushConsumer("ORDERS", {
          deliver_policy: DeliverPolicy.StartSequence,
          opt_start_seq: 11,
        });
        checkNumbers(await messagesOf(pushed.consume(), 10), 11, 20);
      },
    });
    await test.step({
      ...LOOSE,
      name: "streams are listed, read directly, changed, purged and deleted",
      fn: async () => {
        const config = { name: "SCRATCH", subjects: ["scratch.>"], num_replicas: 3 };
        await manager.streams.add({ ...config, allow_direct: true });
        for (const number of [1, 2, 3]) await client.publish(`scratch.${number}`, `${number}`);
        const names: string[] = [];
        for await (const name of manager.streams.names()) names.push(name);
        assertEquals(names.sort(), ["ORDERS", "SCRATCH"]);
        const stored = await manager.streams.getMessage("SCRATCH", { seq: 2 });
        assertEquals([stored?.subject, stored?.string()], ["scratch.2", "2"]);
        const direct = await retried("a replica answers", async () => {
          const found = await manager.direct.getMessage("SCRATCH", { last_by_subj: "scratch.3" });
          assert(found !== null);
          return found;
        });
        assertEquals([direct.subject, direct.string(), direct.seq], ["scratch.3", "3", 3]);
        assert(await manager.streams.deleteMessage("SCRATCH", 2));
        const changed = await manager.streams.update("SCRATCH", {
          subjects: ["scratch.>", "more"],
        });
        assertEquals(changed.config.subjects, ["scratch.>", "more"]);
        assertEquals((await manager.streams.purge("SCRATCH")).purged, 2);
        assert(await manager.streams.delete("SCRATCH"));
        await assertRejects(() => manager.streams.info("SCRATCH"), Error, "stream not found");
      },
    });
    await test.step({
      ...LOOSE,
      name: "a key-value store: put, get, watch, update, delete, history",
      fn: async () => {
        const store = await new Kvm(client).create("settings", { replicas: 3, history: 5 });
        const watched: KvWatchEntry[] = [];
        const watch = await store.watch({ key: "color.*" });
        const watching = (async () => {
          for await (const entry of watch) watched.push(entry);
        })();
        const first = await store.put("color.wall", "white");
        const second = await store.update("color.wall", "green", first);
        await assertRejects(() => store.update("color.wall", "red", first), Error);
        await store.put("color.door", "black");
        await assertRejects(() => store.create("color.door", "brown"), Error);
        const entry = await store.get("color.wall");
        assertEquals([entry?.string(), entry?.revision], ["green", second]);
        await store.delete("color.door");
        assertEquals((await store.get("color.door"))?.operation, "DEL");
        assertEquals(await store.get("color.floor"), null);
        await eventually("the watch sees everything", () => watched.length >= 4);
        assertEquals(watched.map(({ key, operation, value }) => [key, operation, value.length]), [
          ["color.wall", "PUT", 5],
          ["color.wall", "PUT", 5],
          ["color.door", "PUT", 5],
          ["color.door", "DEL", 0],
        ]);
        watch.stop();
        await watching;
        const history: (string | undefined)[] = [];
        for await (const { value } of await store.history({ key: "color.wall" })) {
          history.push(new TextDecoder().decode(value));
        }
        assertEquals(history, ["white", "green"]);
        const keys: string[] = [];
        for await (const key of await store.keys()) keys.push(key);
        assertEquals(keys, ["color.wall"]);
      },
    });
    await test.step({
      ...LOOSE,
      name: "an object store: put, get, info, list, delete",
      fn: async () => {
        const store = await new Objm(client).create("blobs", { replicas: 3 });
        const bytes = new Uint8Array(1_500_000).map((_, index) =>
          (index * 31 + index / 997) & 0xff
        );
        const put = await store.putBlob({ name: "picture" }, bytes);
        assertEquals([put.size, put.chunks], [bytes.length, 12]);
        const got = await soon(store.getBlob("picture"));
        assert(got !== null);
        assertEquals(await sha256(got), await sha256(bytes));
        assertEquals((await store.info("picture"))?.digest, put.digest);
        await store.putBlob({ name: "empty" }, new Uint8Array());
        assertEquals((await store.list()).map(({ name }) => name).sort(), ["empty", "picture"]);
        await store.delete("picture");
        assertEquals(await store.getBlob("picture"), null);
      },
    });
    await test.step({
      ...LOOSE,
      name: "a server of the stream is killed and comes back: nothing acknowledged is lost",
      fn: async () => {
        const TOTAL = 240, KILL_AT = 80, RESTART_AT = 160;
        const config = { name: "LEDGER", subjects: ["ledger.*"], num_replicas: 3 };
        const created = await manager.streams.add(config);
        await replicated(manager, "LEDGER");
        await manager.consumers.add("LEDGER", {
          durable_name: "worker",
          ack_policy: AckPolicy.Explicit,
          ack_wait: 5_000_000_000,
        });
        await manager.consumers.add("LEDGER", {
          durable_name: "pushed",
          deliver_subject: "deliver.ledger",
          ack_policy: AckPolicy.Explicit,
          ack_wait: 5_000_000_000,
          idle_heartbeat: 1_000_000_000,
        });
        const store = await new Kvm(client).create("progress", { replicas: 3 });
        const worker = collect(
          await (await client.consumers.get("LEDGER", "worker")).consume(PULLING),
          (message) => message.ack(),
        );
        const pushed = collect(
          await (await client.consumers.getPushConsumer("LEDGER", "pushed")).consume(),
          (message) => message.ack(),
        );
        const ordered = collect(await (await client.consumers.get("LEDGER")).consume(PULLING));
        const watch = await store.watch();
        const seen: string[] = [];
        const watching = (async () => {
          for await (const entry of watch) seen.push(entry.string());
        })();

        const victim = cluster.official.find(({ plan }) => plan.name === created.cluster?.leader);
        assert(victim !== undefined, "the stream's leader is one of the servers");
        const sequences = new Map<number, number>();
        for (let number = 1; number <= TOTAL; number++) {
          if (number === KILL_AT) await victim.kill("SIGKILL");
          if (number === RESTART_AT) await victim.restart();
          const { seq } = await retried(
            `message ${number} is stored`,
            () =>
              client.publish("ledger.entry", `${number}`, { msgID: `${number}`, timeout: 2000 }),
          );
          sequences.set(number, seq);
          if (number % 40 === 0) {
            await retried(
              `the value ${number} is stored`,
              () => store.put(`at.${number}`, `${number}`),
            );
          }
        }
        const texts = (
          messages: readonly JsMsg[],
        ) => [...new Set(messages.map((message) => message.string()))];
        const reached = () =>
          `worker ${worker.messages.length}, pushed ${pushed.messages.length}, ` +
          `ordered ${ordered.messages.length}, watch ${seen.join()} of ${TOTAL}`;
        await eventually(
          reached,
          () =>
            seen.at(-1) === `${TOTAL}` && ordered.messages.length >= TOTAL &&
            texts(worker.messages).length >= TOTAL && texts(pushed.messages).length >= TOTAL,
          RECOVERY_LIMIT_MS,
        );
        // At least once for those that acknowledge, exactly once and in order for the others.
        const every = Array.from({ length: TOTAL }, (_, index) => `${index + 1}`);
        const ascending = (a: string, b: string) => Number(a) - Number(b);
        assertEquals(texts(worker.messages).sort(ascending), every);
        assertEquals(texts(pushed.messages).sort(ascending), every);
        assertEquals(ordered.messages.map((message) => message.string()), every);
        assertEquals(ordered.messages.map(({ seq }) => seq), [...sequences.values()]);
        assertEquals([...new Set(seen)], ["40", "80", "120", "160", "200", "240"]);
        const { state } = await replicated(manager, "LEDGER");
        assertEquals(state.messages, TOTAL);
        watch.stop();
        await watching;
        for (const one of [worker, pushed, ordered]) await one.stop();
      },
    });
  },
});

Deno.test({
  name: "cluster: a client of denats without accounts uses JetStream of the global account",
  ignore: !isAvailable,
  fn: async () => {
    await using cluster = await startJetStreamCluster(DENATS, { noAccounts: true });
    await using stack = new AsyncDisposableStack();
    const connection = await connectClient(cluster.ours);
    stack.defer(() => connection.close());
    const { client, manager } = await jetStreamOf(connection);
    await retried(
      "a stream is created",
      () => manager.streams.add({ name: "EVENTS", subjects: ["events.>"], num_replicas: 3 }),
    );
    assertEquals((await manager.getAccountInfo()).streams, 1);
    await replicated(manager, "EVENTS");
    for (let number = 1; number <= 5; number++) await client.publish("events.new", `${number}`);
    const consumer = await client.consumers.get("EVENTS");
    checkNumbers(await messagesOf(consumer.consume(PULLING), 5), 1, 5);
    const store = await new Kvm(client).create("state", { replicas: 3 });
    await replicated(manager, "KV_state");
    // What the new stream's leader is interested in comes over a route of its own.
    await retried("a value is put", () => store.put("key", "value"));
    assertEquals((await store.get("key"))?.string(), "value");
  },
});

/** What a consumer delivers from now on; `each` is called with every message. */
function collect(messages: ConsumerMessages, each: (message: JsMsg) => void = () => {}) {
  const collected: JsMsg[] = [];
  const done = (async () => {
    for await (const message of messages) {
      collected.push(message);
      each(message);
    }
  })();
  const stop = async () => {
    messages.stop();
    await soon(done);
  };
  return { messages: collected, stop };
}

/** The first `count` messages, or all when it ends before. */
async function messagesOf(started: Promise<ConsumerMessages>, count: number): Promise<JsMsg[]> {
  const messages = await started;
  const collected: JsMsg[] = [];
  await soon((async () => {
    for await (const message of messages) {
      collected.push(message);
      if (collected.length === count) break;
    }
  })());
  await soon(messages.close());
  return collected;
}

/** What a consumer that has enough gives at the first attempt that reaches it. */
function fetchSome(consumer: Consumer, count: number): Promise<JsMsg[]> {
  return retried(`the consumer gives ${count}`, async () => {
    const fetched = await messagesOf(consumer.fetch({ max_messages: count, expires: 5000 }), count);
    assert(fetched.length > 0, "nothing");
    return fetched;
  });
}

/** Messages whose payloads and sequences are the numbers from `first` to `last`, in order. */
function checkNumbers(messages: readonly JsMsg[], first: number, last: number): void {
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  assertEquals(messages.map((message) => [message.seq, message.string()]), [
    ...numbers.map((number) => [number, `${number}`]),
  ]);
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const copy = new Uint8Array(bytes); // backed by a buffer of its own
  const digest = await crypto.subtle.digest("SHA-256", copy);
  return new Uint8Array(digest).toHex();
}
