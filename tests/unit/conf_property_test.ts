import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ConfigError, convertConfig, loadConfig } from "../../src/config/mod.ts";
import { FileError, SeededRandom } from "../../src/platform/mod.ts";
import { makeUpConf } from "../support/conf_settings.ts";
import { type ConfMap, type ConfValue, readConfText, writeConf } from "../support/conf_text.ts";

/** Texts that have been taken for something else, somewhere. */
const text = fc.oneof(
  fc.constantFrom(
    "",
    "a",
    "true",
    "off",
    "1",
    "-1",
    "64MB",
    "5m",
    "$HOME",
    "$2a$11$WHMSMCW3nLvRpbwYo5nZR.cX3QVzGJ9XcOr1gnzyvDZq.UMmFMkyG",
    "foo.*.>",
    "nats://a:b@c:1",
    "it's",
    "a // b",
    "# a",
    "${A}",
    "\\x41",
    "(\n)",
    "line\n",
    "\nblock\ntext\n",
    "ü€𝄞",
    "include",
  ),
  fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => !text.includes("\0")),
);

const integer = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.integer({ min: -2000, max: 2000 }).map((count) => BigInt(count) * 1024n),
);

const key = fc.oneof(
  fc.constantFrom("port", "a", "$b", "Include", "A B", "x.y", "*", "__proto__", "constructor"),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }),
).filter((key) => !/\0|["']/.test(key) && !key.startsWith("var_"));

const { value } = fc.letrec<{ value: ConfValue; map: ConfMap }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    text.map((string) => ({ string })),
    integer.map((integer) => ({ integer: String(integer) })),
    fc.constantFrom("0.5", "12.25", "-3.75").map((float) => ({ float })),
    fc.boolean().map((boolean) => ({ boolean })),
    fc.constant({ datetime: "2026-01-31T12:00:00Z" }),
    fc.array(tie("value"), { maxLength: 4 }).map((list) => ({ list })),
    tie("map"),
  ),
  map: fc.uniqueArray(fc.tuple(key, tie("value")), { maxLength: 5, selector: ([key]) => key })
    .map((map) => ({ map })),
}));

const document = fc.uniqueArray(fc.tuple(key, value), {
  maxLength: 6,
  selector: ([key]) => key,
}).map((map): ConfMap => ({ map }));

Deno.test("what is written in any spelling is read as it was meant", async () => {
  let included = 0, referred = 0;
  await fc.assert(
    fc.asyncProperty(document, fc.integer(), async (meant, seed) => {
      const random = new SeededRandom(seed);
      const { text, files } = writeConf(meant, random, { variables: true, includes: true });
      included += Object.keys(files).length;
      referred += text.includes("$var_") ? 1 : 0;
      const { value, problems } = await readConfText(text, files);
      assertEquals([value, problems], [meant, []], text);
    }),
    { numRuns: 1000 },
  );
  assert(included > 100 && referred > 100, `${included} includes, ${referred} with variables`);
});

/** Words of the format, and pieces of them. */
const noise = fc.array(
  fc.oneof(
    fc.constantFrom(
      ..."{ } [ ] ( ) : = , ; # // / \" ' \\ \\x4 $ $a - . 1 1k 2x 1.5 1.2.3 2026- \n \r\n \t"
        .split(
          " ",
        ),
      " ",
      "\n)\n",
      "include x.conf\n",
      "port: 4222\n",
      "authorization {",
      "cluster: { listen: ",
      "accounts { A: { users = [ { user: ",
      "include main.conf\n",
    ),
    fc.string({ unit: "binary", maxLength: 6 }),
  ),
  { maxLength: 40 },
).map((parts) => parts.join(""));

Deno.test("no text makes the reader hang, or throw anything but a configuration error", async () => {
  let refused = 0, accepted = 0;
  await fc.assert(
    fc.asyncProperty(noise, noise, async (main, other) => {
      const files = {
        readText: (path: string) =>
          path === "main.conf"
            ? Promise.resolve(main)
            : path === "x.conf"
            ? Promise.resolve(other)
            : Promise.reject(new FileError(`cannot read ${path}`)),
      };
      const environment = (name: string) => name === "a" ? other : undefined;
      try {
        await loadConfig({ file: "main.conf", env: environment, files });
        accepted++;
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        assert(error.problems.length > 0 && error.problems.length <= 50);
        for (const { source, line, column } of error.problems) {
          assert(source === "main.conf" || source === "x.conf", source);
          assert((line ?? 0) >= 1 && (column ?? 0) >= 1);
        }
        refused++;
      }
    }),
    { numRuns: 3000 },
  );
  assert(refused > 1000 && accepted > 10, `${refused} refused, ${accepted} accepted`);
});

Deno.test("deep nesting, long lists and long words are read in time in proportion to their length", async () => {
  const deep = async (levels: number) => {
    const { problems } = await readConfText(`a: ${"[".repeat(levels)}`);
    return problems.map((problem) => problem.replace(/^[\d:]+ /, ""));
  };
  assertEquals(await deep(50), ["a [ that is never closed"]);
  assertEquals(await deep(1_000_000), ["lists or maps are nested too deeply"]);
  const many = 300_000;
  const { value, problems } = await readConfText(
    `a = [${"x\n".repeat(many)}]\nb: ${"y".repeat(many)}`,
  );
  assertEquals(problems, []);
  assert("map" in value);
  const [a, b] = value.map.map(([, item]) => item);
  assert(a !== undefined && "list" in a && b !== undefined && "string" in b);
  assertEquals([a.list.length, b.string.length], [many, many]);
  const braces = await readConfText("{".repeat(many));
  assertEquals(braces.problems, ["1:101: lists or maps are nested too deeply"]);
});

Deno.test("a configuration of any spelling is converted to YAML that says the same", async () => {
  for (let seed = 0; seed < 400; seed++) {
    const random = new SeededRandom(seed);
    const { conf } = makeUpConf(random, false);
    const { text, files } = writeConf(conf, random, {
      // The names of variables would be subjects there.
      variables: (path) => !path.some((key) => key === "mappings" || key === "maps"),
      includes: true,
    });
    const all: Record<string, string> = { ...files, "main.conf": text };
    const sources = {
      env: () => undefined,
      files: {
        readText: (path: string) =>
          all[path] === undefined
            ? Promise.reject(new FileError(`cannot read ${path}`))
            : Promise.resolve(all[path]),
      },
    };
    const { yaml } = await convertConfig({ file: "main.conf", ...sources });
    const [before, after] = await Promise.all([
      loadConfig({ file: "main.conf", ...sources }),
      loadConfig({ file: "main.yaml", text: yaml, ...sources }),
    ]);
    assertEquals(after, before, `seed ${seed}\n${text}\n${yaml}`);
  }
});
