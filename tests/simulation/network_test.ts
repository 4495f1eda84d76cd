import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type Connection, ConnectionError, SeededRandom } from "../../src/platform/mod.ts";
import { fromBytes, toBytes } from "../support/wire_text.ts";
import { NodeClock } from "./node_clock.ts";
import { SimulatedNetwork } from "./network.ts";
import type { SimulatedConnection } from "./simulated_connection.ts";
import { Ticks } from "./ticks.ts";
import { Trace } from "./trace.ts";

function setUp() {
  const ticks = new Ticks(), trace = new Trace(ticks);
  const network = new SimulatedNetwork({ ticks, trace, random: new SeededRandom(1) });
  network.onPath = (path) => path.delayMs = 10;
  return { ticks, trace, network };
}

/** A connection from `a` to `b`, where the listener stays open. */
async function connected() {
  const world = setUp(), { ticks, network } = world;
  const listener = network.transport("b").listen({ hostname: "b", port: 1 });
  const accepting = listener.accept(), dialling = network.connect("a", { hostname: "b", port: 1 });
  await ticks.advance(20);
  return {
    ...world,
    near: watch(await dialling),
    far: watch(await accepting as SimulatedConnection),
  };
}

/** Reads all the time, and keeps what comes and how it ended. */
function watch(connection: SimulatedConnection) {
  const watched = { connection, text: "", end: "" };
  const read = async () => {
    const into = new Uint8Array(100_000);
    for (let count; (count = await connection.read(into)) !== null;) {
      watched.text += fromBytes(into.subarray(0, count));
    }
  };
  read().then(() => watched.end = "end", (error) => watched.end = error.message);
  return watched;
}

function outcome(promise: Promise<Connection>): { state: string } {
  const watched = { state: "pending" };
  promise.then(() => watched.state = "connected", (error) => watched.state = error.message);
  return watched;
}

Deno.test("what is written arrives after the path's delay, and in order", async () => {
  const { ticks, network, near, far } = await connected();
  await near.connection.write(toBytes("one "));
  await ticks.advance(9);
  assertEquals(far.text, "");
  await ticks.advance(1);
  assertEquals(far.text, "one ");
  const path = network.path("a", "b");
  path.extraDelayMs = 50;
  await near.connection.write(toBytes("two "));
  await ticks.advance(9);
  await near.connection.write(toBytes("three "));
  await ticks.advance(51);
  assertEquals(far.text, "one two ");
  path.extraDelayMs = 100;
  await near.connection.write(toBytes("four "));
  path.extraDelayMs = 0;
  await near.connection.write(toBytes("five"));
  await ticks.advance(10);
  assertEquals(far.text, "one two three four five");
});

Deno.test("a silent path holds everything back, the end included, until it heals", async () => {
  const { ticks, network, near, far } = await connected();
  const path = network.path("a", "b");
  path.silence();
  await near.connection.write(toBytes("late"));
  near.connection.close();
  await far.connection.write(toBytes("x"));
  await ticks.advance(60_000);
  assertEquals([far.text, far.end], ["", ""]);
  path.unsilence();
  await ticks.advance(10);
  assertEquals([far.text, far.end], ["late", "end"]);
});

Deno.test("one direction can be silent while the other works", async () => {
  const { ticks, network, near, far } = await connected();
  network.path("a", "b").silence();
  await near.connection.write(toBytes("unheard"));
  await far.connection.write(toBytes("heard"));
  await ticks.advance(1000);
  assertEquals([near.text, far.text], ["heard", ""]);
});

Deno.test("a writer waits while too much is under way", async () => {
  const { ticks, network, near, far } = await connected();
  network.path("a", "b").silence();
  assertEquals(await near.connection.write(new Uint8Array(100_000)), 65_536);
  let taken = 0;
  near.connection.write(new Uint8Array(10)).then((count) => taken = count);
  await ticks.advance(1000);
  assertEquals(taken, 0);
  network.path("a", "b").unsilence();
  await ticks.advance(20);
  assertEquals([taken, far.text.length], [10, 65_546]);
});

Deno.test("nobody listens: refused after a round trip; a silent path: no answer", async () => {
  const { ticks, network } = setUp();
  const refused = outcome(network.connect("a", { hostname: "b", port: 1 }));
  await ticks.advance(19);
  assertEquals(refused.state, "pending");
  await ticks.advance(1);
  assertEquals(refused.state, "cannot connect to b:1: connection refused");

  network.path("b", "a").silence();
  const unheard = outcome(network.connect("a", { hostname: "b", port: 1 }));
  await ticks.advance(20_000);
  assertEquals(unheard.state, "cannot connect to b:1: timed out");
});

