import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import {
  acceptTls,
  dialTls,
  firstBytes,
  loadTlsMaterial,
  type Secured,
  TlsError,
  type TlsMaterial,
  type TlsSettings,
} from "../../src/connection/mod.ts";
import { VerifiedPeers } from "../../src/connection/tls_material.ts";
import {
  type Connection,
  ConnectionError,
  FileError,
  memoryPipe,
  SystemClock,
  VirtualClock,
} from "../../src/platform/mod.ts";
import { TestAuthority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { MemoryFiles } from "../support/memory_files.ts";

const HOUR_MS = 3_600_000;

async function materials(): Promise<{ server: TlsMaterial; client: TlsMaterial }> {
  const files = new MemoryFiles(), authority = await TestAuthority.create();
  const write = async (name: string) => {
    const { cert, key } = await authority.issue({ dns: [name], emails: [`${name}@example.org`] });
    await files.writeText(`${name}.pem`, cert);
    await files.writeText(`${name}.key`, key);
  };
  await write("server");
  await write("client");
  await files.writeText("ca.pem", authority.pem);
  const settings = (name: string): TlsSettings => ({
    certFile: `${name}.pem`,
    keyFile: `${name}.key`,
    caFile: "ca.pem",
    verify: true,
    minVersion: "1.2",
    pinned: new Set(),
    timeoutMs: 2000,
  });
  return {
    server: await loadTlsMaterial(files, settings("server")),
    client: await loadTlsMaterial(files, settings("client")),
  };
}

let made: ReturnType<typeof materials> | undefined;

/** The same for all tests; made in the first one. */
function shared(): ReturnType<typeof materials> {
  return made ??= materials();
}

/** Two ends of TLS over a pipe in memory; closed at the end of the test. */
async function tlsPair(capacityBytes?: number): Promise<{
  readonly server: Secured;
  readonly client: Secured;
  readonly [Symbol.dispose]: () => void;
}> {
  const { server: material, client: clientMaterial } = await shared();
  const [near, far] = memoryPipe(capacityBytes === undefined ? {} : { capacityBytes });
  const clock = new SystemClock(), { signal } = new AbortController(), timeoutMs = 10_000;
  const [server, client] = await Promise.all([
    acceptTls(near, { material, clock, timeoutMs, signal }),
    dialTls(far, { material: clientMaterial, clock, timeoutMs, signal, serverName: "server" }),
  ]);
  return {
    server,
    client,
    [Symbol.dispose]() {
      server.connection.close();
      client.connection.close();
    },
  };
}

async function writeAll(connection: Connection, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Reads `length` bytes, or up to the end; `sizes` are those of the buffers, in turn. */
async function readAll(
  connection: Connection,
  length: number,
  sizes: readonly number[] = [16_384],
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (let turn = 0; at < length; turn++) {
    const into = new Uint8Array(sizes[turn % sizes.length]!);
    const count = await connection.read(into);
    if (count === null) break;
    bytes.set(into.subarray(0, Math.min(count, length - at)), at);
    at += count;
  }
  return bytes.subarray(0, at);
}

function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 2_654_435_761) >>> 13;
  return bytes;
}

Deno.test("both sides learn who the other is", async () => {
  using pair = await tlsPair();
  const { server, client } = pair;
  assertEquals(server.tls.version, "TLSv1.3");
  assertEquals(client.tls, server.tls);
  assertStringIncludes(server.tls.cipher, "TLS_");
  assertEquals(server.certificate?.emails, ["client@example.org"]);
  assertEquals(client.certificate?.dnsNames, ["server"]);
});

Deno.test("whatever is written is read, in whatever pieces", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 150_000 }), { minLength: 1, maxLength: 3 }),
      fc.constantFrom(700, 16_384, 1_000_000),
      async (lengths, sizes, capacityBytes) => {
        using pair = await tlsPair(capacityBytes);
        const total = lengths.reduce((sum, length) => sum + length, 0), bytes = noise(total);
        // At once in both directions.
        const across = async (from: Connection, to: Connection) => {
          const reading = readAll(to, total, sizes.map((size) => Math.max(size, 64)));
          let at = 0;
          for (const length of lengths) {
            await writeAll(from, bytes.subarray(at, at + length));
            at += length;
          }
          assertEquals(await reading, bytes);
        };
        const { server: { connection: server }, client: { connection: client } } = pair;
        await Promise.all([across(server, client), across(client, server)]);
      },
    ),
    { numRuns: 15 },
  );
});

