/**
 * denats beside nats-server: the same conversations, the same bytes. Ids, addresses and the order
 * among several subscriptions of one message are not compared.
 */
import { assertEquals } from "@std/assert";
import { startBroker } from "../support/broker.ts";
import { findNatsServer } from "../support/nats_server.ts";
import { generateConversations } from "./generated_conversation.ts";
import { differences, SEED, settingsFor, startNatsServers, startSet } from "./side_by_side.ts";

const binary = await findNatsServer("2.15");

Deno.test({
  name: `denats answers the generated conversations like nats-server 2.15 (seed ${SEED})`,
  ignore: binary === undefined,
  fn: async () => {
    if (binary === undefined) return;
    await using natsServers = await startNatsServers(binary);
    await using brokers = await startSet(
      (kind) => startBroker(settingsFor(kind)),
      (broker) => broker.address,
    );
    const conversations = generateConversations(SEED);
    const found = await differences(conversations, natsServers, brokers);
    assertEquals(
      found.length,
      0,
      `${found.length} of ${conversations.length} differ (DIFFERENTIAL_SEED=${SEED}):\n` +
        found.slice(0, 20).join("\n"),
    );
  },
});
