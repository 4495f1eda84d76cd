/**
 * Peers that send rubbish, too much, too little or nothing: each gets nats-server's answer or is
 * closed in its time, the others notice nothing, and nothing of it stays behind.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { attack, greeted, until, withoutPings } from "../support/bystanders.ts";
import { startBroker } from "../support/broker.ts";
import { RawClient } from "../support/conversation.ts";
import { escape } from "../support/wire_text.ts";

/** The longest that a bystander may wait for a message, in milliseconds, on a busy machine. */
const NOTICED_MS = 1000;
/** How long it may take until a client that reads nothing is closed, on however busy a machine. */
const CLOSED_LIMIT_MS = 10_000;

const UNKNOWN = "-ERR 'Unknown Protocol Operation'\r\n";
const TOO_LONG = "-ERR 'maximum control line exceeded'\r\n";
const TOO_LARGE = "-ERR 'Maximum Payload Violation'\r\n";

/** Sends `text` on a connection of its own, and takes what follows INFO up to the close. */
async function lastWords(
  broker: { readonly address: { readonly hostname: string; readonly port: number } },
  text: string,
): Promise<string> {
  using client = await RawClient.connect(broker.address);
  await client.receiveLine();
  await client.send(text);
  return withoutPings(await client.receiveToEnd());
}

/** Bytes that look random, and are the same every time. */
function garbage(seed: number, length: number): string {
  let state = seed, text = "";
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += String.fromCharCode(state >>> 24);
  }
  return text;
}

