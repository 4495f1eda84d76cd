import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { parse, stringify } from "@std/yaml";

Deno.test("the failsafe schema leaves every scalar a string", () => {
  const text = "port: 4222\ntls: true\nnone: ~\nempty:\nlist: [0x1f, 1:30, 2026-11-22]\n>: '*'";
  assertThrows(() => parse(text, { schema: "failsafe" }), SyntaxError); // a bare > is a block
  assertEquals(parse(text.replace("\n>:", '\n">":'), { schema: "failsafe" }), {
    port: "4222",
    tls: "true",
    none: "~",
    empty: null,
    list: ["0x1f", "1:30", "2026-11-22"],
    ">": "*",
  });
});

Deno.test("the other schemas make numbers, booleans, null and (the default one) dates", () => {
  const text = "[1, -0x1f, 017, 0b11, 1_000, 1.5, .inf, true, no, null, ~, 1:30, 2026-11-22]";
  const common = [1, -31, 15, 3, 1000, 1.5, Infinity, true, "no", null, null, "1:30"];
  assertEquals(parse(text, { schema: "json" }), [...common, "2026-11-22"]);
  assertEquals(parse(text, { schema: "core" }), [...common, "2026-11-22"]);
  assertEquals(parse(text), [...common, new Date("2026-11-22")]);
  assertEquals(parse(text, { schema: "default" }), parse(text));
  assertEquals(parse("a: &a {b: 1}\nc: {<<: *a, d: 2}"), { a: { b: 1 }, c: { b: 1, d: 2 } });
});

Deno.test("a text without a document is null, one with two is an error", () => {
  assertEquals(parse(""), null);
  assertEquals(parse("# a comment\n", { schema: "failsafe" }), null);
  assertEquals(parse("\ufeffa: 1"), { a: 1 });
  assertThrows(() => parse("a: 1\n---\nb: 2"), SyntaxError, "expected a single document");
});

Deno.test("keys occur once unless they may occur again", () => {
  const error = assertThrows(() => parse("a: 1\nb: 2\na: 3"), SyntaxError);
  assertMatch(error.message, /duplicated .*key at line 3, column \d+:\n +a: 3\n +\^$/);
  assertEquals(parse("a: 1\na: 3", { allowDuplicateKeys: true }), { a: 3 });
});

Deno.test("what is wrong is said with line, column and an excerpt", () => {
  for (
    const [text, at] of [
      ["a: [1, 2\nb: 3", /at line 2, column 1:\n {4}b: 3\n {4}\^$/],
      ["a: 'b", /at line 2, column 1:\n/],
      ["a: b: c", /at line 1, column 5:\n {4}a: b: c\n {8}\^$/],
      ["a: *nowhere", /unidentified alias "nowhere" at line 1/],
      ["a: !unknown b", /unknown tag !<!unknown> at line/],
    ] as const
  ) {
    const error = assertThrows(() => parse(text), SyntaxError);
    assertMatch(error.message, at, text);
    assertEquals(error.cause, undefined); // it would hold the whole text, secrets too
  }
});

Deno.test("no key reaches a prototype", () => {
  const value = parse("__proto__: {polluted: 1}", { schema: "failsafe" }) as object;
  assertEquals(Object.keys(value), ["__proto__"]);
  assertEquals(Reflect.get({}, "polluted"), undefined);
});

Deno.test("stringify writes what parse reads back", () => {
  const value = {
    text: "hello",
    numbers: [1, -1.5, Infinity],
    "looks like": { number: "017", time: "1:30", bool: "true", old: "yes", nil: "~", gt: ">" },
    "more lines": "one\ntwo\n",
    empty: { list: [], map: {}, text: "", nil: null },
  };
  assertEquals(parse(stringify(value)), value);
  assertEquals(
    stringify({ a: [1, { b: "x: y" }], c: "yes" }),
    "a:\n  - 1\n  - b: 'x: y'\nc: 'yes'\n",
  );
});

Deno.test("stringify follows its options", () => {
  assertEquals(stringify({ a: [1] }, { arrayIndent: false }), "a:\n- 1\n");
  assertEquals(stringify({ a: [1] }, { indent: 4 }), "a:\n    - 1\n");
  assertEquals(stringify({ a: [1, 2] }, { flowLevel: 1 }), "a: [1, 2]\n");
  assertEquals(stringify({ b: 1, a: 2 }, { sortKeys: true }), "a: 2\nb: 1\n");
  assertEquals(stringify("yes", { compatMode: false }), "yes\n");
  const shared = [1];
  assertEquals(stringify([shared, shared], { flowLevel: 0 }), "[&ref_0 [1], *ref_0]\n");
  assertEquals(stringify([shared, shared], { flowLevel: 0, useAnchors: false }), "[[1], [1]]\n");
  assertThrows(() => stringify({ a: () => {} }), TypeError, "Cannot stringify");
  assertThrows(() => stringify(undefined), TypeError, "Cannot stringify undefined");
});