Deno.test("who does not read makes the other wait", async () => {
  using pair = await tlsPair(4096);
  const { server: { connection: server }, client: { connection: client } } = pair;
  const bytes = noise(65_536);
  let written = 0;
  const writing = (async () => {
    try {
      for (;;) written += await server.write(bytes);
    } catch (error) {
      assert(error instanceof ConnectionError);
    }
  })();
  let seen = -1;
  await eventually("a standstill", async () => {
    const before = seen;
    seen = written;
    for (let turn = 0; turn < 50; turn++) await new SystemClock().yield();
    return before === written;
  });
  assert(written <= 2 * bytes.length, `${written} bytes for a pipe of 4096`);
  assertEquals(
    await readAll(client, 300_000),
    noise(65_536 * 5).map((_, at) => bytes[at % 65_536]!).slice(0, 300_000),
  );
  server.close();
  await writing;
});

Deno.test("one direction ends, and the other goes on", async () => {
  using pair = await tlsPair();
  const { server: { connection: server }, client: { connection: client } } = pair;
  await writeAll(client, noise(50_000));
  await client.closeWrite();
  assertEquals(await readAll(server, 100_000), noise(50_000));
  assertEquals(await server.read(new Uint8Array(1)), null);
  const writing = writeAll(server, noise(200_000));
  assertEquals(await readAll(client, 200_000), noise(200_000));
  await writing;
  await assertRejects(() => client.write(noise(1)), ConnectionError);
  await server.closeWrite();
  assertEquals(await client.read(new Uint8Array(1)), null);
});

Deno.test("closing ends what is pending here, and the peer reads the end", async () => {
  using pair = await tlsPair(2000);
  const { server: { connection: server }, client: { connection: client } } = pair;
  const reading = assertRejects(() => server.read(new Uint8Array(10)), ConnectionError);
  const there = client.read(new Uint8Array(10));
  server.close();
  server.close();
  await reading;
  assertEquals(await there, null);
  await assertRejects(() => server.read(new Uint8Array(1)), ConnectionError);
  await assertRejects(() => server.write(noise(1)), ConnectionError);
  await assertRejects(() => server.closeWrite(), ConnectionError);
});

Deno.test("closing ends a write that the peer does not take", async () => {
  using pair = await tlsPair(1000);
  const { server: { connection: server } } = pair;
  const writing = assertRejects(async () => {
    for (;;) await server.write(noise(65_536));
  }, ConnectionError);
  await new SystemClock().yield();
  server.close();
  await writing;
});

Deno.test("one read and one write at a time", async () => {
  using pair = await tlsPair(1000);
  const { server: { connection: server } } = pair;
  const [reading, writing] = [server.read(new Uint8Array(1)), server.write(noise(65_536))];
  reading.catch(() => {});
  writing.catch(() => {});
  await assertRejects(() => server.read(new Uint8Array(1)), ConnectionError, "another read");
  await assertRejects(() => server.write(noise(1)), ConnectionError, "another write");
});

Deno.test("what is changed on its way is an error", async () => {
  const { server: material, client: clientMaterial } = await shared();
  const [near, middle] = memoryPipe(), [other, far] = memoryPipe();
  const clock = new SystemClock(), { signal } = new AbortController(), timeoutMs = 10_000;
  let corrupt = false;
  const relay = async (from: Connection, to: Connection) => {
    const bytes = new Uint8Array(65_536);
    try {
      for (let count: number | null; (count = await from.read(bytes)) !== null;) {
        if (corrupt) bytes[count - 1]! ^= 1;
        await writeAll(to, bytes.slice(0, count));
      }
    } catch {
      // The end.
    }
  };
  const relays = [relay(middle, other), relay(other, middle)];
  const [server, client] = await Promise.all([
    acceptTls(near, { material, clock, timeoutMs, signal }),
    dialTls(far, { material: clientMaterial, clock, timeoutMs, signal, serverName: "server" }),
  ]);
  await writeAll(client.connection, noise(10));
  assertEquals(await readAll(server.connection, 10), noise(10));
  corrupt = true;
  await writeAll(client.connection, noise(10));
  await assertRejects(() => server.connection.read(new Uint8Array(10)), ConnectionError);
  server.connection.close();
  client.connection.close();
  for (const connection of [middle, other]) connection.close();
  await Promise.all(relays);
});