Deno.test("rubbish gets nats-server's answer and is closed", async () => {
  await using broker = await startBroker();
  const connect = `CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\n`;
  const rows: [name: string, send: string, answer: string][] = [
    ["a web browser", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", UNKNOWN],
    ["a TLS client", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + garbage(7, 500), UNKNOWN],
    ["zeros", "\0".repeat(100_000), UNKNOWN],
    ["an empty line", "\r\n", UNKNOWN],
    ["a payload longer than announced", `${connect}PUB a 3\r\nabcdef\r\n`, UNKNOWN],
    ["a payload shorter than announced", `${connect}PUB a 10\r\nabc\r\nPING\r\nPING\r\n`, UNKNOWN],
    ["a negative size", `${connect}PUB a -1\r\n`, ""],
    ["a size beyond any integer", `${connect}PUB a 99999999999999999999\r\n`, ""],
    ["a size beyond the limit", `${connect}PUB a 1048577\r\n`, TOO_LARGE],
    ["the largest size that can be written", `${connect}PUB a 999999999\r\n`, TOO_LARGE],
    ["a size that is no number", `${connect}PUB a 0x10\r\n`, ""],
    ["a header longer than the message", `${connect}HPUB a 10 5\r\n`, ""],
    ["a header of negative length", `${connect}HPUB a -1 5\r\n`, ""],
    ["a message with header beyond the limit", `${connect}HPUB a 12 1048577\r\n`, TOO_LARGE],
    ["CONNECT with text", "CONNECT hello\r\n", ""],
    ["CONNECT with half an object", 'CONNECT {"verbose":\r\n', ""],
    ["CONNECT with a list", "CONNECT []\r\n", ""],
    ["CONNECT with deep nesting", `CONNECT {"x":${"[".repeat(2000)}${"]".repeat(2000)}x\r\n`, ""],
    ["CONNECT with fields of other types", 'CONNECT {"user":{},"verbose":"yes"}\r\n', ""],
    ["a control line too long", `SUB ${"a".repeat(5000)} 1\r\n`, TOO_LONG],
    ["a CONNECT too long", `CONNECT {"name":"${"a".repeat(5000)}"}\r\n`, TOO_LONG],
    ["what only servers say", "MSG a 1 0\r\n\r\n", UNKNOWN],
  ];
  const { worstMs } = await attack(broker, async () => {
    await Promise.all(rows.map(async ([name, send, answer]) => {
      const words = (await lastWords(broker, send)).replaceAll("PONG\r\n", "");
      assertEquals(escape(words), escape(answer), name);
    }));
    for (let seed = 0; seed < 200; seed += 20) {
      await Promise.all(Array.from({ length: 20 }, async (_, i) => {
        const words = await lastWords(broker, `${garbage(seed + i, 3000)}\n\n`);
        assertMatch(words, /^(\+OK\r\n|PONG\r\n)*(-ERR '[A-Z][^\r]*'\r\n)?$/i, `seed ${seed + i}`);
      }));
    }
  });
  assert(worstMs < NOTICED_MS, `a bystander waited ${worstMs} ms`);
});

Deno.test("a line that never ends is cut off; one that is ignored is not kept", async () => {
  await using broker = await startBroker();
  const { worstMs } = await attack(broker, async () => {
    for (const verb of ["SUB ", "PUB ", "CONNECT {", "UNSUB ", "-ERR "]) {
      using client = await greeted(broker);
      let sent = 0;
      const sending = (async () => {
        await client.send(verb);
        while (!client.closedByServer && sent < 64) {
          await client.send("a".repeat(65_536));
          sent++;
        }
      })();
      assertEquals(withoutPings(await client.receiveToEnd()), TOO_LONG, verb);
      await sending;
    }
    const connection = broker.connect(), chunk = new Uint8Array(65_536).fill(120);
    const send = async (bytes: Uint8Array) => {
      for (let sent = 0; sent < bytes.length;) {
        sent += await connection.write(bytes.subarray(sent));
      }
    };
    await connection.read(new Uint8Array(4096));
    const before = Deno.memoryUsage().external;
    await send(new TextEncoder().encode("PING "));
    for (let i = 0; i < 1024; i++) await send(chunk);
    const grown = Deno.memoryUsage().external - before;
    assert(grown < 16_000_000, `${grown} bytes are kept of an ignored line`);
    await send(new TextEncoder().encode("\r\n"));
    const count = await connection.read(chunk);
    assertEquals(new TextDecoder().decode(chunk.subarray(0, count ?? 0)), "PONG\r\n");
    connection.close();
  });
  assert(worstMs < NOTICED_MS, `a bystander waited ${worstMs} ms`);
});

Deno.test("subjects may hold any byte but blanks, and arrive as they were sent", async () => {
  await using broker = await startBroker();
  let subject = "";
  for (let byte = 0; byte < 256; byte++) {
    if (!" \t\r\n.*>".includes(String.fromCharCode(byte))) subject += String.fromCharCode(byte);
  }
  await attack(broker, async () => {
    using client = await greeted(broker);
    await client.send(`SUB *.${subject} \x00\xff\r\nPUB \xfe.${subject} 3\r\n\r\n\0\r\nPING\r\n`);
    await client.receiveUntil((text) => text.endsWith("PONG\r\n"));
    assertEquals(
      escape(withoutPings(client.take())),
      escape(`MSG \xfe.${subject} \x00\xff 3\r\n\r\n\0\r\nPONG\r\n`),
    );
  });
});

Deno.test("half a frame and then silence: closed when credentials are overdue", async () => {
  await using broker = await startBroker({ authorization: { token: "open", timeout: "300ms" } });
  for (const half of ["", "CONNE", 'CONNECT {"auth_token":"op', "CONNECT "]) {
    using client = await RawClient.connect(broker.address);
    const startedAtMs = performance.now();
    await client.receiveLine();
    await client.send(half);
    assertEquals(await client.receiveToEnd(), "-ERR 'Authentication Timeout'\r\n", half);
    const elapsedMs = performance.now() - startedAtMs;
    assert(elapsedMs > 250 && elapsedMs < 1500, `${half}: closed after ${elapsedMs} ms`);
  }
  await until(() => broker.statistics.connections === 0);
});

Deno.test("half a frame and then silence: closed as stale where none are asked for", async () => {
  await using broker = await startBroker({ ping_interval: "200ms", ping_max: 2 });
  const reasons: string[] = [];
  using _reasons = broker.on("disconnected", ({ reason }) => void reasons.push(reason));
  const halves = [
    "",
    "PU",
    "PUB a 1000\r\nabc",
    `CONNECT {"verbose":false,"headers":true}\r\nHPUB a 3 1000\r\n`,
    "SUB a",
    "CONNECT {",
  ];
  await Promise.all(halves.map(async (half) => {
    using client = await RawClient.connect(broker.address);
    await client.receiveLine();
    await client.send(half);
    const text = await client.receiveToEnd();
    assertEquals(text, "PING\r\nPING\r\n-ERR 'Stale Connection'\r\n", half);
  }));
  await until(() => broker.statistics.connections === 0);
  assertEquals(reasons, halves.map(() => "Stale Connection"));
  assertEquals(broker.statistics.staleConnections, halves.length);
});

Deno.test("2,000 connections that say nothing cost the others nothing", async () => {
  await using broker = await startBroker();
  const { worstMs, messages } = await attack(broker, async () => {
    using silent = new DisposableStack();
    for (let opened = 0; opened < 2000; opened += 50) {
      const more = await Promise.all(
        Array.from({ length: 50 }, () => Deno.connect(broker.address)),
      );
      for (const connection of more) silent.use(connection);
    }
    await until(() => broker.statistics.connections === 2002);
  });
  assert(messages > 10, `only ${messages} messages meanwhile`);
  assert(worstMs < NOTICED_MS, `a bystander waited ${worstMs} ms`);
});

Deno.test("connections that are reset, at once or in the middle of a frame", async () => {
  await using broker = await startBroker();
  const middles = ["", "CONNECT {}\r\nSUB a.> 1\r\nPUB a.b 100\r\nabc", "SUB x 1\r\nPUB x 3\r\nab"];
  const { worstMs } = await attack(broker, async () => {
    for (let round = 0; round < 30; round++) {
      await Promise.all(Array.from({ length: 30 }, async (_, i) => {
        const connection = await Deno.connect(broker.address);
        if (i % 5 > 0) {
          await connection.write(new TextEncoder().encode(middles[i % middles.length]!));
          // With INFO unread but for one byte, closing resets the connection.
          await connection.read(new Uint8Array(1));
        }
        connection.close();
      }));
    }
  });
  assert(worstMs < NOTICED_MS, `a bystander waited ${worstMs} ms`);
  await until(() => broker.statistics.totalConnections > 500);
});

Deno.test("a conversation that comes byte by byte is understood", async () => {
  await using broker = await startBroker();
  const { worstMs } = await attack(broker, async () => {
    await Promise.all(Array.from({ length: 20 }, async (_, i) => {
      using client = await RawClient.connect(broker.address);
      const text = `CONNECT {"verbose":false,"headers":true}\r\nSUB slow.${i} 7\r\n` +
        `HPUB slow.${i} 12 15\r\nNATS/1.0\r\n\r\nabc\r\nUNSUB 7\r\nPING\r\n`;
      await client.receiveLine();
      for (const byte of text) await client.send(byte);
      await client.receiveUntil((received) => received.includes("PONG\r\n"));
      assertEquals(
        withoutPings(client.take()),
        `HMSG slow.${i} 7 12 15\r\nNATS/1.0\r\n\r\nabc\r\nPONG\r\n`,
      );
    }));
  });
  assert(worstMs < NOTICED_MS, `a bystander waited ${worstMs} ms`);
});

Deno.test("100,000 PINGs before the first answer is read are all answered", async () => {
  await using broker = await startBroker();
  const { worstMs } = await attack(broker, async () => {
    using client = await greeted(broker);
    await client.send("PING\r\n".repeat(100_000));
    await client.receiveUntil((text) => withoutPings(text).length >= 600_000);
    assert(
      withoutPings(client.take()) === "PONG\r\n".repeat(100_000),
      "something else than PONGs came",
    );
  });
  assert(worstMs < NOTICED_MS, `a bystander waited ${worstMs} ms`);
});

Deno.test("PINGs without end and answers never read: closed as a slow consumer", async () => {
  await using broker = await startBroker({ write_deadline: "300ms" });
  const reasons: string[] = [];
  using _reasons = broker.on("disconnected", ({ reason }) => void reasons.push(reason));
  const { worstMs } = await attack(broker, async () => {
    const client = await Deno.connect(broker.address);
    const bytes = new TextEncoder().encode("PING\r\n".repeat(10_000));
    const startedAtMs = performance.now();
    let elapsedMs = 0, closed = false;
    for (let sent = 0; !closed && elapsedMs < CLOSED_LIMIT_MS;) {
      // On from where the last write stopped: all of it is whole PINGs.
      await client.write(bytes.subarray(sent % bytes.length)).then(
        (count) => sent += count,
        () => closed = true,
      );
      elapsedMs = performance.now() - startedAtMs;
    }
    client.close();
    assert(closed, `not closed after ${elapsedMs} ms`);
  });
  assert(worstMs < NOTICED_MS, `a bystander waited ${worstMs} ms`);
  assert(reasons.includes("Slow Consumer (Write Deadline)"), reasons.join());
});
