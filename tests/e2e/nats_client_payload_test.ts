/** Payloads up to the limit and beyond, with the official client. */
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { headers, InvalidArgumentError, ProtocolError } from "@nats-io/transport-node";
import { startBroker } from "../support/broker.ts";
import { connectClient, Received, soon } from "../support/nats_client.ts";

const MIB = 1024 * 1024;

/** Bytes that a shifted, cut or doubled copy would differ from. */
function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const words = new Uint32Array(bytes.buffer, 0, length >> 2);
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + 1, 0x9e3779b1);
  return bytes;
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

for (
  const [name, settings, limit] of [
    ["1 MiB, the default,", {}, MIB],
    ["8 MiB, as configured,", { max_payload: "8MiB" }, 8 * MIB],
  ] as const
) {
  Deno.test(`payloads up to ${name} arrive byte for byte`, async () => {
    await using broker = await startBroker(settings);
    await using publisher = await connectClient(broker);
    await using subscriber = await connectClient(broker);
    assertEquals(publisher.info?.max_payload, limit);
    const received = new Received(subscriber, "large");
    await subscriber.flush();
    const sizes = [limit, 1, limit - 1, 0, 65_536, limit / 2, limit];
    const source = pattern(limit);
    for (const size of sizes) publisher.publish("large", source.subarray(0, size));
    await publisher.flush();
    await received.count(sizes.length);
    for (const [at, size] of sizes.entries()) {
      assert(same(received.messages[at]!.data, source.subarray(0, size)), `${size} bytes differ`);
    }
  });
}

Deno.test("headers count as payload", async () => {
  await using broker = await startBroker({ max_payload: 1024 });
  await using client = await connectClient(broker);
  const received = new Received(client, "sized");
  const sent = headers();
  sent.set("Key", "value");
  const room = 1024 - "NATS/1.0\r\nKey: value\r\n\r\n".length;
  client.publish("sized", new Uint8Array(room), { headers: sent });
  assertThrows(
    () => client.publish("sized", new Uint8Array(room + 1), { headers: sent }),
    InvalidArgumentError,
    "max_payload size exceeded",
  );
  await received.count(1);
  assertEquals(received.messages[0]!.data.length, room);
});

Deno.test("a client that publishes beyond max_payload is told so and closed; others go on", async () => {
  await using broker = await startBroker({ max_payload: 1024 });
  await using other = await connectClient(broker);
  const received = new Received(other, ">");
  await other.flush();
  const client = await connectClient(broker);
  // The client checks by itself: make it believe that more is allowed.
  client.info!.max_payload = MIB;
  client.publish("fits", new Uint8Array(1024));
  client.publish("too.large", new Uint8Array(1025));
  const error = await soon(client.closed());
  assertInstanceOf(error, ProtocolError);
  assertEquals(error.message, "Maximum Payload Violation");

  other.publish("still.here");
  await received.count(2);
  assertEquals(received.messages.map(({ subject }) => subject), ["fits", "still.here"]);
});
