import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  AcceptError,
  type Connection,
  ConnectionError,
  ListenError,
  memoryPipe,
  MemoryTransport,
  VirtualClock,
} from "../../src/platform/mod.ts";

const encode = (text: string) => new TextEncoder().encode(text);

async function readText(connection: Connection, limit = 64): Promise<string | null> {
  const into = new Uint8Array(limit);
  const count = await connection.read(into);
  return count === null ? null : new TextDecoder().decode(into.subarray(0, count));
}

/** Watches a promise without waiting for it. */
function outcome(promise: Promise<unknown>): { state: string } {
  const watched = { state: "pending" };
  promise.then(() => watched.state = "fulfilled", () => watched.state = "rejected");
  return watched;
}

const settle = () => new VirtualClock().settle();

Deno.test("bytes written to one end are read at the other, in both directions", async () => {
  const [first, second] = memoryPipe();
  await first.write(encode("PING"));
  assertEquals(await readText(second), "PING");
  const pending = readText(first);
  await second.write(encode("PONG"));
  assertEquals(await pending, "PONG");
});

Deno.test("a write waits while the buffer is full and a read while it is empty", async () => {
  const [first, second] = memoryPipe({ capacityBytes: 4 });
  assertEquals(await first.write(encode("abcdef")), 4, "takes what fits");
  const writing = first.write(encode("ef"));
  const watched = outcome(writing);
  await settle();
  assertEquals(watched.state, "pending");
  assertEquals(await readText(second, 1), "a");
  assertEquals(await writing, 1, "takes the room the read made");
  assertEquals(await readText(second), "bcde");
  const reading = outcome(second.read(new Uint8Array(1)));
  await settle();
  assertEquals(reading.state, "pending");
  second.close();
  await settle();
  assertEquals(reading.state, "rejected");
});

Deno.test("after close the peer reads what is left, then the end, and cannot write", async () => {
  const [first, second] = memoryPipe({ capacityBytes: 8 });
  await first.write(encode("bye"));
  await second.write(encode("12345678"));
  const stuck = second.write(encode("9"));
  const ownRead = outcome(first.read(new Uint8Array(0)).then(() => first.read(new Uint8Array(8))));
  first.close();
  first.close();
  await assertRejects(() => stuck, ConnectionError, "broken pipe");
  assertEquals(await readText(second), "bye");
  assertEquals(await readText(second), null);
  assertEquals(await readText(second), null);
  await assertRejects(() => second.write(encode("x")), ConnectionError, "broken pipe");
  await assertRejects(() => first.read(new Uint8Array(1)), ConnectionError, "connection closed");
  await assertRejects(() => first.write(encode("x")), ConnectionError, "connection closed");
  await settle();
  assertEquals(ownRead.state, "rejected");
});

Deno.test("closing rejects the pending read and the pending write of this side", async () => {
  const [first] = memoryPipe({ capacityBytes: 1 });
  await first.write(encode("x"));
  const read = first.read(new Uint8Array(1));
  const write = first.write(encode("y"));
  first.close();
  await assertRejects(() => read, ConnectionError, "connection closed");
  await assertRejects(() => write, ConnectionError, "connection closed");
});

Deno.test("closeWrite ends one direction and leaves the other open", async () => {
  const [first, second] = memoryPipe();
  await first.write(encode("last words"));
  await first.closeWrite();
  assertEquals(await readText(second), "last words");
  assertEquals(await readText(second), null);
  await second.write(encode("still heard"));
  assertEquals(await readText(first), "still heard");
  await assertRejects(() => first.write(encode("x")), ConnectionError);
});

Deno.test("a stalled link swallows bytes and the end until it resumes", async () => {
  const [first, second] = memoryPipe({ capacityBytes: 4 });
  first.stall();
  assertEquals(await first.write(encode("lost?")), 4);
  const write = outcome(first.write(encode("?")));
  const reading = readText(second);
  const read = outcome(reading);
  await settle();
  assertEquals([write.state, read.state], ["pending", "pending"]);
  first.close();
  await settle();
  assertEquals(read.state, "pending", "the peer does not hear of the close");
  assertEquals(await second.write(encode("hi")), 2, "nor do its writes fail");
  first.resume();
  assertEquals(await reading, "lost");
  assertEquals(await readText(second), null);
  await assertRejects(() => second.write(encode("x")), ConnectionError, "broken pipe");
});

