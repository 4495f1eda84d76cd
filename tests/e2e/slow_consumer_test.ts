/**
 * Subscribers that do not keep up: they are closed with their reason, or miss what there is no room
 * for; the others lose nothing, and publishers wait for a bounded time.
 */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import type { Broker, Connection } from "../../mod.ts";
import { startBroker } from "../support/broker.ts";
import { greeted, until } from "../support/bystanders.ts";

const encoder = new TextEncoder();

/** Why clients were closed, in order. */
function closeReasons(broker: Broker): string[] {
  const reasons: string[] = [];
  broker.on("disconnected", ({ reason }) => void reasons.push(reason));
  return reasons;
}

/** Messages of one size that are numbered. */
class Numbered {
  readonly #head: Uint8Array;
  readonly #frameLength: number;

  /** `size`: bytes of payload, at least 8. */
  constructor(readonly subject: string, readonly size: number) {
    this.#head = encoder.encode(`MSG ${subject} 1 ${size}\r\n`);
    this.#frameLength = this.#head.length + size + 2;
  }

  /** PUB frames of the messages `first` to `last - 1`. */
  published(first: number, last: number): string {
    let text = "";
    for (let n = first; n < last; n++) {
      text += `PUB ${this.subject} ${this.size}\r\n${String(n).padStart(this.size, "0")}\r\n`;
    }
    return text;
  }

