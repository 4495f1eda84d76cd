/**
 * What a nats-server once wrote at every level; `tests/interop/s2_nats_server_test.ts` asks a live one.
 */
import { assertEquals } from "@std/assert";
import { asRouted, jsonEvents } from "../support/json_events.ts";
import { bytesOf, decodeAll } from "../support/s2_frames.ts";

const recorded = await Deno.readTextFile(
  new URL("./cluster_s2_nats_server_frames.txt", import.meta.url),
);
const expected = asRouted([
  ...jsonEvents(3500),
  { subject: "events.repeat", payload: "abcdefghijklm".repeat(150) },
  { subject: "events.zeros", payload: "0".repeat(70_000) },
  { subject: "events.end", payload: "ababab" },
]);

const LEVELS = ["fast", "better", "best"];

for (const level of LEVELS) {
  Deno.test(`streams recorded from nats-server 2.15.1 at the level ${level} are read`, () => {
    const stream = bytesOf(recorded.split(/^[a-z]+\n/m)[1 + LEVELS.indexOf(level)]!);
    for (const [piece, into] of [[stream.length, 131_072], [1, 4096], [333, 100_000], [97, 1]]) {
      const decoded = new TextDecoder().decode(decodeAll(stream, piece, into));
      assertEquals(decoded === expected, true, `${stream.length} bytes in pieces of ${piece}`);
    }
  });
}
