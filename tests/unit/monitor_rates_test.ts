import { assertEquals } from "@std/assert";
import { LoopDelay, RateMeter } from "../../src/monitor/mod.ts";
import { MemoryBroker } from "../support/memory_broker.ts";

const totals = (inMessages: number, inBytes: number, outMessages: number, outBytes: number) => ({
  inMessages,
  inBytes,
  outMessages,
  outBytes,
});

Deno.test("rates are what was added since the last sample, per second", () => {
  const meter = new RateMeter(500);
  assertEquals(meter.perSecond, totals(0, 0, 0, 0));
  meter.sample(totals(10, 20, 30, 40), 1500);
  assertEquals(meter.perSecond, totals(10, 20, 30, 40));
  meter.sample(totals(15, 20, 130, 41), 3500);
  assertEquals(meter.perSecond, totals(2.5, 0, 50, 0.5));
  meter.sample(totals(15, 20, 130, 41), 4500);
  assertEquals(meter.perSecond, totals(0, 0, 0, 0));
});

Deno.test("two samples at one moment make no infinite rate, and lose nothing", () => {
  const meter = new RateMeter(0);
  meter.sample(totals(10, 0, 0, 0), 1000);
  meter.sample(totals(20, 0, 0, 0), 1000);
  assertEquals(meter.perSecond.inMessages, 10);
  meter.sample(totals(30, 0, 0, 0), 2000);
  assertEquals(meter.perSecond.inMessages, 20);
});

Deno.test("a broker's rates follow what its clients do", async () => {
  await using world = await MemoryBroker.start();
  const client = await world.connect();
  await world.exchange(client, "SUB a 1\r\nSUB > 2\r\n" + "PUB a 3\r\nabc\r\n".repeat(10));
  await world.advance(1000);
  assertEquals(world.broker.statistics.perSecond, totals(10, 30, 20, 60));
  await world.advance(1000);
  assertEquals(world.broker.statistics.perSecond, totals(0, 0, 0, 0));
});

Deno.test("the delay of the loop is how much later than due a regular job ran", () => {
  const delay = new LoopDelay(1000, 5000);
  assertEquals(delay.delayMs, 0);
  delay.tick(6000);
  assertEquals(delay.delayMs, 0);
  delay.tick(7250);
  assertEquals(delay.delayMs, 250);
  delay.tick(8000);
  assertEquals(delay.delayMs, 0, "early after a late one is not late");
});
