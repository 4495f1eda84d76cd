/** Twenty brokers that are started at once, each of which is configured with all the others. */
import { assert, assertLessOrEqual } from "@std/assert";
import { freePort, releasePort } from "../support/free_port.ts";
import { ObservedBroker } from "../support/observed_broker_process.ts";

const BROKERS = 20;
/** The pool's three, and the one of the system account. */
const CONNECTIONS_PER_PAIR = 4;
/** How long they may take in all, in milliseconds. */
const FULL_LIMIT_MS = 30_000;
/** How often one connection may be dialled. */
const DIALS_PER_CONNECTION = 3;

Deno.test("twenty brokers started at once are a full mesh soon, with few dials", async () => {
  await using stack = new AsyncDisposableStack();
  const ports = Array.from({ length: BROKERS }, freePort);
  for (const port of ports) stack.defer(() => releasePort(port));
  const routes = ports.map((port) => `nats-route://127.0.0.1:${port}`);
  const startedAtMs = performance.now();
  const starting = ports.map((port, i) =>
    ObservedBroker.start({
      server_name: `S${i}`,
      cluster: { name: "C", host: "127.0.0.1", port, routes },
    })
  );
  const brokers: ObservedBroker[] = [];
  const results = await Promise.allSettled(starting);
  for (const result of results) {
    if (result.status === "fulfilled") brokers.push(stack.use(result.value));
  }
  for (const result of results) if (result.status === "rejected") throw result.reason;
  const wanted = BROKERS * (BROKERS - 1) * CONNECTIONS_PER_PAIR;
  for (;;) {
    const all = await Promise.all(brokers.map((broker) => broker.holdings(false)));
    const ends = all.reduce((sum, { routes }) => sum + routes, 0);
    const dials = all.reduce((sum, { routeDials }) => sum + routeDials, 0);
    assertLessOrEqual(dials, DIALS_PER_CONNECTION * wanted / 2);
    if (ends === wanted && all.every(({ peers }) => peers === BROKERS - 1)) break;
    const elapsedMs = performance.now() - startedAtMs;
    assert(elapsedMs < FULL_LIMIT_MS, `${ends} of ${wanted} ends after ${elapsedMs} ms`);
  }
});
