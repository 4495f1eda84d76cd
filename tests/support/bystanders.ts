/**
 * What an attack on a broker costs the others, and what it leaves behind.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Broker } from "../../mod.ts";
import { RawClient, type ServerAddress } from "./conversation.ts";
import { taskCount } from "./observed_broker.ts";

/** How long a broker may take to forget what is gone, in milliseconds. */
const SETTLE_LIMIT_MS = 5000;

/** What the two that behave saw while an attack went on. */
export interface Experience {
  /** Messages that went from one to the other. */
  readonly messages: number;
  /** The longest time one took, in milliseconds. */
  readonly worstMs: number;
}

/** Whatever listens somewhere. */
interface Server {
  /** Where clients connect to. */
  readonly address: ServerAddress;
}

/**
 * Runs an attack on a broker that nobody else is connected to. Meanwhile a publisher and a subscriber
 * exchange messages one by one; afterwards the broker has to be as it was before: no connection,
 * no subscription and no task more, and no panic. Files are counted where the broker has a process of
 * its own (the churn test): other tests may open theirs in this one at the same time, and the resource
 * sanitizer sees to what the test itself leaves open.
 */
export async function attack(broker: Broker, run: () => Promise<void>): Promise<Experience> {
  const before = remains(broker);
  const experience = await bystand(broker, run);
  await until(() => {
    const { connections, tasks, subscriptions } = remains(broker);
    return connections === before.connections && tasks === before.tasks &&
      subscriptions === before.subscriptions;
  }).catch(() => {});
  assertEquals(remains(broker), before);
  return experience;
}

/**
 * Exchanges messages between a publisher and a subscriber, one by one, until `run` is over.
 *
 * @param options Options of their CONNECT, a JSON object.
 * @param pauseMs Milliseconds between two messages, where an attack takes long.
 */
export async function bystand(
  server: Server,
  run: () => Promise<void>,
  options = "{}",
  pauseMs = 0,
): Promise<Experience> {
  using subscriber = await greeted(server, options);
  using publisher = await greeted(server, options);
  await subscriber.send("SUB bystander 1\r\nPING\r\n");
  await subscriber.receiveUntil((text) => text.includes("PONG\r\n"));
  subscriber.take();
  let over = false;
  const attacking = run().finally(() => over = true);
  // It is awaited below, after the message under way.
  attacking.catch(() => {});
  let messages = 0, worstMs = 0;
  do {
    const sentAtMs = performance.now(), payload = String(messages).padStart(8, "0");
    await publisher.send(`PUB bystander 8\r\n${payload}\r\n`);
    await subscriber.receiveUntil((text) => withoutPings(text).endsWith(`${payload}\r\n`));
    assert(!subscriber.closedByServer && !publisher.closedByServer, "a bystander was closed");
    assertEquals(withoutPings(subscriber.take()), `MSG bystander 1 8\r\n${payload}\r\n`);
    worstMs = Math.max(worstMs, performance.now() - sentAtMs);
    messages++;
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  } while (!over);
  await attacking;
  return { messages, worstMs };
}

/** A raw client that has said CONNECT and was answered. */
export async function greeted(broker: Server, options = "{}"): Promise<RawClient> {
  const client = await RawClient.connect(broker.address);
  const connect = { verbose: false, pedantic: false, ...JSON.parse(options) };
  await client.send(`CONNECT ${JSON.stringify(connect)}\r\nPING\r\n`);
  await client.receiveUntil((text) => text.includes("PONG\r\n"));
  client.take();
  return client;
}

/** Looks again and again until `condition` holds; rejects when it does not within the limit. */
export async function until(condition: () => boolean, limitMs = SETTLE_LIMIT_MS): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${limitMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What a server sent, without the PINGs that come when time has passed. */
export function withoutPings(text: string): string {
  return text.replaceAll(/^PING\r\n/gm, "");
}

function remains(broker: Broker) {
  const { connections, subscriptions, panics } = broker.statistics;
  return {
    connections,
    subscriptions,
    panics,
    tasks: taskCount(broker.tasks()),
  };
}
