/** CONNECT as nobody writes it: nothing throws, and nobody gets in. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  DEFAULT_CONNECT_OPTIONS,
  encodeByteString,
  parseConnectOptions,
} from "../../src/protocol/mod.ts";
import { MemoryBroker } from "../support/memory_broker.ts";

const KEYS = Object.keys(DEFAULT_CONNECT_OPTIONS);
const key = fc.oneof(
  fc.constantFrom(...KEYS, "PASS", "Auth_Token", "__proto__", "user\u0000"),
  fc.string(),
);
const value = fc.oneof(
  fc.anything({ maxDepth: 2 }),
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "app", "secret", 1e400, -1, 2 ** 53, null, true),
);
const pairs = fc.array(fc.tuple(key, value), { maxLength: 12 });

/** JSON with any keys, the same one twice too. */
const objects = pairs.map((all) => {
  const members = all.map(([name, value]) => {
    let text: string | undefined;
    try {
      text = JSON.stringify(value);
    } catch {
      // A bigint, or a circle.
    }
    return `${JSON.stringify(name)}:${text ?? "null"}`;
  });
  return `{${members.join(",")}}`;
});
const damaged = fc.tuple(objects, fc.nat(), fc.nat(), fc.string()).map(([json, at, length, put]) =>
  json.slice(0, at % json.length) + put + json.slice(at % json.length + length % 8)
);
const arguments_ = fc.oneof(objects, damaged, fc.string({ unit: "binary", maxLength: 60 }))
  .map(encodeByteString);

Deno.test("whatever CONNECT says, its options are of their types, or there are none", () => {
  let read = 0;
  fc.assert(
    fc.property(arguments_, (text) => {
      const options = parseConnectOptions(text, DEFAULT_CONNECT_OPTIONS);
      if (options === null) return;
      read++;
      for (const [name, standard] of Object.entries(DEFAULT_CONNECT_OPTIONS)) {
        const given = (options as unknown as Record<string, unknown>)[name];
        assertEquals(typeof given, typeof standard, name);
      }
      assertEquals(Object.keys(options).sort(), KEYS.toSorted());
    }),
    { numRuns: 2000 },
  );
  assert(read > 100, "some of it is read");
});

Deno.test("whatever CONNECT says, nothing behind it is done without the right credentials", async () => {
  const users = [{ user: "app", password: "a right one" }];
  await using world = await MemoryBroker.start({ authorization: { users } });
  const witness = await world.connect({ user: "app", pass: "a right one" });
  await world.exchange(witness, "SUB > 1\r\n");
  await fc.assert(
    fc.asyncProperty(arguments_, async (text) => {
      const client = await world.connectSilently();
      client.send(`CONNECT ${text.replace(/[\r\n]/g, "")}\r\nPUB x 1\r\nx\r\nPING\r\n`);
      await world.settle();
      assertEquals(client.take().includes("PONG"), false);
      assertEquals(witness.take(), "");
      await client.close();
      await world.settle();
    }),
    { numRuns: 300 },
  );
  assertEquals(world.broker.statistics.panics, 0);
  assertEquals(await world.exchange(witness, "PUB x 1\r\ny\r\n"), "MSG x 1 1\r\ny\r\n");
});
