/** One of three brokers is killed under load. */
import { assert, assertEquals } from "@std/assert";
import type { NatsConnection } from "@nats-io/transport-node";
import { startBrokerProcess } from "../support/broker.ts";
import { connectClient, Received, soon, status } from "../support/nats_client.ts";
import type { ServerProcess } from "../support/server_process.ts";

/** How many messages each publisher sends before, while and after the broker is killed. */
const PER_PHASE = 20_000;
/** How many are sent between looks at what else happens. */
const BATCH = 500;

/** Starts a broker that joins the cluster at `seed`. */
function start(name: string, seed?: ServerProcess): Promise<ServerProcess> {
  const port = seed === undefined ? "" : new URL(seed.ports.cluster![0]!).port;
  return startBrokerProcess(`
server_name: ${name}
cluster:
  name: C
  listen: 127.0.0.1:-1
  routes: [${port === "" ? "" : `"nats-route://127.0.0.1:${port}"`}]
`);
}

/** Waits until what one client publishes arrives at another. */
async function connected(from: NatsConnection, to: NatsConnection): Promise<void> {
  const subject = `probe.${crypto.randomUUID()}`;
  let arrived = false;
  const probe = to.subscribe(subject, { callback: () => void (arrived = true) });
  for (const endMs = performance.now() + 10_000; !arrived;) {
    assert(performance.now() < endMs, "nothing gets through");
    from.publish(subject);
    await from.flush();
    await to.flush();
  }
  probe.unsubscribe();
}

async function publish(client: NatsConnection, subject: string, first: number): Promise<void> {
  for (let i = 0; i < PER_PHASE; i++) {
    client.publish(subject, String(first + i));
    if (i % BATCH === BATCH - 1) await client.flush();
  }
}

Deno.test("survivors lose nothing when one of three brokers is killed under load", async () => {
  await using victim = await start("S1");
  await using second = await start("S2", victim);
  await using third = await start("S3", victim);
  await using b = await connectClient({ address: second });
  await using c = await connectClient({ address: third });
  // Knows of the others only what the broker tells it.
  await using nomad = await connectClient({ address: victim }, {
    reconnect: true,
    reconnectTimeWait: 50,
    maxReconnectAttempts: 100,
  });
  await Promise.all([connected(b, c), connected(c, b), connected(nomad, b), connected(nomad, c)]);
  const fromB = [new Received(b, "from.b"), new Received(c, "from.b")];
  const fromC = [new Received(b, "from.c"), new Received(c, "from.c")];
  const moved = new Received(nomad, "after");
  await Promise.all([b.flush(), c.flush(), nomad.flush()]);
  // Interest travels in order: once this arrives, the subscriptions before it are known.
  await Promise.all([connected(b, c), connected(c, b)]);

  await Promise.all([publish(b, "from.b", 0), publish(c, "from.c", 0)]);
  const reconnected = status(nomad, "reconnect");
  const running = Promise.all([publish(b, "from.b", PER_PHASE), publish(c, "from.c", PER_PHASE)]);
  victim.kill("SIGKILL");
  await victim.status;
  await running;
  await Promise.all([publish(b, "from.b", 2 * PER_PHASE), publish(c, "from.c", 2 * PER_PHASE)]);

  for (const received of [...fromB, ...fromC]) {
    await received.count(3 * PER_PHASE);
    received.texts.forEach((text, i) => {
      if (text !== String(i)) assertEquals(text, String(i));
    });
  }
  // Whoever was on it is with one of the others now, and gets messages of both.
  await soon(reconnected);
  await Promise.all([connected(b, nomad), connected(c, nomad)]);
  b.publish("after", "b");
  c.publish("after", "c");
  await moved.count(2);
});
