import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  AcceptError,
  type Connection,
  ConnectionError,
  DenoTransport,
  formatAddress,
  ListenError,
} from "../../src/platform/mod.ts";

const transport = new DenoTransport();
const loopback = { hostname: "127.0.0.1", port: 0 };
const encode = (text: string) => new TextEncoder().encode(text);

async function connected(): Promise<[client: Connection, server: Connection]> {
  const listener = transport.listen(loopback);
  const [client, server] = await Promise.all([
    transport.connect(listener.address),
    listener.accept(),
  ]);
  listener.close();
  return [client, server];
}

async function readAll(connection: Connection): Promise<string> {
  const into = new Uint8Array(256);
  let text = "";
  for (;;) {
    const count = await connection.read(into);
    if (count === null) return text;
    text += new TextDecoder().decode(into.subarray(0, count));
  }
}

Deno.test("bytes and addresses are the same at both ends of a TCP connection", async () => {
  const [client, server] = await connected();
  assertEquals(client.remoteAddress.port, server.localAddress.port);
  assertEquals(formatAddress(server.remoteAddress), formatAddress(client.localAddress));
  assertEquals(await client.write(encode("PING")), 4);
  const into = new Uint8Array(16);
  assertEquals(await server.read(into), 4);
  assertEquals(into.subarray(0, 4), encode("PING"));
  client.close();
  assertEquals(await server.read(into), null);
  server.close();
});

Deno.test("closing rejects the pending read, and everything after", async () => {
  const [client, server] = await connected();
  const pending = client.read(new Uint8Array(1));
  client.close();
  client.close();
  for (
    const failing of [
      () => pending,
      () => client.read(new Uint8Array(1)),
      () => client.write(encode("x")),
      () => client.closeWrite(),
    ]
  ) {
    const error = await assertRejects(failing, ConnectionError, "connection closed");
    assertInstanceOf(error.cause, Error);
  }
  server.close();
});

Deno.test("a peer that went away fails the writes to it", async () => {
  const [client, server] = await connected();
  server.close();
  const error = await assertRejects(async () => {
    for (let tries = 0; tries < 1_000; tries++) await client.write(new Uint8Array(65_536));
  }, ConnectionError);
  assertMatch(error.message, /^(broken pipe|connection reset)/);
  client.close();
});

Deno.test("closeWrite gets a goodbye through to a peer that is still sending", async () => {
  const [client, server] = await connected();
  await client.write(new Uint8Array(10_000));
  await server.write(encode("-ERR 'goodbye'\r\n"));
  await server.closeWrite();
  assertEquals(await readAll(client), "-ERR 'goodbye'\r\n");
  await client.write(encode("still open"));
  client.close();
  assertEquals((await readAll(server)).length, 10_010);
  server.close();
});

Deno.test("an address in use is named in the error", () => {
  const listener = transport.listen(loopback);
  const { port } = listener.address;
  assert(port > 0);
  const error = assertThrows(() => transport.listen(listener.address), ListenError);
  assertEquals(error.message, `address already in use: 127.0.0.1:${port}`);
  assertInstanceOf(error.cause, Deno.errors.AddrInUse);
  listener.close();
  listener.close();
  transport.listen(listener.address).close();
});

Deno.test("an address of another machine is named in the error", () => {
  const elsewhere = { hostname: "203.0.113.1", port: 4222 };
  const error = assertThrows(() => transport.listen(elsewhere), ListenError);
  assertEquals(error.message, "address is not one of this machine: 203.0.113.1:4222");
});

Deno.test("closing a listener rejects the pending accept as closed", async () => {
  const listener = transport.listen(loopback);
  const pending = listener.accept();
  listener.close();
  for (const accept of [() => pending, () => listener.accept()]) {
    const error = await assertRejects(accept, AcceptError, "listener closed: 127.0.0.1:");
    assertEquals([error.transient, error.closed], [false, true]);
  }
});

Deno.test("a refused connection names its target", async () => {
  const listener = transport.listen(loopback);
  const { port } = listener.address;
  listener.close();
  const error = await assertRejects(
    () => transport.connect({ hostname: "127.0.0.1", port }),
    ConnectionError,
  );
  assertEquals(error.message, `cannot connect to 127.0.0.1:${port}: connection refused`);
});

Deno.test("an aborted connect is given up with the signal's reason", async () => {
  const listener = transport.listen(loopback);
  const reason = new Error("enough");
  const early = await assertRejects(
    () => transport.connect({ ...listener.address, signal: AbortSignal.abort(reason) }),
    ConnectionError,
  );
  assertEquals(early.message, `gave up connecting to ${formatAddress(listener.address)}`);
  const controller = new AbortController();
  const dialling = transport.connect({ ...listener.address, signal: controller.signal });
  controller.abort(reason);
  const late = await assertRejects(() => dialling, ConnectionError, "gave up");
  assertEquals([early.cause, late.cause], [reason, reason]);
  listener.close();
});

Deno.test("a signal that is aborted after the connect changes nothing", async () => {
  const listener = transport.listen(loopback);
  const controller = new AbortController();
  const options = { ...listener.address, signal: controller.signal };
  const [client, server] = await Promise.all([transport.connect(options), listener.accept()]);
  controller.abort();
  await client.write(encode("x"));
  assertEquals(await server.read(new Uint8Array(1)), 1);
  for (const end of [client, server, listener]) end.close();
});

Deno.test("IPv6 addresses are written in brackets", () => {
  assertEquals(formatAddress({ hostname: "::1", port: 4222 }), "[::1]:4222");
  assertEquals(formatAddress({ hostname: "[::1]", port: 4222 }), "[::1]:4222");
  assertEquals(formatAddress({ hostname: "localhost", port: 0 }), "localhost:0");
});
