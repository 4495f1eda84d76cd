import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type ConfigInput,
  loadConfig,
  normaliseConfig,
  printConfig,
} from "../../src/config/mod.ts";
import { LOG_MODULES } from "../../src/log/mod.ts";

function reload(text: string) {
  return loadConfig({
    text,
    env: () => undefined,
    files: { readText: () => Promise.reject(new Error("nothing to read")) },
  });
}

const name = fc.string({ minLength: 1, unit: "binary" }).filter((text) => text !== "__proto__");
const word = fc.stringMatching(/^[a-z$]{1,4}[a-z${}]{0,8}$/);

const input: fc.Arbitrary<ConfigInput> = fc.record({
  server_name: word,
  port: fc.constantFrom(-1, 1, 65535),
  max_payload: fc.integer({ min: 1, max: 1_048_576 }),
  max_pending: fc.integer({ min: 1_048_576, max: 2 ** 40 }),
  ping_interval: fc.integer({ min: 1, max: 100_000 }),
  write_deadline: fc.integer({ min: 1, max: 5000 }).map((duration_ms) => `${duration_ms}ms`),
  debug: fc.boolean(),
  log_file: name,
  log: fc.record({
    format: fc.constantFrom("text", "json"),
    levels: fc.dictionary(fc.constantFrom(...LOG_MODULES), fc.constantFrom("debug", "error")),
  }),
  server_tags: fc.array(name, { maxLength: 3 }),
  server_metadata: fc.dictionary(name, name, { maxKeys: 3 }),
}, { requiredKeys: [] });

Deno.test("a printed configuration is read back as itself", async () => {
  await fc.assert(fc.asyncProperty(input, async (wanted) => {
    const config = normaliseConfig(wanted);
    assertEquals(await reload(printConfig(config)), config);
  }));
});

Deno.test("secrets are masked, and what is printed is still a configuration", async () => {
  const hash = "$2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG";
  const secrets: ConfigInput["authorization"][] = [
    { token: "hunter2" },
    { user: "alice", password: "hunter2" },
    { users: [{ user: "alice", password: "hunter2" }, { user: "bob", password: hash }] },
  ];
  for (const authorization of secrets) {
    const text = printConfig(normaliseConfig({ authorization }));
    assert(!text.includes("hunter2") && !text.includes("$2a$"), text);
    assert(text.includes('"***"'), text);
    const again = await reload(text);
    assertEquals(printConfig(again), text);
  }
});
