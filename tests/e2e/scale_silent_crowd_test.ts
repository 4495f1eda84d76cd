/** Ten thousand connections that say nothing: what they cost the others, and how they end. */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { bystand } from "../support/bystanders.ts";
import { withFileLimit } from "../support/file_limit.ts";
import { linesOf, nextLine } from "../support/lines.ts";
import { ObservedBroker } from "../support/observed_broker_process.ts";
import type { CrowdReport } from "../support/silent_crowd.ts";

const CROWD = 10_000;
/** What either process may open: the crowd fits in, and little more than twice of it. */
const FILE_LIMIT = 20_000;
/** Seconds for saying CONNECT. Long enough for the crowd to be complete before the first has to go. */
const TIMEOUT_S = 15;
/** How long a bystander may wait for a message on a busy machine, in milliseconds. */
const NOTICED_MS = 1000;
/** Between two messages of the bystanders, in milliseconds: they leave the processor to the crowd. */
const PAUSE_MS = 10;
/** How much later than its time a connection may be closed on a busy machine, in milliseconds. */
const LATE_MS = 10_000;

Deno.test("10,000 connections that say nothing are closed in time and cost the others nothing", async () => {
  const authorization = { token: "let-me-in", timeout: `${TIMEOUT_S}s` };
  await using broker = await ObservedBroker.start({ authorization }, FILE_LIMIT);
  const fresh = await broker.holdings();
  const { hostname, port } = broker.address;
  const program = new URL("../support/silent_crowd.ts", import.meta.url).pathname;
  const { command, args } = withFileLimit(FILE_LIMIT, {
    command: Deno.execPath(),
    args: ["run", "-A", "--no-check", decodeURIComponent(program)]
      .concat(hostname, String(port), String(CROWD)),
  });
  await using crowd = new Deno.Command(command, { args: [...args], stdout: "piped" }).spawn();
  const lines = linesOf(crowd.stdout);
  let complete = 0, report: CrowdReport | undefined;

  const { worstMs } = await bystand(
    broker,
    async () => {
      assertEquals(await nextLine(lines), "open");
      // The system completes connections before the broker has taken them.
      while (complete < CROWD) {
        const { connections } = await broker.holdings(false);
        assertGreaterOrEqual(connections, complete, "some had to go before all were there");
        complete = connections;
      }
      report = JSON.parse(await nextLine(lines));
    },
    '{"auth_token":"let-me-in"}',
    PAUSE_MS,
  );

  assert(worstMs < NOTICED_MS, `a bystander waited ${worstMs} ms`);
  const { lastWords, firstMs, lastMs } = report!;
  assertEquals(lastWords, { "-ERR 'Authentication Timeout'\r\n": CROWD });
  assertGreaterOrEqual(firstMs, TIMEOUT_S * 1000 - 100);
  assert(lastMs < TIMEOUT_S * 1000 + LATE_MS, `one was closed after ${lastMs} ms`);
  assertEquals(await lines.next(), { done: true, value: undefined });

  let left = await broker.holdings();
  for (let looks = 0; left.connections > 0 && looks < 1000; looks++) left = await broker.holdings();
  assertEquals(
    [left.connections, left.tasks, left.panics, left.subscriptions],
    [0, fresh.tasks, 0, 0],
  );
  // The runtime opens a few of its own when it likes.
  assert(left.files < fresh.files + 8, `${left.files} files are open, ${fresh.files} were`);
});
