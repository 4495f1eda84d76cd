import { assert, assertEquals } from "@std/assert";
import type { ExpectedResponse } from "../../src/account/service_responses.ts";
import { MemoryAccount } from "../support/memory_account.ts";

const KIB = 1024;

Deno.test("answers that are waited for take no more memory than there is for them", () => {
  const exporter = new MemoryAccount().account, importer = new MemoryAccount().account;
  const { responses } = exporter;
  const reply = "r".repeat(32 * KIB);
  for (let i = 0; i < 3000; i++) responses.expect(expected(importer, reply));
  assert(responses.size * reply.length <= 632 * KIB * KIB, `${responses.size} are waited for`);
  assert(responses.size > 500, `${responses.size} are waited for`);
});

Deno.test("who asks more than there is room for loses its own oldest answers, not those of others", async () => {
  const exporting = new MemoryAccount(), exporter = exporting.account;
  const modest = new MemoryAccount().account, greedy = new MemoryAccount().account;
  const { responses } = exporter;
  const kept = responses.expect(expected(modest, "modest"));
  const first = responses.expect(expected(greedy, "greedy"));
  const reply = "r".repeat(32 * KIB);
  for (let i = 0; i < 3000; i++) responses.expect(expected(greedy, reply));
  const size = responses.size;
  await exporting.publish(`PUB ${first} 1\r\nx\r\n`);
  assertEquals(responses.size, size, "the oldest of the greedy was given up");
  await exporting.publish(`PUB ${kept} 1\r\nx\r\n`);
  assertEquals(responses.size, size - 1, "the one of the modest was answered");
});

Deno.test("what was answered or given up makes room again", async () => {
  const exporting = new MemoryAccount(), importer = new MemoryAccount().account;
  const { responses } = exporting.account;
  const reply = "r".repeat(32 * KIB);
  const kept = responses.expect(expected(importer, "kept"));
  for (let i = 0; i < 3000; i++) responses.forget(responses.expect(expected(importer, reply)));
  for (let i = 0; i < 30; i++) {
    const asked = Array.from({ length: 100 }, () => responses.expect(expected(importer, reply)));
    await exporting.publish(asked.map((each) => `PUB ${each} 1\r\nx\r\n`).join(""));
  }
  assertEquals(responses.size, 1);
  await exporting.publish(`PUB ${kept} 1\r\nx\r\n`);
  assertEquals(responses.size, 0);
});

function expected(importer: ExpectedResponse["importer"], reply: string): ExpectedResponse {
  return { importer, reply, responseType: "singleton", thresholdMs: 13000 };
}
