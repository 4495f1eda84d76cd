/** A new peer is told what the clients of very many accounts want; others have turns meanwhile. */
import { assert } from "@std/assert";
import { Broker } from "../../mod.ts";
import { type Connection, MemoryTransport } from "../../src/platform/mod.ts";
import { clustered, ROUTE_ADDRESS } from "../support/route_peer.ts";

const ACCOUNTS = 400, SUBJECTS = 250;
/** How often it is tried: a busy machine interrupts as well. */
const TRIES = 8;

/** Joins the cluster; how long everything took to come, and the longest time without a turn. */
async function join(transport: MemoryTransport, name: string) {
  const connection = await transport.connect(ROUTE_ADDRESS), into = new Uint8Array(1 << 20);
  let lastMs = performance.now(), longestMs = 0;
  const startMs = lastMs;
  const look = () => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
  };
  const turns = setInterval(look, 0);
  const who = `"cluster":"C1","headers":true`;
  await say(
    connection,
    `CONNECT {"name":"N${name}",${who}}\r\n` +
      `INFO {"server_id":"N${name}","server_name":"${name}","host":"memory","port":7001,${who}} \r\n`,
  );
  for (let lines = 0; lines <= ACCOUNTS * SUBJECTS;) {
    const length = await connection.read(into) ?? 0;
    for (let i = 0; i < length; i++) if (into[i] === 10) lines++;
  }
  look();
  clearInterval(turns);
  connection.close();
  return { allMs: lastMs - startMs, longestMs };
}

async function say(connection: Connection, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

Deno.test("interest of very many accounts is told in slices that do not add up", async () => {
  const names = Array.from({ length: ACCOUNTS }, (_, i) => `A${i}`);
  const accounts = Object.fromEntries(
    names.map((name) => [name, { users: [{ user: name, password: "p" }] }]),
  );
  const transport = new MemoryTransport();
  await using broker = await Broker.start({ ...clustered({}, { accounts }), host: "memory" }, {
    transport,
  });
  for (const name of names) {
    const client = broker.connect();
    const subscribe = Array.from({ length: SUBJECTS }, (_, i) => `SUB subject.${i} ${i}\r\n`);
    await say(client, `CONNECT {"user":"${name}","pass":"p"}\r\n${subscribe.join("")}`);
  }
  while (broker.statistics.subscriptions < ACCOUNTS * SUBJECTS) {
    await new Promise((resolve) => setTimeout(resolve));
  }
  const shares = [];
  for (let i = 0; i < TRIES; i++) {
    const { allMs, longestMs } = await join(transport, `S${i}`);
    shares.push(longestMs / allMs);
    if (longestMs < allMs / 3) return;
  }
  assert(false, `of the whole time without a turn: ${shares}`);
});
