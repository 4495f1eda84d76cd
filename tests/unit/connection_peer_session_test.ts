import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { PeerSession, SlabPool, TouchedOutboxes, WriteWatch } from "../../src/connection/mod.ts";
import { type Connection, memoryPipe, SeededRandom, VirtualClock } from "../../src/platform/mod.ts";
import type { CloseReason } from "../../src/protocol/mod.ts";
import { Scope } from "../../src/supervisor/mod.ts";
import { MemoryClient } from "../support/memory_broker.ts";
import { fromBytes, toBytes } from "../support/wire_text.ts";

/** A session whose frames are single bytes: each is handed to the test's `handle`. */
class ByteSession extends PeerSession {
  readonly handled: string[] = [];
  readonly told: string[] = [];
  handle: (byte: string) => Promise<void> | null = () => null;
  reply(text: string): void {
    this.outbox.appendText(text);
    this.outbox.flush();
  }

  protected override opened(): void {
    this.told.push("opened");
    this.reply("hello\n");
  }
  protected override get needed(): number {
    return 0;
  }
  protected override received(): Promise<void> | null {
    while (this.inbox.start < this.inbox.end && this.closing === null) {
      const byte = fromBytes(this.inbox.slab.bytes.subarray(this.inbox.start, ++this.inbox.start));
      this.handled.push(byte);
      const wait = this.handle(byte);
      if (wait !== null) return wait;
    }
    return null;
  }
  protected override leaving(reason: CloseReason): void {
    this.told.push(`leaving ${reason}`);
  }
  protected override ended(reason: CloseReason): Promise<void> {
    this.told.push(`ended ${reason}`);
    return Promise.resolve();
  }
}

/** A session in a scope of its own, over `connection`. */
function start(connection: Connection) {
  const clock = new VirtualClock();
  const scope = new Scope("test", { clock, random: new SeededRandom(1), onPanic: () => {} });
  const watch = new WriteWatch({ highWater: 1000, lowWater: 400, writeDeadlineMs: 1000 });
  const session = new ByteSession(
    {
      clock,
      touched: new TouchedOutboxes(),
      outboxSettings: {
        pool: new SlabPool(),
        watch,
        maxPending: 100_000,
        crowdedAbove: 75_000,
        patient: false,
      },
    },
    connection,
    1,
  );
  return { clock, scope, session, ended: session.run(scope) };
}

function startPiped() {
  const [near, far] = memoryPipe();
  return { peer: new MemoryClient(near), ...start(far) };
}

Deno.test("a session greets, handles what comes in order, and ends with the peer", async () => {
  const { peer, session, ended } = startPiped();
  await peer.send("ab");
  await peer.send("c");
  await peer.connection.closeWrite();
  await ended;
  assertEquals(session.handled, ["a", "b", "c"]);
  assertEquals(session.told, ["opened", "leaving clientClosed", "ended clientClosed"]);
  assertEquals(peer.take(), "hello\n");
});

Deno.test("what must be waited for holds up what is behind it, and nothing gets lost", async () => {
  const { clock, peer, session, ended } = startPiped();
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const opening = [...gates];
  session.handle = (byte) => byte === "w" ? opening.shift()!.promise : null;
  await peer.send("awbw");
  void peer.send("c");
  await clock.settle();
  assertEquals(session.handled.join(""), "aw");
  gates[0]!.resolve();
  await clock.settle();
  assertEquals(session.handled.join(""), "awbw");
  gates[1]!.resolve();
  await clock.settle();
  assertEquals(session.handled.join(""), "awbwc");
  peer.close();
  await ended;
});

Deno.test("the first reason to close holds, and its words come last", async () => {
  const { peer, session, ended } = startPiped();
  session.handle = () => {
    session.reply("answer\n");
    session.close("parseError", "first");
    session.close("staleConnection", "second");
    return null;
  };
  await peer.send("abc");
  await peer.connection.closeWrite();
  await ended;
  assertEquals(session.handled, ["a"]);
  assertEquals(session.told, ["opened", "leaving parseError", "ended parseError"]);
  assertEquals(peer.take(), "hello\nanswer\n-ERR 'first'\r\n");
});

Deno.test("a panic closes the connection and is passed on", async () => {
  const { peer, session, ended } = startPiped();
  session.handle = () => {
    throw new RangeError("a mistake");
  };
  void peer.send("a");
  await assertRejects(() => ended, RangeError, "a mistake");
  assertEquals(session.told.at(-1), "ended internalError");
  assert(peer.ended);
});

Deno.test("cancelling the scope closes the connection without -ERR", async () => {
  const { scope, peer, session, ended } = startPiped();
  session.reply("queued\n");
  await scope.close();
  await ended;
  assertEquals(session.told.at(-1), "ended serverShutdown");
  assertEquals(peer.take(), "hello\nqueued\n");
});

/** A peer that sends as much as is asked for, for ever, and takes everything. */
class Flood implements Connection {
  readonly localAddress = { hostname: "flood", port: 0 };
  readonly remoteAddress = { hostname: "flood", port: 0 };
  mostAsked = 0;
  reads = 0;
  closed = false;
  onRead: () => void = () => {};

  read(into: Uint8Array): Promise<number | null> {
    this.reads++;
    this.mostAsked = Math.max(this.mostAsked, into.length);
    this.onRead();
    into.set(toBytes("x"));
    return Promise.resolve(this.closed ? null : into.length);
  }
  write(from: Uint8Array): Promise<number> {
    return Promise.resolve(from.length);
  }
  closeWrite(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {
    this.closed = true;
  }
}

Deno.test("what a peer sends while it is being closed is thrown away, not kept", async () => {
  const flood = new Flood();
  const { session, ended } = start(flood);
  session.handle = () => {
    session.close("parseError", "enough");
    return null;
  };
  flood.onRead = () => {
    if (flood.reads === 1000) flood.close();
  };
  await ended;
  assertEquals(flood.reads, 1000);
  assertLessOrEqual(flood.mostAsked, 200_000);
});
