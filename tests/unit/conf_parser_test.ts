import { assertEquals } from "@std/assert";
import { type ConfValue, readConfText } from "../support/conf_text.ts";

/** The value of `a` in a text without problems. */
async function read(text: string, environment: Record<string, string> = {}): Promise<ConfValue> {
  const { value, problems } = await readConfText(text, {}, environment);
  assertEquals(problems, [], text);
  const found = "map" in value ? value.map.find(([key]) => key === "a")?.[1] : undefined;
  return found ?? { missing: true };
}

/** The problems of a text. */
async function problemsOf(
  text: string,
  files: Record<string, string> = {},
  environment: Record<string, string> = {},
): Promise<readonly string[]> {
  return (await readConfText(text, files, environment)).problems;
}

Deno.test("scalars have the types that nats-server sees", async () => {
  const cases: [string, ConfValue][] = [
    ["12", { integer: "12" }],
    ["-12", { integer: "-12" }],
    ["0012", { integer: "12" }],
    ["1k", { integer: "1000" }],
    ["1K", { integer: "1000" }],
    ["1kb", { integer: "1024" }],
    ["-2KiB", { integer: "-2048" }],
    ["3Mi", { integer: "3145728" }],
    ["2e", { integer: "2000000000000000000" }],
    ["9223372036854775807", { integer: "9223372036854775807" }],
    ["1.5", { float: "1.5" }],
    ["-0.25", { float: "-0.25" }],
    ["true", { boolean: true }],
    ["On", { boolean: true }],
    ["NO", { boolean: false }],
    ['"true"', { string: "true" }],
    ["'12'", { string: "12" }],
    ["truely", { string: "truely" }],
    ["127.0.0.1", { string: "127.0.0.1" }],
    ["127.0.0.1:4222", { string: "127.0.0.1:4222" }],
    ["4222x", { string: "4222x" }],
    ["10s", { string: "10s" }],
    ["1h", { string: "1h" }],
    ["1kx", { string: "1kx" }],
    ["1:2", { string: "1:2" }],
    ["50%", { string: "50%" }],
    ["2026-01-31T12:00:00Z", { datetime: "2026-01-31T12:00:00Z" }],
    ["nats://a:b@c:4222", { string: "nats://a:b@c:4222" }],
    ["foo.*.>", { string: "foo.*.>" }],
    ["URL(http://h:1/jwt/)", { string: "URL(http://h:1/jwt/)" }],
    [String.raw`"a\tb\n\"\\\x41\xc3\xa4"`, { string: 'a\tb\n"\\Aä' }],
    [String.raw`a\tb\x41`, { string: "a\tbA" }],
    [String.raw`'a\tb'`, { string: "a\\tb" }],
    ['"a\nb"', { string: "a\nb" }],
    ["(\n one\n )two\n)", { string: "\n one\n )two\n" }],
    ["$2a$11$abc", { string: "$2a$11$abc" }],
    ['"$b"', { string: "$b" }],
  ];
  for (const [text, expected] of cases) {
    assertEquals(await read(`a: ${text}`), expected, text);
    assertEquals(await read(`b { x 1 }\na ${text}\nc = 1`), expected, text);
    assertEquals(await read(`a = [ ${text}\n]`), { list: [expected] }, text);
  }
});

Deno.test("a bracket behind a number belongs to it, as nats-server has it", async () => {
  assertEquals(await read("a: [1, 2 ]"), { list: [{ integer: "1" }, { integer: "2" }] });
  assertEquals(await read("a: [1k]"), { list: [{ string: "1k" }] });
  assertEquals(await read("a: [1],2 ]"), { list: [{ string: "1]" }, { integer: "2" }] });
  assertEquals(await read("a: [1.5]"), { list: [{ float: "1.5" }] });
  assertEquals(await read("a: [-1]"), { list: [{ integer: "-1" }] });
});

Deno.test("keys, separators and ends may be written in many ways", async () => {
  const expected: ConfValue = {
    map: [["b", { integer: "1" }], ["c d", { list: [{ string: "x" }, { string: "y" }] }]],
  };
  for (
    const text of [
      `a { b: 1, "c d": [x, y] }`,
      `a: {b=1;'c d' [x,y]}`,
      `"a" = { # c\n b 1 // d\n "c d" = [ # e\n x # f\n y\n]\n}`,
      `{ a: { b: 1\n "c d": [\n"x",\n"y",\n],\n }, }`,
      `{"a":{"b":1,"c d":["x","y"]}}`,
      `a:\t{\r\n\tb :\n\n 1\r\n'c d'\n[x\r\ny]\r\n}\r\n`,
      `a { b 1, b 1 / , "c d" [x / y] };`,
    ]
  ) assertEquals(await read(text), expected, text);
  assertEquals(await read("a{b: 1}\na: 2"), { integer: "2" });
  assertEquals(await read("a: #secret\n"), { string: "#secret" });
});

