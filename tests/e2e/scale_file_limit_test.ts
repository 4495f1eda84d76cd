/** The command with too few files for all who come. */
import { assert, assertEquals, assertGreater, assertGreaterOrEqual } from "@std/assert";
import { bystand, until } from "../support/bystanders.ts";
import { startBrokerProcess } from "../support/broker.ts";
import { RawClient } from "../support/conversation.ts";

/** What the command may open: its own two or three dozen, and as many connections. */
const FILE_LIMIT = 60;
const CROWD = 80;
/** Between two messages of the bystanders, in milliseconds. */
const PAUSE_MS = 2;
/** How often a failure to accept is reported at most, in milliseconds. */
const REPORT_INTERVAL_MS = 10_000;

Deno.test("the command out of files serves those that are in, says it once, and lets others in later", async () => {
  await using server = await startBrokerProcess("", FILE_LIMIT);
  const broker = { address: server };
  const failures = () => server.log.match(/Client accept failed, trying again: .*$/gm) ?? [];
  let firstFailureAtMs = Infinity;
  using connections = new DisposableStack();
  const crowd: RawClient[] = [];

  const { worstMs, messages } = await bystand(
    broker,
    async () => {
      // The system completes them all; the command can take fewer than its limit.
      for (let n = 0; n < CROWD; n++) {
        crowd.push(connections.use(await RawClient.connect(server)));
      }
      await until(() => failures().length > 0, 20_000);
      firstFailureAtMs = performance.now();
      // Several more attempts to accept come within a second, each after a longer pause.
      await until(() => performance.now() - firstFailureAtMs > 1500);
    },
    "{}",
    PAUSE_MS,
  );

  assert(worstMs < 1000, `a bystander waited ${worstMs} ms`);
  assertGreater(messages, 100);
  const elapsedMs = performance.now() - firstFailureAtMs;
  const lines = failures();
  assertGreaterOrEqual(1 + Math.floor(elapsedMs / REPORT_INTERVAL_MS), lines.length, server.log);
  assert(lines.every((line) => /too many open files/i.test(line)), lines.join("\n"));

  // Those that came last were waiting. The first ones leave, and each of the last is served.
  for (const client of crowd.splice(0, CROWD - 10)) client[Symbol.dispose]();
  await Promise.all(crowd.map(async (client) => {
    await client.send('CONNECT {"verbose":false}\r\nPING\r\n');
    await client.receiveUntil((text) => text.includes("PONG\r\n"));
  }));
  using late = await RawClient.connect(server);
  assertEquals((await late.receiveLine()).slice(0, 5), "INFO ");
});