  /**
   * Reads deliveries until message `last - 1` has come or the connection ends, and returns how many
   * came. Asserts that they are whole and ascend, without a gap where `gaps` is false.
   */
  async receive(connection: Deno.TcpConn, last: number, gaps = false): Promise<number> {
    const length = this.#frameLength;
    let kept = new Uint8Array(0), expected = 0, count = 0;
    const chunk = new Uint8Array(262_144);
    while (expected < last) {
      const read = await connection.read(chunk.subarray(kept.length));
      if (read === null) break;
      const bytes = chunk.subarray(0, kept.length + read);
      let at = 0;
      while (at + length <= bytes.length) {
        if (bytes[at] === 0x50) {
          at += "PING\r\n".length;
          continue;
        }
        for (let i = 0; i < this.#head.length; i++) {
          assert(bytes[at + i] === this.#head[i], `not a delivery after ${count} of them`);
        }
        at += length;
        const number = Number(new TextDecoder().decode(bytes.subarray(at - 10, at - 2)));
        if (gaps) assert(number >= expected, `${number} came after ${expected - 1}`);
        else assert(number === expected, `${number} came instead of ${expected}`);
        expected = number + 1;
        count++;
      }
      kept = bytes.slice(at);
      chunk.set(kept);
    }
    return count;
  }
}

/** A connection with a subscription whose answer was read: from now on only deliveries come. */
async function subscribed(broker: Broker, subject: string): Promise<Deno.TcpConn> {
  const connection = await Deno.connect(broker.address);
  await connection.write(
    encoder.encode(`CONNECT {"verbose":false}\r\nSUB ${subject} 1\r\nPING\r\n`),
  );
  const bytes = new Uint8Array(4096);
  for (let text = ""; !text.endsWith("PONG\r\n");) {
    text += new TextDecoder().decode(bytes.subarray(0, await connection.read(bytes) ?? 0));
  }
  return connection;
}

Deno.test("one of twenty subscribers never reads: it is closed, the others get everything in order", async () => {
  await using broker = await startBroker({ max_pending: "8MB" });
  const reasons = closeReasons(broker);
  using connections = new DisposableStack();
  const subscribers = await Promise.all(
    Array.from({ length: 20 }, () => subscribed(broker, "fan")),
  );
  for (const subscriber of subscribers) connections.use(subscriber);
  using publisher = await greeted(broker);
  const messages = new Numbered("fan", 1000), total = 24_000;
  const receiving = Promise.all(
    subscribers.slice(1).map((one) => messages.receive(one, total)),
  );
  // It is awaited below, after the publisher, which waits for the same messages.
  receiving.catch(() => {});
  for (let n = 0; n < total; n += 1000) await publisher.send(messages.published(n, n + 1000));
  await publisher.send("PING\r\n");
  await publisher.receiveUntil((text) => text.includes("PONG\r\n"));
  assertEquals(await receiving, subscribers.slice(1).map(() => total));
  await until(() => reasons.length > 0);
  assertEquals(reasons, ["Slow Consumer (Pending Bytes)"]);
  const { slowConsumers, connections: open, panics } = broker.statistics;
  assertEquals({ slowConsumers, open, panics }, { slowConsumers: 1, open: 20, panics: 0 });
});

Deno.test("a subscriber that reads slowly slows its publisher, and loses nothing", async () => {
  await using broker = await startBroker();
  const [subscriber, publisher] = [broker.connect(), broker.connect()];
  await opened(subscriber, "SUB slow 1\r\n");
  await opened(publisher, "");
  const payload = "x".repeat(16_384), count = 512;
  const frame = `MSG slow 1 16384\r\n${payload}\r\n`.length;
  const publishing = (async () => {
    for (let n = 0; n < count; n++) await send(publisher, `PUB slow 16384\r\n${payload}\r\n`);
  })();
  const bytes = new Uint8Array(65_536);
  let received = 0, mostPending = 0;
  while (received < frame * count) {
    received += await subscriber.read(bytes) ?? 0;
    mostPending = Math.max(mostPending, broker.statistics.outBytes - received);
    // Other things have their turn, as they would between the reads of a program that works.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await publishing;
  assert(broker.statistics.stalledReads > 0, "the publisher was never held back");
  assert(mostPending < 3_000_000, `${mostPending} bytes were waiting`);
  assertEquals(broker.statistics.slowConsumers, 0);
  subscriber.close();
  publisher.close();
});

Deno.test("a publisher waits a bounded time, wherever its subscriber stops reading", async () => {
  await using broker = await startBroker();
  const payload = "x".repeat(65_536 - 30);
  const stops = [0, 128, 256, 384, 512, 640, 768, 896, 1024, 1536];
  await Promise.all(stops.map(async (kilobytes) => {
    const [subscriber, publisher] = [broker.connect(), broker.connect()];
    await opened(subscriber, `SUB stop.${kilobytes} 1\r\n`);
    await opened(publisher, "");
    const startedAtMs = performance.now();
    const publish = `PUB stop.${kilobytes} ${payload.length}\r\n${payload}\r\n`;
    const publishing = send(publisher, `${publish.repeat(16)}PING\r\n`);
    const bytes = new Uint8Array(16_384);
    for (let read = 0; read < kilobytes * 1024 && read < 16 * payload.length;) {
      read += await subscriber.read(bytes) ?? 0;
    }
    await publishing;
    const limit = setTimeout(() => publisher.close(), 5000);
    // The broker's own PING may come before the answer.
    for (let answer = ""; !answer.includes("PONG\r\n");) {
      const count = await publisher.read(bytes).catch(() => null);
      assert(count !== null, `stopped after ${kilobytes} KiB: no answer within 5 s`);
      answer += new TextDecoder().decode(bytes.subarray(0, count));
    }
    clearTimeout(limit);
    const elapsedMs = performance.now() - startedAtMs;
    assert(elapsedMs < 3000, `stopped after ${kilobytes} KiB: answered after ${elapsedMs} ms`);
    subscriber.close();
    publisher.close();
  }));
});

Deno.test("a write that takes longer than write_deadline closes the subscriber at once", async () => {
  await using broker = await startBroker({ write_deadline: "200ms" });
  const reasons = closeReasons(broker);
  using _deaf = await subscribed(broker, "bulk");
  using publisher = await greeted(broker);
  const startedAtMs = performance.now();
  // More than the sockets' buffers take.
  await publisher.send(new Numbered("bulk", 60_000).published(0, 250) + "PING\r\n");
  await until(() => reasons.length > 0);
  const elapsedMs = performance.now() - startedAtMs;
  assertEquals(reasons, ["Slow Consumer (Write Deadline)"]);
  assert(elapsedMs < 1500, `closed after ${elapsedMs} ms`);
  await publisher.receiveUntil((text) => text.includes("PONG\r\n"));
});

Deno.test("a subscriber that has more waiting than a tiny max_pending is closed; one with less is not", async () => {
  await using broker = await startBroker({ max_payload: 1024, max_pending: 4096 });
  const reasons = closeReasons(broker);
  const deaf = broker.connect();
  await opened(deaf, "SUB burst 1\r\n");
  using steady = await subscribed(broker, "steady");
  using publisher = await greeted(broker);
  await publisher.send(new Numbered("burst", 1024).published(0, 1000) + "PING\r\n");
  await publisher.receiveUntil((text) => text.includes("PONG\r\n"));
  publisher.take();
  await until(() => reasons.length > 0);
  deaf.close();
  assertEquals(reasons, ["Slow Consumer (Pending Bytes)"]);
  const messages = new Numbered("steady", 100);
  const receiving = messages.receive(steady, 300);
  for (let n = 0; n < 300; n += 10) {
    await publisher.send(messages.published(n, n + 10) + "PING\r\n");
    await publisher.receiveUntil((text) => text.includes("PONG\r\n"));
    publisher.take();
  }
  assertEquals(await receiving, 300);
  assertEquals(reasons.length, 1);
});

Deno.test("no_fast_producer_stall: what there is no room for is dropped for that subscriber only", async () => {
  await using broker = await startBroker({ no_fast_producer_stall: true, max_pending: "2MB" });
  const reasons = closeReasons(broker);
  using slow = await subscribed(broker, "fan");
  using fast = await subscribed(broker, "fan");
  using publisher = await greeted(broker);
  const messages = new Numbered("fan", 10_000), total = 2000;
  const receiving = messages.receive(fast, total);
  for (let n = 0; n < total; n += 20) {
    await publisher.send(messages.published(n, n + 20) + "PING\r\n");
    await publisher.receiveUntil((text) => text.includes("PONG\r\n"));
    publisher.take();
  }
  assertEquals(await receiving, total);
  const late = messages.receive(slow, total + 1, true);
  // Once it reads again, it gets what is published now.
  let over = false;
  late.finally(() => over = true).catch(() => {});
  const deadlineMs = performance.now() + 5000;
  while (!over && performance.now() < deadlineMs) {
    await publisher.send(messages.published(total, total + 1) + "PING\r\n");
    await publisher.receiveUntil((text) => text.includes("PONG\r\n"));
    publisher.take();
  }
  const count = await late;
  assert(count > 100 && count < total, `${count} of ${total} arrived at the slow one`);
  assertEquals(reasons, []);
  assertEquals(broker.statistics.slowConsumers, 0);
});

/** Opens an in-process connection: CONNECT, `text`, PING, and reads all answers. */
async function opened(connection: Connection, text: string): Promise<void> {
  await send(connection, `CONNECT {"verbose":false}\r\n${text}PING\r\n`);
  const bytes = new Uint8Array(4096);
  for (let answer = ""; !answer.endsWith("PONG\r\n");) {
    answer += new TextDecoder().decode(bytes.subarray(0, await connection.read(bytes) ?? 0));
  }
}

async function send(connection: Connection, text: string): Promise<void> {
  const bytes = encoder.encode(text);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

Deno.test("a subscriber that reads steadily over a real socket sets the pace, and is not closed", async () => {
  await using broker = await startBroker({ max_pending: "8MiB" });
  const reasons = closeReasons(broker);
  const connect = `CONNECT {"verbose":false,"pedantic":false}\r\n`;
  using subscriber = await Deno.connect(broker.address);
  await subscriber.write(encoder.encode(`${connect}SUB a 1\r\nPING\r\n`));
  const buffer = new Uint8Array(65_536), decoder = new TextDecoder();
  for (let text = ""; !text.includes("PONG\r\n");) {
    text += decoder.decode(buffer.subarray(0, await subscriber.read(buffer) ?? 0));
  }
  // 20 MB at no more than some 8 MB/s. The system buffers megabytes of it, and then takes nothing for
  // as long as it takes the subscriber to make room.
  const one = `PUB a 1024\r\n${"x".repeat(1024)}\r\n`, count = 20_000;
  const wanted = count * `MSG a 1 1024\r\n${"x".repeat(1024)}\r\n`.length;
  const publishing = (async () => {
    using publisher = await Deno.connect(broker.address);
    const chunk = encoder.encode(one.repeat(100));
    await publisher.write(encoder.encode(connect));
    for (let sent = 0; sent < count; sent += 100) {
      for (let at = 0; at < chunk.length;) at += await publisher.write(chunk.subarray(at));
    }
    // Closing with an unread INFO would reset the connection.
    await publisher.write(encoder.encode("PING\r\n"));
    const own = new Uint8Array(4096);
    for (let text = ""; !text.includes("PONG\r\n");) {
      text += new TextDecoder().decode(own.subarray(0, await publisher.read(own) ?? 0));
    }
  })();
  let received = 0;
  while (received < wanted) {
    const length = await subscriber.read(buffer);
    if (length === null) break;
    received += length;
    // The pace of a reader, not a wait for something to happen.
    await new Promise((resolve) => setTimeout(resolve, 8));
  }
  await publishing;
  assertGreaterOrEqual(received, wanted);
  assertEquals(reasons.filter((reason) => reason.startsWith("Slow")), []);
});

Deno.test("who is still publishing when the broker closes receives all that was queued for it", async () => {
  const broker = await startBroker();
  const connect = `CONNECT {"verbose":false,"pedantic":false}\r\n`;
  using both = await Deno.connect(broker.address), publisher = await Deno.connect(broker.address);
  const buffer = new Uint8Array(65_536), decoder = new TextDecoder();
  const ping = async (connection: Deno.Conn, text: string) => {
    for (let at = 0; at < text.length;) {
      at += await connection.write(encoder.encode(text.slice(at)));
    }
    for (let answer = ""; !answer.includes("PONG\r\n");) {
      answer += decoder.decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
    }
  };
  await ping(both, `${connect}SUB a 1\r\nPING\r\n`);
  const count = 3000;
  await ping(
    publisher,
    `${connect}${`PUB a 1000\r\n${"x".repeat(1000)}\r\n`.repeat(count)}PING\r\n`,
  );
  let flooding = true;
  const flood = (async () => {
    const noise = encoder.encode(`PUB nobody 100\r\n${"y".repeat(100)}\r\n`.repeat(100));
    while (flooding) await both.write(noise).catch(() => flooding = false);
  })();
  const closed = broker.close();
  let received = 0;
  for (;;) {
    const length = await both.read(buffer).catch(() => null);
    if (length === null) break;
    received += length;
  }
  flooding = false;
  await Promise.all([closed, flood]);
  assertGreaterOrEqual(received, count * `MSG a 1 1000\r\n${"x".repeat(1000)}\r\n`.length);
});
