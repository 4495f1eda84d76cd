/** The generated conversations themselves: complete, and with only one possible answer. */
import { assert, assertEquals } from "@std/assert";
import { findNatsServer } from "../support/nats_server.ts";
import { CONVERSATIONS_PER_PAIR, generateConversations, PAIRS } from "./generated_conversation.ts";
import { differences, SEED, startNatsServers } from "./side_by_side.ts";

const binary = await findNatsServer("2.15");

Deno.test("every verb meets every kind of fault at least five times", () => {
  const conversations = generateConversations(SEED);
  assert(CONVERSATIONS_PER_PAIR >= 5);
  assert(conversations.length >= 300);
  for (const { verb, fault } of PAIRS) {
    const texts = conversations.filter((one) => one.verb === verb && one.fault === fault)
      .map(({ opening, pieces }) => (opening + pieces.join("|")).replaceAll(/\bc\d+\./g, ""));
    assert(new Set(texts).size >= CONVERSATIONS_PER_PAIR, `too few of ${verb}, ${fault}`);
  }
});

Deno.test("the same seed gives the same conversations", () => {
  assertEquals(generateConversations(SEED), generateConversations(SEED));
  assert(
    JSON.stringify(generateConversations(SEED + 1)) !== JSON.stringify(generateConversations(SEED)),
  );
});

Deno.test({
  name:
    `nats-server 2.15 answers the generated conversations like another nats-server (seed ${SEED})`,
  ignore: binary === undefined,
  fn: async () => {
    if (binary === undefined) return;
    await using left = await startNatsServers(binary);
    await using right = await startNatsServers(binary);
    const found = await differences(generateConversations(SEED), left, right);
    assertEquals(found.length, 0, found.slice(0, 10).join("\n"));
  },
});