Deno.test("a handshake ends in time, by a signal, and with its connection", async () => {
  const { server: material } = await shared(), clock = new VirtualClock({ startMs: Date.now() });
  const begin = (signal: AbortSignal = new AbortController().signal) => {
    const [near, far] = memoryPipe();
    const done = acceptTls(near, { material, clock, timeoutMs: 2000, signal });
    // It may fail before the test looks.
    done.catch(() => {});
    return { far, done };
  };
  const closed = async ({ far, done }: ReturnType<typeof begin>, words: string) => {
    await assertRejects(() => done, TlsError, words);
    // Ours is closed as well.
    assertEquals(await far.read(new Uint8Array(1)).catch(() => null), null);
    far.close();
  };

  const late = begin();
  await clock.advance(2000);
  await closed(late, "handshake timeout");

  const controller = new AbortController(), aborted = begin(controller.signal);
  controller.abort();
  await closed(aborted, "given up");
  await closed(begin(controller.signal), "given up");

  const gone = begin();
  await gone.far.closeWrite();
  await assertRejects(() => gone.done, TlsError, "the peer has hung up");
  gone.far.close();

  const garbage = begin();
  await writeAll(garbage.far, new TextEncoder().encode('CONNECT {"verbose":false}\r\n'));
  const error = await assertRejects(() => garbage.done, TlsError);
  assert(error.message !== "handshake timeout", error.message);
  garbage.far.close();
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("no garbage but a handshake gets through one", async () => {
  const { server: material } = await shared(), clock = new SystemClock();
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 600 }),
      fc.boolean(),
      async (bytes, isRecord) => {
        const [near, far] = memoryPipe(), { signal } = new AbortController();
        const accepted = acceptTls(near, { material, clock, timeoutMs: 2000, signal });
        const done = assertRejects(() => accepted, TlsError);
        const head = isRecord ? [0x16, 3, 1, bytes.length >> 8, bytes.length & 0xff] : [];
        await writeAll(far, new Uint8Array([...head, ...bytes])).catch(() => {});
        await far.closeWrite().catch(() => {});
        await done;
        far.close();
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("a look at the first bytes takes nothing away", async () => {
  const clock = new VirtualClock();
  for (const [text, isTls] of [["\x16\x03\x01", true], ["CONNECT {}\r\n", false]] as const) {
    const [near, far] = memoryPipe(), bytes = new TextEncoder().encode(text);
    await far.write(bytes);
    const found = await firstBytes(near, clock, 1000);
    assertEquals(found.isTls, isTls);
    assertEquals(await readAll(found.connection, bytes.length, [2]), bytes);
    await far.write(bytes);
    assertEquals(await readAll(found.connection, bytes.length), bytes);
    far.close();
    assertEquals(await found.connection.read(new Uint8Array(1)), null);
    found.connection.close();
  }
  const [near, far] = memoryPipe(), looking = firstBytes(near, clock, 1000);
  await clock.advance(1000);
  const { isTls, connection } = await looking;
  assertEquals(isTls, null);
  await far.write(new Uint8Array([1, 2, 3]));
  assertEquals(await readAll(connection, 3), new Uint8Array([1, 2, 3]));
  connection.close();
  far.close();

  const [here, gone] = memoryPipe();
  gone.close();
  await assertRejects(() => firstBytes(here, clock, 1000), ConnectionError);
  here.close();
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("who only resumes a session must have been verified here, and be valid still", async () => {
  const nowMs = Date.now(), authority = await TestAuthority.create();
  const { der } = await authority.issue({ notAfter: new Date(nowMs + HOUR_MS) });
  const peers = new VerifiedPeers();
  assertEquals(
    peers.objection(der, true, nowMs),
    "a session of another port is not resumed here",
  );
  assertEquals(peers.objection(der, false, nowMs), null);
  assertEquals(peers.objection(der, true, nowMs), null);
  assertEquals(peers.objection(der, true, nowMs), null);
  assertEquals(peers.objection(der, true, nowMs + 2 * HOUR_MS), "the certificate is not valid now");
  assertEquals(
    peers.objection(der, false, nowMs - 2 * HOUR_MS),
    "the certificate is not valid now",
  );
});

Deno.test("what cannot be used is refused by the file's name, without its contents", async () => {
  const files = new MemoryFiles(), authority = await TestAuthority.create();
  const one = await authority.issue({}), other = await authority.issue({});
  await files.writeText("one.pem", one.cert);
  await files.writeText("one.key", one.key);
  await files.writeText("other.key", other.key);
  await files.writeText("half.key", one.key.slice(0, 100));
  await files.writeText("half.pem", one.cert.replace(/\n.{8}/, "\n!!!!!!!!"));
  const refusal = async (certFile: string, keyFile: string, caFile: string | null = null) => {
    const settings: TlsSettings = {
      certFile,
      keyFile,
      caFile,
      verify: caFile !== null,
      minVersion: "1.2",
      pinned: new Set(),
      timeoutMs: 2000,
    };
    const { message } = await assertRejects(() => loadTlsMaterial(files, settings), FileError);
    assert(!message.includes(one.key.slice(40, 60)), message);
    return message;
  };
  assertStringIncludes(await refusal("one.pem", "other.key"), "other.key does not match");
  assertStringIncludes(await refusal("one.pem", "half.key"), "half.key");
  assertStringIncludes(await refusal("half.pem", "one.key"), "half.pem");
  assertStringIncludes(await refusal("one.pem", "one.key", "half.pem"), "half.pem");
  assertStringIncludes(await refusal("one.pem", "one.key", "other.key"), "other.key");
  assertStringIncludes(await refusal("none.pem", "one.key"), "none.pem");
});