Deno.test("of a key that is given twice the last one counts, and it is told", async () => {
  const { value, problems, oddities } = await readConfText("a: 1\nb: 2\n a: { c: 3 }\n");
  assertEquals(value, {
    map: [["a", { map: [["c", { integer: "3" }]] }], ["b", { integer: "2" }]],
  });
  assertEquals([problems, oddities], [[], ["1:1: given again in line 3, which counts"]]);
});

Deno.test("a variable is the key of its name that was given before, the innermost first", async () => {
  assertEquals(await read("v: 1\na: $v"), { integer: "1" });
  assertEquals(await read("v: 1\nx { v: 2 }\na: $v"), { integer: "1" });
  assertEquals(await read("v: 1\na { v: 2, b: $v }"), {
    map: [["v", { integer: "2" }], ["b", { integer: "2" }]],
  });
  assertEquals(await read("v: 1\na { b: $v, v: 2 }"), {
    map: [["b", { integer: "1" }], ["v", { integer: "2" }]],
  });
  assertEquals(await read("v: 1\na [ { w: $v }, { w: $v } ]"), {
    list: [{ map: [["w", { integer: "1" }]] }, { map: [["w", { integer: "1" }]] }],
  });
  assertEquals(await read("v { x: [1, 2 ] }\nw: $v\na: $w"), {
    map: [["x", { list: [{ integer: "1" }, { integer: "2" }] }]],
  });
  assertEquals(await read("v: 1\na: $v\nv: 2"), { integer: "1" });
  assertEquals(await read("v: $2a$x\na: $v"), { string: "$2a$x" });
});

Deno.test("the environment is looked at last, and its texts are values", async () => {
  const environment = {
    NUMBER: "4222",
    TEXT: "abc",
    QUOTED: '"a b"',
    LIST: "[1, $NUMBER ]",
    MAP: "{ x: on }",
    EMPTY: "",
    SELF: "$SELF",
    ROUND: "[ $TURN ]",
    TURN: "$ROUND",
    BLANK: "a b",
    INCLUDE: "1\ninclude x.conf",
  };
  const cases: [string, ConfValue][] = [
    ["NUMBER", { integer: "4222" }],
    ["TEXT", { string: "abc" }],
    ["QUOTED", { string: "a b" }],
    ["LIST", { list: [{ integer: "1" }, { integer: "4222" }] }],
    ["MAP", { map: [["x", { boolean: true }]] }],
    ["EMPTY", { string: "" }],
    ["INCLUDE", { integer: "1" }],
  ];
  for (const [name, expected] of cases) {
    assertEquals(await read(`a: $${name}`, environment), expected, name);
  }
  assertEquals(await read("NUMBER: 1\na: $NUMBER", environment), { integer: "1" });
  const bad = "cannot be read as a value";
  assertEquals(await problemsOf("\n a: $SELF\nb: $ROUND\nc: $BLANK\n", {}, environment), [
    `2:5: the environment variable SELF ${bad}: it refers to itself`,
    `3:4: the environment variable ROUND ${bad}: it refers to itself`,
    `4:4: the environment variable BLANK ${bad}: more behind the value`,
  ]);
});

Deno.test("what is in no scope is reported, and no secret with it", async () => {
  const unknown = (name: string) =>
    `the variable${name} is neither a key given before nor in the environment`;
  assertEquals(await problemsOf("a: $b\nb: $c\nc: $2b$12$abc\nd: [ $pass!word ]"), [
    `1:4: ${unknown(" b")}`,
    `2:4: ${unknown(" c")}`,
    `3:4: ${unknown("")}`,
    `4:6: ${unknown("")}`,
  ]);
  assertEquals(await problemsOf("x { v: 1 }\na: $v"), [`2:4: ${unknown(" v")}`]);
});

