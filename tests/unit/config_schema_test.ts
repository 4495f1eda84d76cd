/** The JSON Schema against what denats takes: an editor must not mark a file that would run. */
import { assert, assertEquals } from "@std/assert";
import { ConfigError, jsonSchema, loadConfig } from "../../src/config/mod.ts";

type Draft = Readonly<Record<string, unknown>>;

/** Whether a scalar fits: as much of JSON Schema as scalars of ours use. */
function fits(value: unknown, draft: Draft): boolean {
  const { type, anyOf, enum: words, pattern, minimum, maximum, minLength } = draft;
  const types = [type].flat();
  const own: string = typeof value;
  const isA = (name: unknown) => name === "integer" ? Number.isInteger(value) : own === name;
  if (type !== undefined && !types.some(isA)) return false;
  if (Array.isArray(anyOf) && !anyOf.some((one: Draft) => fits(value, one))) return false;
  if (Array.isArray(words) && !words.includes(value)) return false;
  if ("const" in draft && draft.const !== value) return false;
  if (typeof value === "string") {
    if (typeof pattern === "string" && !new RegExp(pattern, "u").test(value)) return false;
    if (typeof minLength === "number" && value.length < minLength) return false;
  }
  if (typeof value !== "number") return true;
  return !(typeof minimum === "number" && value < minimum) &&
    !(typeof maximum === "number" && value > maximum);
}

const properties = jsonSchema().properties as Record<string, Draft>;

async function isTaken(key: string, value: unknown): Promise<boolean> {
  const files = { readText: () => Promise.reject(new Error("nothing to read")) };
  const text = `${key}: ${String(value)}\n`;
  const env = (name: string) => ({ PORT: "4333", FLAG: "on", SIZE: "1MB" })[name];
  try {
    await loadConfig({ text, env, files });
    return true;
  } catch (error) {
    assert(error instanceof ConfigError, String(error));
    return false;
  }
}

Deno.test("the schema takes the values that denats takes, and refuses what it refuses", async () => {
  const cases: [string, unknown[], unknown[]][] = [
    ["port", [4222, -1, "${PORT}"], [0, 65_536, "http", "$PORT", "${}"]],
    ["listen", [4222, "a:1", "${PORT}"], []],
    ["debug", [true, "yes", "On", "OFF", "FALSE", "True", "${FLAG}"], ["maybe", 1, "yess"]],
    ["max_payload", [1024, "1MB", "1 KiB", "${SIZE}"], ["1 elephant", -1]],
    ["ping_interval", [30, "1m30s", "${PORT}s"], ["soon", -1]],
    ["server_name", ["one", "${PORT}", "a-${PORT}"], []],
    ["pid_file", ["a", "/run/${PORT}"], []],
  ];
  for (const [key, good, bad] of cases) {
    const draft = properties[key];
    assert(draft, key);
    for (const value of good) {
      assertEquals(
        [await isTaken(key, value), fits(value, draft)],
        [true, true],
        `${key} ${value}`,
      );
    }
    for (const value of bad) {
      assertEquals(
        [await isTaken(key, value), fits(value, draft)],
        [false, false],
        `${key} ${value}`,
      );
    }
  }
  const log = properties.log?.properties as Record<string, Draft>;
  assert(fits("${LEVEL}", log.level!) && fits("json", log.format!) && !fits("xml", log.format!));
});
