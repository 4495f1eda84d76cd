/**
 * A process that stood still, as a laptop does that was asleep, must not blame its clients; one that is
 * late all the time must judge them nevertheless.
 */
import { assertEquals } from "@std/assert";
import { Broker } from "../../mod.ts";
import { type MemoryConnection, MemoryTransport, VirtualClock } from "../../src/platform/mod.ts";
import { connectFrame, MemoryClient } from "../support/memory_broker.ts";

/** Time that can pass while nothing runs. */
class StandstillClock extends VirtualClock {
  /** How late every timer is from now on, in milliseconds. */
  lateMs = 0;
  #missedMs = 0;

  /** Lets time pass in which nothing is done. */
  standStill(durationMs: number): void {
    this.#missedMs += durationMs;
  }

  override monotonic(): number {
    return super.monotonic() + this.#missedMs;
  }

  override setTimer(delayMs: number, callback: () => void) {
    return super.setTimer(delayMs, () => {
      this.#missedMs += this.lateMs;
      callback();
    });
  }
}

/** A broker with a client that has much to receive, and takes nothing. */
async function withDeafClient() {
  const clock = new StandstillClock(), ended: string[] = [];
  const broker = await Broker.start({ host: "memory", write_deadline: "3s" }, {
    clock,
    transport: new MemoryTransport(),
  });
  broker.on("disconnected", ({ reason }) => void ended.push(reason));
  const client = new MemoryClient(broker.connect() as MemoryConnection);
  client.send(connectFrame() + "SUB a 1\r\n");
  await clock.settle();
  client.stall();
  client.send(`PUB a 200000\r\n${"x".repeat(200_000)}\r\n`);
  await clock.settle();
  const close = async () => {
    const closing = broker.close();
    await clock.advance(20_000);
    await closing;
  };
  return { clock, client, ended, close };
}

Deno.test("a minute in which the process stood still does not count towards write_deadline", async () => {
  const { clock, client, ended, close } = await withDeafClient();
  await clock.advance(500);
  clock.standStill(60_000);
  await clock.advance(2000);
  assertEquals(ended, []);
  // What is left of the three seconds counts.
  await clock.advance(1000);
  assertEquals(ended, ["Slow Consumer (Write Deadline)"]);
  client.close();
  await close();
});

Deno.test("a process that is late all the time judges its clients nevertheless", async () => {
  const { clock, client, ended, close } = await withDeafClient();
  // No multiple of any period: the next tick has to lie in the future.
  clock.lateMs = 2037;
  await clock.advance(700);
  clock.lateMs = 0;
  assertEquals(ended, ["Slow Consumer (Write Deadline)"]);
  client.close();
  await close();
});
