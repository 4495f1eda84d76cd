/**
 * S2 against the official implementation: each reads what the other writes, and neither needs much
 * more bytes for it.
 */
import { assert, assertEquals } from "@std/assert";
import { S2Encoder } from "../../src/cluster/s2/mod.ts";
import { clusterConfig, CompressedRoute, streamsOf } from "../support/compressed_route.ts";
import { RawClient } from "../support/conversation.ts";
import { asRouted, jsonEvents } from "../support/json_events.ts";
import { findNatsServer, startNatsServer } from "../support/nats_server.ts";
import { decodeAll } from "../support/s2_frames.ts";

/** How much larger than nats-server's ours may be. */
const TOLERANCE = 1.1;

const events = jsonEvents(1_000_000);
const END = { subject: "events.end", payload: "" };
const routed = asRouted(events), routedEnd = asRouted([END]);

/** Routed messages without the other lines of a route. */
const messagesOf = (text: string) => text.replaceAll(/^(?:INFO|PING|PONG|RS[+-]).*\r\n/gm, "");

for (const line of ["2.15", "2.10"] as const) {
  const binary = await findNatsServer(line);
  for (const level of ["fast", "better", "best"] as const) {
    // The older line has one turn; it has the same S2.
    if (line === "2.10" && level !== "better") continue;
    Deno.test({
      name: `nats-server ${line} and this codec read each other's S2 at the level ${level}`,
      ignore: binary === undefined,
      fn: async (test) => {
        if (binary === undefined) return;
        await using server = await startNatsServer(binary, clusterConfig(`s2_${level}`));
        using route = await CompressedRoute.dial(server, level);
        using client = await RawClient.connect(server);
        await client.send('CONNECT {"verbose":false,"pedantic":false}\r\n');

        await test.step("what nats-server writes", async () => {
          await route.send("RS+ $G events.>\r\n");
          await route.ping();
          const published = [...events, END].map(({ subject, payload }) =>
            `PUB ${subject} ${payload.length}\r\n${payload}\r\n`
          );
          await client.send(published.join(""));
          await route.receiveUntil((text) => text.endsWith(routedEnd));
          assertEquals(messagesOf(route.received) === routed + routedEnd, true);
        });

        await test.step("how much nats-server needs for it", () => {
          const raw = route.raw, encoder = new S2Encoder(level);
          let ours = 0;
          for (const stream of streamsOf(raw)) ours += encoder.encode(decodeAll(stream)).length;
          assert(ours <= raw.length * TOLERANCE, `${ours} bytes, nats-server ${raw.length}`);
        });

        await test.step("what nats-server reads", async () => {
          await client.send("SUB events.> 1\r\nPING\r\n");
          await client.receiveUntil((text) => text.includes("PONG\r\n"));
          client.take();
          await route.send("RS- $G events.>\r\n");
          // Half of it uncompressed: a level says only what its sender tries.
          for (let at = 0; at < routed.length; at += 100_000) {
            route.level = at < routed.length / 2 ? level : "uncompressed";
            await route.send(routed.slice(at, at + 100_000));
          }
          await route.send(routedEnd);
          await client.receiveUntil((text) => text.endsWith("MSG events.end 1 0\r\n\r\n"));
          const delivered = [...events, END].map(({ subject, payload }) =>
            `MSG ${subject} 1 ${payload.length}\r\n${payload}\r\n`
          );
          assertEquals(client.take().replaceAll(/^PING\r\n/gm, "") === delivered.join(""), true);
        });
      },
    });
  }
}