Deno.test("what an included file says stands where it is included", async () => {
  const files = {
    "sub/one.conf": "b: 1\ninclude two.conf\n",
    "sub/two.conf": "c { include '../three.conf' }",
    "three.conf": "v: 3, d: $v",
  };
  const { value, problems } = await readConfText(
    "a: 0\nb: 0\ninclude ./sub/one.conf\nd: $b\ne { include sub//one.conf }",
    files,
  );
  const inner = { map: [["v", { integer: "3" }], ["d", { integer: "3" }]] as const };
  assertEquals(problems, []);
  assertEquals(value, {
    map: [
      ["a", { integer: "0" }],
      ["b", { integer: "1" }],
      ["c", inner],
      ["d", { integer: "1" }],
      ["e", { map: [["b", { integer: "1" }], ["c", inner]] }],
    ],
  });
});

Deno.test("includes that cannot be are reported where they stand", async () => {
  const files = {
    "a.conf": "include b.conf",
    "b.conf": "\n  include ./a.conf",
    "bad.conf": "x: [",
    "outer.conf": "y: $x",
  };
  const includes =
    "include a.conf\ninclude gone.conf\ninclude bad.conf\nx: 1\ninclude /outer.conf\n" +
    "include main.conf";
  assertEquals(await problemsOf(includes, files), [
    "2:9: cannot read gone.conf",
    "bad.conf:1:4: a [ that is never closed",
    "b.conf:2:11: an include that never ends: a.conf -> b.conf -> a.conf",
    "outer.conf:1:4: the variable x is neither a key given before nor in the environment",
    "6:9: an include that never ends: main.conf -> main.conf",
  ]);
  for (const text of ["include", "include\n", "include [x]", "include 1.conf"]) {
    assertEquals((await problemsOf(text, files)).length, 1, text);
  }
});

Deno.test("one thousand files are as many as one configuration may have", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 1100 }, (_, index) => [`f${index}.conf`, `include f${index + 1}.conf`]),
  );
  assertEquals(await problemsOf("include f0.conf", files), [
    "f998.conf:1:9: more than 1000 files, or files too large",
  ]);
});

Deno.test("everything that is wrong is told, each in its place", async () => {
  const text = String.raw`
a: 1.x
b: hello world, c: 5
= 1
d: "\q"
e {
  f: .5
  g: 12-1
  h: [ a, , b
  ]
  i: 1kbb
}
j: 99999999999999999999
k: 2026-02-30T00:00:00Z
l: "\xff"
m:
n: ok
`;
  const { value, problems } = await readConfText(text);
  assertEquals(problems, [
    "2:4: a number without digits after its dot",
    "3:10: more behind the value",
    "4:1: a = where a key is expected",
    "5:5: a \\ that begins no escape",
    "7:6: a value that begins with a dot",
    "8:6: a number with a dash, which is taken for a date and is none",
    "9:11: a , where a value is expected",
    "11:7: a number with an unknown unit",
    "13:4: a number that is too large",
    "14:4: a number with a dash, which is taken for a date and is none",
    "15:4: escapes that are no UTF-8 text",
    "16:1: no value behind the key",
  ]);
  assertEquals(value, {
    map: [
      ["b", { string: "hello" }],
      ["e", { map: [["h", { list: [{ string: "a" }] }]] }],
      ["n", { string: "ok" }],
    ],
  });
});

Deno.test("what is never closed is reported where it begins", async () => {
  const cases: [string, string][] = [
    ['a: "b', "1:4: a quote that is never closed"],
    ["a: 'b\n c: 1", "1:4: a quote that is never closed"],
    ["x: 1\n'a: 1", "2:1: a quote that is never closed"],
    ["a: [1, 2", "1:4: a [ that is never closed"],
    ["a: {\n b: 1\n", "1:4: a { that is never closed"],
    ["a: (\n b )\n", "1:4: a text in parentheses that is never closed"],
    ["a: 1\nb", "2:1: a key without a value"],
    ["a =", "1:1: no value behind the key"],
    ["a { b: }", "1:5: no value behind the key"],
    ["a: 1 b: 2", "1:6: more behind the value"],
    ["a: 1\n}\nb: 2", "2:1: a } that closes nothing"],
    ["a: \0", "1:4: a zero byte; is this a text?"],
  ];
  for (const [text, expected] of cases) assertEquals(await problemsOf(text), [expected], text);
});

Deno.test("what nats-server accepts though it is strange is accepted and told", async () => {
  const cases: [string, string][] = [
    ["{ a: 1\n", "1:1: a { that is never closed"],
    ["a: 1 }\n", "1:6: a } that closes nothing"],
    ["a: 1\n}\n", "2:1: a } that closes nothing"],
  ];
  for (const [text, expected] of cases) {
    const { value, problems, oddities } = await readConfText(text);
    assertEquals([value, problems, oddities], [
      { map: [["a", { integer: "1" }]] },
      [],
      [expected],
    ], text);
  }
});
