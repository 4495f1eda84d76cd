/** The fast reader of YAML against the library: it reads the same, or nothing. */
import { assert, assertEquals } from "@std/assert";
import { parse, stringify } from "@std/yaml";
import fc from "fast-check";
import { locatePlainYaml, readPlainYaml } from "../../src/config/plain_yaml.ts";
import { PositionedText } from "../../src/config/positions.ts";
import type { Path } from "../../src/config/problem.ts";

function byLibrary(text: string): unknown {
  return parse(text, { schema: "failsafe" });
}

/** Checks that nothing is read otherwise than the library reads it; whether anything is read. */
function agrees(text: string): boolean {
  const plain = readPlainYaml(text);
  if (plain === undefined) return false;
  let expected: unknown;
  try {
    expected = byLibrary(text);
  } catch (error) {
    throw new Error(`the library refuses ${JSON.stringify(text)}`, { cause: error });
  }
  assertEquals(JSON.stringify(plain.value), JSON.stringify(expected), text);
  return true;
}

/** Every way into a value. */
function* pathsOf(value: unknown, path: Path = []): Generator<Path> {
  yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    yield* pathsOf(item, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}

function positionsAgree(text: string): void {
  const plain = locatePlainYaml(text);
  assert(plain !== undefined, text);
  const other = new PositionedText(text);
  for (const path of pathsOf(plain.value)) {
    for (const atKey of [true, false]) {
      const place = JSON.stringify([path, atKey]);
      assertEquals(plain.locate(path, atKey), other.locate(path, atKey), `${place} in\n${text}`);
    }
    const beyond = [...path, "none"];
    assertEquals(plain.locate(beyond, true), other.locate(beyond, true), `${beyond} in\n${text}`);
  }
}

const good = [
  "a",
  "- a: b\n- c",
  "a: b",
  "a: b\n",
  "# c\n\na:   b  # d\n\n#e\nc: 'd # e'\n",
  "a:\n  b:\n    c: d\n  e: f\ng: h",
  "a:\n- b\n- c\nd:\n  - e\n  -   f\n",
  "a:\n  - b: c\n    d: e\n  - f: g\n",
  "a:\n  - - b\n    - c\n  - []\n",
  "a: {b: c, d: [e, f], g: {h: {}}}\n",
  "a: [b,\n    c, # d\n  e\n  ]\nf: g",
  "a: \"b: c, #d\"\n\"e f\": ''\n'g': h",
  "a:\nb:\n  # nothing\nc: d\ne:",
  "a: &x {b: c}\nd: *x\ne: [*x, &y f, *y]\ng: &z\n  h: i\nj: *z\n",
  "a:\n  - &x\n    b: c\n  - *x\n",
  "a: -1\nb: +1s\nc: 5e7\nd: $2a$10$x\ne: a#b\nf: a:b:c\ng: http://a/b?c=d",
  "a: [{b: c}, {b: d}, {b: e, f: g}, {}]\n",
  "  a: b\n  c: d\n",
  "{a: b, c: [d, e,], }",
  'accounts: {A: {exports: [{stream: "s.>"}]}}',
];

/** Good YAML that is left to the library, and texts that are no YAML. */
const left = [
  "",
  "a: |\n  b\n",
  "a: >\n  b\n",
  "a: b\n  c\n",
  "a: !!str b",
  "--- \na: b",
  "a: b\n...\n",
  "? a\n: b",
  "a: [b: c]",
  "a: {b, c}",
  "a:\tb",
  "a: b\r\nc: d",
  'a: "b\\n"',
  "a: 'b''c'",
  "a: b: c",
  "a: b\na: c",
  "a: {b: c, b: d}",
  "a: {b: c",
  "a: [b",
  "a: *x",
  "__proto__: a",
  "a: {__proto__: b}",
  "a: 😀",
  "1: a\n0: b",
  "a: 'b",
  "a: b\n c: d",
  "a:\n    b: c\n  d: e",
  "a: @b",
  "a: `b`",
  "a: %b",
  "<<: {a: b}",
];

Deno.test("what configurations are written in is read as the library reads it", () => {
  for (const text of good) assert(agrees(text), text);
  for (const text of left) assert(!agrees(text), text);
});

Deno.test("positions are those of the library", () => {
  for (const text of good) positionsAgree(text);
});

const scalars = fc.oneof(
  fc.constantFrom(
    "a",
    "b c",
    "-",
    "-1",
    "",
    "x:y",
    "a#b",
    "#a",
    "a #b",
    "it's",
    'say "x"',
    "$1",
    "*",
  ),
  fc.constantFrom(
    "{",
    "]",
    "a, b",
    "a: b",
    "null",
    "true",
    "~",
    "é",
    "&a",
    "!a",
    "|",
    ">",
    "%",
    "@",
  ),
  fc.string({ maxLength: 6 }),
);
const keys = fc.constantFrom("a", "b", "users", "c d", "x:y", "-", "1", "*", "a.b", "'", "é");
const { values } = fc.letrec((tie) => ({
  values: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    scalars,
    fc.array(tie("values"), { maxLength: 4 }),
    fc.dictionary(keys, tie("values"), { maxKeys: 4 }),
  ),
}));
const documents = fc.tuple(
  fc.dictionary(keys, values, { minKeys: 1, maxKeys: 4 }),
  fc.constantFrom(-1, 1, 2, 3),
  fc.boolean(),
).map(([value, flowLevel, sharing]) =>
  stringify(value, { flowLevel, useAnchors: sharing, schema: "failsafe", lineWidth: -1 })
);

Deno.test("whatever is written as YAML is read as the library reads it, or not", () => {
  let read = 0;
  fc.assert(
    fc.property(documents, (text) => {
      if (!agrees(text)) return;
      read++;
      positionsAgree(text);
    }),
    { numRuns: 1000 },
  );
  assert(read > 100, `only ${read} of 1000 were read`);
});

Deno.test("an alias with an anchor of its own is left to the library, which refuses it", () => {
  for (const item of ["- &y *x", "- &y\n  *x", "- &- *x"]) {
    assertEquals(readPlainYaml(`a:\n- &x\n  b: c\n${item}\n`), undefined);
  }
});

Deno.test("a text that is changed by chance is read as the library reads it, or not", () => {
  const pieces = fc.constantFrom(
    ..."abc:-#&*!|>'\"%@`{}[],? \n.~",
    "\n  ",
    ": ",
    "- ",
    "\n- ",
    " #",
  );
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), pieces), {
    minLength: 1,
    maxLength: 4,
  });
  let read = 0;
  fc.assert(
    fc.property(fc.constantFrom(...good), changes, (text, changes) => {
      let changed = text;
      for (const [at, length, piece] of changes) {
        const from = at % (changed.length + 1);
        changed = changed.slice(0, from) + piece + changed.slice(from + length);
      }
      if (agrees(changed)) read++;
    }),
    { numRuns: 20_000 },
  );
  assert(read > 2000, `only ${read} of 20000 were read`);
});