Deno.test("a stall of one direction leaves a half-open link", async () => {
  const [first, second] = memoryPipe();
  first.stall("sent");
  await second.write(encode("heard"));
  assertEquals(await readText(first), "heard");
  await first.write(encode("unheard"));
  const read = outcome(second.read(new Uint8Array(8)));
  await settle();
  assertEquals(read.state, "pending");
  second.close();
  await settle();
  assertEquals(read.state, "rejected", "closing one's own end works on a stalled link");
});

Deno.test("a reset fails both ends at once and loses what was under way", async () => {
  const [first, second] = memoryPipe();
  await first.write(encode("lost"));
  const pending = first.read(new Uint8Array(1));
  second.reset();
  for (
    const failing of [
      () => pending,
      () => second.read(new Uint8Array(4)),
      () => first.write(encode("x")),
      () => second.write(encode("x")),
    ]
  ) {
    await assertRejects(failing, ConnectionError, "connection reset by peer");
  }
  first.close();
  second.close();
});

Deno.test("a second read while one is pending is refused, not queued", async () => {
  const [first, second] = memoryPipe();
  const pending = readText(first);
  await assertRejects(() => first.read(new Uint8Array(1)), ConnectionError, "another read");
  await second.write(encode("ok"));
  assertEquals(await pending, "ok");
});

Deno.test("a pipe carries any bytes unchanged, however they are cut", async () => {
  await fc.assert(fc.asyncProperty(
    fc.uint8Array({ maxLength: 300 }),
    fc.integer({ min: 1, max: 17 }),
    fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
    async (sent, capacityBytes, sizes) => {
      const size = () => sizes.next().value as number;
      const [first, second] = memoryPipe({ capacityBytes });
      const writing = (async () => {
        for (let at = 0; at < sent.length;) {
          at += await first.write(sent.subarray(at, at + size()));
        }
        first.close();
      })();
      const received: number[] = [];
      for (;;) {
        const into = new Uint8Array(size());
        const count = await second.read(into);
        if (count === null) break;
        assert(count > 0);
        received.push(...into.subarray(0, count));
      }
      await writing;
      assertEquals(received, [...sent]);
    },
  ));
});

Deno.test("a transport connects by host and port, and port 0 picks one", async () => {
  const transport = new MemoryTransport();
  const listener = transport.listen({ hostname: "a", port: 0 });
  assert(listener.address.port > 0);
  const accepting = listener.accept();
  const client = await transport.connect({ hostname: "a", port: listener.address.port });
  const server = await accepting;
  assertEquals(client.remoteAddress, listener.address);
  assertEquals(server.localAddress, listener.address);
  assertEquals(server.remoteAddress, client.localAddress);
  await client.write(encode("hello"));
  assertEquals(await readText(server), "hello");
  assertThrows(() => transport.listen(listener.address), ListenError, "address already in use: a:");
  await assertRejects(
    () => transport.connect({ hostname: "b", port: listener.address.port }),
    ConnectionError,
    "connection refused",
  );
  await assertRejects(
    () => transport.connect({ ...listener.address, signal: AbortSignal.abort() }),
    ConnectionError,
    "gave up",
  );
  listener.close();
  listener.close();
  transport.listen(listener.address).close();
});

Deno.test("a wildcard listener answers for every host name", async () => {
  const transport = new MemoryTransport();
  const listener = transport.listen({ hostname: "0.0.0.0", port: 4222 });
  await transport.connect({ hostname: "127.0.0.1", port: 4222 });
  assertEquals((await listener.accept()).localAddress, { hostname: "127.0.0.1", port: 4222 });
  listener.close();
});

Deno.test("closing a listener rejects the pending accept and resets what was not accepted", async () => {
  const transport = new MemoryTransport();
  const busy = transport.listen({ hostname: "a", port: 1 });
  const waiting = await transport.connect({ hostname: "a", port: 1 });
  busy.close();
  await assertRejects(() => waiting.read(new Uint8Array(1)), ConnectionError, "reset");
  const idle = transport.listen({ hostname: "a", port: 1 });
  const pending = idle.accept();
  idle.close();
  for (const accept of [() => pending, () => idle.accept()]) {
    const error = await assertRejects(accept, AcceptError, "listener closed: a:1");
    assertInstanceOf(error, AcceptError);
    assertEquals([error.transient, error.closed], [false, true]);
  }
});

Deno.test("a full backlog refuses", async () => {
  const transport = new MemoryTransport();
  const listener = transport.listen({ hostname: "a", port: 1 });
  for (let index = 0; index < 1024; index++) await transport.connect({ hostname: "a", port: 1 });
  await assertRejects(() => transport.connect({ hostname: "a", port: 1 }), ConnectionError);
  await listener.accept();
  await transport.connect({ hostname: "a", port: 1 });
  listener.close();
});
