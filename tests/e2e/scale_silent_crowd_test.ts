/** Ten thousand connections that say nothing: what they cost the others, and how they end. */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { bystand } from "../support/bystanders.ts";
import { withFileLimit } from "../support/file_limit.ts";
import { linesOf, nextLine } from "../support/lines.ts";
import { ObservedBroker } from "../support/observed_broker_process.ts";
import type { CrowdReport } from "../support/silent_crowd.ts";

const CROWD = 10_000, BYSTANDERS = 2;
/** What either process may open: the crowd fits in, and little more than twice of it. */
const FILE_LIMIT = 20_000;
/**
 * Seconds for saying CONNECT. On a busy machine the first ones have to go before the last ones have
 * come: then the crowd comes again and is given more time.
 */
const TIMEOUTS_S = [10, 30, 90];
/** How long a bystander may wait for a message on a busy machine, in milliseconds. */
const NOTICED_MS = 2000;
/** Between two messages of the bystanders, in milliseconds: they leave the processor to the crowd. */
const PAUSE_MS = 10;
/** How much later than its time a connection may be closed on a busy machine, in milliseconds. */
const LATE_MS = 20_000;

/** Starts the crowd. It says when it is complete, and in the end how it was sent away. */
function silentCrowd(broker: ObservedBroker): Deno.ChildProcess {
  const program = new URL("../support/silent_crowd.ts", import.meta.url).pathname;
  const { hostname, port } = broker.address;
  const { command, args } = withFileLimit(FILE_LIMIT, {
    command: Deno.execPath(),
    args: ["run", "-A", "--no-check", decodeURIComponent(program)]
      .concat(hostname, String(port), String(CROWD)),
  });
  return new Deno.Command(command, { args: [...args], stdout: "piped" }).spawn();
}

/** The most connections that the broker has until there are `count`, or until they become fewer. */
async function mostConnections(broker: ObservedBroker, count: number): Promise<number> {
  // The system completes connections before the broker has taken them.
  for (let most = 0;;) {
    const { connections } = await broker.holdings(false);
    if (connections < most || connections >= count) return Math.max(most, connections);
    most = connections;
  }
}

/** A crowd comes and is sent away. Returns how many of them were there at the same time. */
async function sendAway(timeoutS: number): Promise<number> {
  const authorization = { token: "let-me-in", timeout: `${timeoutS}s` };
  await using broker = await ObservedBroker.start({ authorization }, FILE_LIMIT);
  const fresh = await broker.holdings();
  await using crowd = silentCrowd(broker);
  const lines = linesOf(crowd.stdout);
  let together = 0, report: CrowdReport | undefined;

  const { worstMs } = await bystand(
    broker,
    async () => {
      assertEquals(await nextLine(lines), "open");
      together = await mostConnections(broker, CROWD + BYSTANDERS) - BYSTANDERS;
      report = JSON.parse(await nextLine(lines));
    },
    '{"auth_token":"let-me-in"}',
    PAUSE_MS,
  );

  assert(worstMs < NOTICED_MS, `a bystander waited ${worstMs} ms`);
  const { lastWords, firstMs, lastMs } = report!;
  assertEquals(lastWords, { "-ERR 'Authentication Timeout'\r\n": CROWD });
  assertGreaterOrEqual(firstMs, timeoutS * 1000 - 100);
  assert(lastMs < timeoutS * 1000 + LATE_MS, `one was closed after ${lastMs} ms`);
  assertEquals(await lines.next(), { done: true, value: undefined });

  let left = await broker.holdings();
  for (let looks = 0; left.connections > 0 && looks < 1000; looks++) left = await broker.holdings();
  assertEquals(
    [left.connections, left.tasks, left.panics, left.subscriptions],
    [0, fresh.tasks, 0, 0],
  );
  // The runtime opens a few of its own when it likes.
  assert(left.files < fresh.files + 8, `${left.files} files are open, ${fresh.files} were`);
  return together;
}

Deno.test("10,000 connections that say nothing are closed in time and cost the others nothing", async () => {
  let together = 0;
  for (const timeoutS of TIMEOUTS_S) {
    if (together < CROWD) together = await sendAway(timeoutS);
  }
  assertEquals(together, CROWD);
});
