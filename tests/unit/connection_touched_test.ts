import { assertEquals } from "@std/assert";
import { TouchedOutboxes } from "../../src/connection/mod.ts";
import { VirtualClock } from "../../src/platform/mod.ts";
import { ScriptedConnection } from "../support/scripted_connection.ts";
import { WatchedOutbox } from "../support/watched_outbox.ts";
import { fromBytes } from "../support/wire_text.ts";

const settle = () => new VirtualClock().settle();

Deno.test("each touched outbox is flushed once, the others are not", async () => {
  const touched = new TouchedOutboxes();
  const connections = Array.from({ length: 3 }, () => new ScriptedConnection(Infinity));
  const [first, second, third] = connections.map((connection) => new WatchedOutbox(connection));
  for (const watched of [first!, second!, third!]) watched.outbox.appendText("abc");
  touched.add(first!.outbox);
  touched.add(second!.outbox);
  touched.add(first!.outbox);
  assertEquals(touched.flush(), null);
  await settle();
  assertEquals(
    connections.map(({ taken }) => fromBytes(Uint8Array.from(taken))),
    ["abc", "abc", ""],
  );
  assertEquals([first!.writers, second!.writers, third!.writers], [1, 1, 0]);
  assertEquals(touched.flush(), null, "nothing is left to flush");
  touched.add(third!.outbox);
  first!.outbox.appendText("d");
  touched.add(first!.outbox);
  touched.flush();
  await settle();
  assertEquals(fromBytes(Uint8Array.from(connections[2]!.taken)), "abc");
  assertEquals(fromBytes(Uint8Array.from(connections[0]!.taken)), "abcd", "touched anew");
});

Deno.test("the outboxes that publishers should wait for are told, and how many there were", () => {
  const touched = new TouchedOutboxes();
  const make = (length: number, crowdedAbove = Infinity) => {
    const { outbox } = new WatchedOutbox(new ScriptedConnection(), {
      highWater: 1000,
      crowdedAbove,
    });
    outbox.appendText("x".repeat(length));
    touched.add(outbox);
    return outbox;
  };
  make(1000);
  const behind = make(1001);
  make(1);
  const congestion = touched.flush();
  assertEquals(congestion?.outboxes.map((outbox) => outbox === behind), [true]);
  assertEquals(congestion?.recipients, 3);

  const lagging = make(5000);
  lagging.lagging = true;
  assertEquals(touched.flush(), null, "nobody waits for one that lags");
  const crowded = make(5000, 4000);
  crowded.lagging = true;
  assertEquals(touched.flush()?.outboxes.length, 1, "unless it is about to be closed");
});

Deno.test("a publisher that receives its own messages is no recipient to wait for", () => {
  const touched = new TouchedOutboxes();
  const make = (length: number) => {
    const { outbox } = new WatchedOutbox(new ScriptedConnection(), { highWater: 1000 });
    outbox.appendText("x".repeat(length));
    touched.add(outbox);
    return outbox;
  };
  const own = make(1), behind = make(1001);
  const congestion = touched.flush(own);
  assertEquals(congestion?.recipients, 1);
  assertEquals(congestion?.outboxes.map((outbox) => outbox === behind), [true]);
});

Deno.test("an outbox that fails in the flush may touch others, which wait for the next one", async () => {
  const touched = new TouchedOutboxes();
  const connection = new ScriptedConnection(Infinity);
  const bystander = new WatchedOutbox(connection);
  const failing = new WatchedOutbox(new ScriptedConnection(), { maxPending: 10 });
  failing.outboxFailed = () => {
    bystander.outbox.appendText("news");
    touched.add(bystander.outbox);
  };
  failing.outbox.appendText("x".repeat(11));
  touched.add(failing.outbox);
  assertEquals(touched.flush(), null);
  touched.flush();
  await settle();
  assertEquals(fromBytes(Uint8Array.from(connection.taken)), "news");
});

Deno.test("very many outboxes are flushed some at a time, and all in the end", async () => {
  const touched = new TouchedOutboxes(), own = new WatchedOutbox(new ScriptedConnection(Infinity));
  const connections = Array.from({ length: 1000 }, () => new ScriptedConnection(Infinity));
  const all = connections.map((connection) => new WatchedOutbox(connection, { highWater: 2 }));
  for (const { outbox } of [...all, own]) {
    outbox.appendText("abc");
    touched.add(outbox);
  }
  const started = () => all.filter(({ writers }) => writers > 0).length;
  const congestion = touched.flush(own.outbox)!;
  assertEquals([started(), congestion.recipients], [256, 1000]);
  // Somebody else's chunk neither flushes them nor waits for them.
  all[999]!.outbox.appendText("d");
  touched.add(all[999]!.outbox);
  assertEquals(touched.flush(), null);
  assertEquals(started(), 256);
  let slices = 1;
  while (touched.flushMore(congestion)) slices++;
  assertEquals([started(), slices, congestion.outboxes.length], [1000, 3, 1000]);
  await settle();
  const texts = connections.map(({ taken }) => fromBytes(Uint8Array.from(taken)));
  assertEquals(texts.slice(0, 999).every((text) => text === "abc"), true);
  assertEquals(texts[999], "abcd");
});