Deno.test("who gives up dialling leaves nothing behind", async () => {
  const { ticks, network } = setUp(), controller = new AbortController();
  const listener = network.transport("b").listen({ hostname: "b", port: 1 });
  const accepting = listener.accept();
  network.path("b", "a").silence();
  const { signal } = controller;
  const dialling = outcome(network.connect("a", { hostname: "b", port: 1, signal }));
  await ticks.advance(500);
  const far = watch(await accepting as SimulatedConnection);
  controller.abort();
  await ticks.advance(100);
  assertStringIncludes(dialling.state, "given up");
  assertEquals(far.end, "end");
  assertEquals(network.host("a").connections.size, 0);
});

Deno.test("a dial whose answer was lost succeeds once the path heals", async () => {
  const { ticks, network } = setUp();
  const listener = network.transport("b").listen({ hostname: "b", port: 1 });
  void listener.accept();
  network.path("b", "a").silence();
  const dialling = outcome(network.connect("a", { hostname: "b", port: 1 }));
  await ticks.advance(500);
  network.path("b", "a").unsilence();
  await ticks.advance(1000);
  assertEquals(dialling.state, "connected");
  assertEquals(network.host("b").connections.size, 1);
});

Deno.test("a process that is killed resets its connections, and never runs again", async () => {
  const { ticks, network, near, far } = await connected();
  network.host("b").crash("killed");
  await ticks.advance(10);
  assertEquals(near.end, "connection reset by peer");
  assertEquals(far.end, "");
  await assertRejects(() => near.connection.write(new Uint8Array(1)), ConnectionError);
  assertEquals(network.host("b").connections.size, 0);
});

Deno.test("of a host that vanished nobody hears, until it is back and knows nothing", async () => {
  const { ticks, network, near } = await connected();
  const host = network.host("b");
  host.crash("vanished");
  await near.connection.write(toBytes("are you there?"));
  await ticks.advance(60_000);
  assertEquals(near.end, "");
  network.start(host);
  await ticks.advance(20);
  assertEquals(near.end, "connection reset by peer");
});

Deno.test("a process that stands still gets everything when it goes on", async () => {
  const { ticks, network, near, far } = await connected();
  const host = network.host("b"), clock = new NodeClock(ticks), fired: string[] = [];
  clock.setTimer(5, () => fired.push("first"));
  clock.setTimer(15, () => fired.push("second"));
  host.stand();
  clock.stand();
  await near.connection.write(toBytes("hello"));
  await ticks.advance(100);
  assertEquals([far.text, fired.length, clock.pendingTimers], ["", 0, 2]);
  clock.resume();
  host.resume();
  await ticks.advance(0);
  assertEquals([far.text, fired.join(), clock.pendingTimers], ["hello", "first,second", 0]);
});

Deno.test("closing what has unread bytes is a reset, as with sockets", async () => {
  const { ticks, network, near, far } = await connected();
  network.host("b").stand();
  await near.connection.write(toBytes("unread"));
  await ticks.advance(10);
  far.connection.close();
  await ticks.advance(10);
  assertEquals(near.end, "connection reset by peer");
});

Deno.test("a choppy path gives everything in small pieces", async () => {
  const { ticks, network, near, far } = await connected();
  network.path("a", "b").pieceBytes = 3;
  const text = "0123456789".repeat(10);
  await near.connection.write(toBytes(text));
  await ticks.advance(10);
  assertEquals(far.text, text);
});

Deno.test("a wall clock that jumps moves no timer, and a dead process has none", async () => {
  const ticks = new Ticks(), clock = new NodeClock(ticks);
  const beforeMs = clock.now();
  let fired = 0;
  clock.setTimer(10, () => fired++);
  clock.jump(-3_600_000);
  assertEquals(clock.now(), beforeMs - 3_600_000);
  await ticks.advance(10);
  assertEquals(fired, 1);
  clock.setTimer(10, () => fired++);
  clock.kill();
  clock.setTimer(10, () => fired++);
  await ticks.advance(100);
  assertEquals(fired, 1);
});

Deno.test("equal histories have equal traces, and a byte makes the difference", async () => {
  const run = async (text: string) => {
    const { ticks, trace, near } = await connected();
    await near.connection.write(toBytes(text));
    await ticks.advance(10);
    return trace.hash;
  };
  assertEquals(await run("a"), await run("a"));
  assert(await run("a") !== await run("b"));
});
