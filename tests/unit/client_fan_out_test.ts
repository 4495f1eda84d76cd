import { assertEquals } from "@std/assert";
import { Broker } from "../../mod.ts";

const MESSAGES = 4000, SUBSCRIPTIONS = 200;
const CONNECT = `CONNECT {"verbose":false,"pedantic":false}\r\n`;

/** Reads until what came ends in `last`; returns how often each of its lines begins with MSG. */
async function countDeliveries(connection: Deno.Conn, last: string): Promise<number> {
  const buffer = new Uint8Array(1 << 18), decoder = new TextDecoder();
  let count = 0, rest = "";
  for (;;) {
    const length = await connection.read(buffer);
    if (length === null) throw new Error(`closed after ${count} deliveries`);
    rest += decoder.decode(buffer.subarray(0, length));
    const lines = rest.split("\r\n");
    rest = lines.pop()!;
    for (const line of lines) if (line.startsWith("MSG a ")) count++;
    if (lines.includes(last)) return count;
  }
}

Deno.test("one chunk may give rise to more than max_pending for somebody who reads", async () => {
  // 52 KB that become 14 MB for one connection, four times what may wait for it.
  await using broker = await Broker.start({
    host: "127.0.0.1",
    port: -1,
    max_pending: "3MiB",
    max_payload: 1000,
  });
  const reasons: string[] = [];
  using _ = broker.on("disconnected", ({ reason }) => void reasons.push(reason));
  using reader = await Deno.connect(broker.address);
  using publisher = await Deno.connect(broker.address);
  const encoder = new TextEncoder();
  const subscribe = Array.from({ length: SUBSCRIPTIONS }, (_, sid) => `SUB a ${sid}\r\n`).join("");
  await reader.write(encoder.encode(`${CONNECT}${subscribe}SUB end e\r\nPING\r\n`));
  assertEquals(await countDeliveries(reader, "PONG"), 0);
  const publish = "PUB a 2\r\nhi\r\n".repeat(MESSAGES) + "PUB end 0\r\n\r\n";
  const bytes = encoder.encode(CONNECT + publish);
  for (let sent = 0; sent < bytes.length;) sent += await publisher.write(bytes.subarray(sent));
  assertEquals(await countDeliveries(reader, "MSG end e 0"), MESSAGES * SUBSCRIPTIONS);
  assertEquals(reasons, []);
});
