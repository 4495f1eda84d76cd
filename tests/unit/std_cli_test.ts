import { assertEquals, assertThrows } from "@std/assert";
import { parseArgs, type ParseOptions } from "@std/cli";

const cases: ReadonlyArray<readonly [string, string[], ParseOptions, Record<string, unknown>]> = [
  ["nothing", [], {}, { _: [] }],
  ["long flags", ["--a", "b", "--c=d", "--e"], {}, { a: "b", c: "d", e: true, _: [] }],
  ["values with =", ["--a=b=c", "--d=="], {}, { a: "b=c", d: "=", _: [] }],
  ["numbers", ["--a", "5", "--b=0x1f", "--c=1e3", "-d-2"], {}, {
    a: 5,
    b: 31,
    c: 1000,
    d: -2,
    _: [],
  }],
  ["no numbers", ["--a=5e7", "-b", "007"], { string: ["a", "b"] }, { a: "5e7", b: "007", _: [] }],
  ["strings without value", ["--a", "--b="], { string: ["a"] }, { a: "", "b=": true, _: [] }],
  ["a flag is no value", ["--a", "--b", "-c"], {}, { a: true, b: true, c: true, _: [] }],
  ["short flags", ["-abc", "x", "-n5", "-o=p", "-q/r"], {}, {
    a: true,
    b: true,
    c: "x",
    n: 5,
    o: "p",
    q: "/r",
    _: [],
  }],
  ["booleans take no value", ["--a", "b", "-c", "d"], { boolean: ["a", "c"] }, {
    a: true,
    c: true,
    _: ["b", "d"],
  }],
  ["except these", ["--a", "false", "-c", "true", "--d=false", "--e=no"], {
    boolean: ["a", "c", "d", "e"],
  }, { a: false, c: true, d: false, e: true, _: [] }],
  ["booleans are there", [], { boolean: ["a"] }, { a: false, _: [] }],
  ["all booleans", ["--a", "b"], { boolean: true }, { a: true, _: ["b"] }],
  ["defaults", ["--a=1"], { default: { a: 2, b: 3, "c.d": 4 } }, {
    a: 1,
    b: 3,
    c: { d: 4 },
    _: [],
  }],
  ["aliases", ["-p", "1", "--debug"], { alias: { port: "p", D: ["debug", "dbg"] } }, {
    p: 1,
    port: 1,
    D: true,
    debug: true,
    dbg: true,
    _: [],
  }],
  ["aliases share what they are", ["-p", "1"], {
    alias: { port: "p" },
    string: "port",
    default: { q: 1 },
  }, { p: "1", port: "1", q: 1, _: [] }],
  ["collected", ["--a=1", "-a", "2", "--b=3"], { collect: ["a", "b", "c"], string: ["c"] }, {
    a: [1, 2],
    b: [3],
    c: [],
    _: [],
  }],
  ["the last one counts", ["--a=1", "--a=2"], {}, { a: 2, _: [] }],
  ["negated", ["--no-a", "--no-b"], { negatable: "a", boolean: "a", default: { a: true } }, {
    a: false,
    "no-b": true,
    _: [],
  }],
  ["nested", ["--a.b=1", "--a.c", "2"], {}, { a: { b: 1, c: 2 }, _: [] }],
  ["the rest", ["a", "-", "5", "--", "--b", "6"], {}, { _: ["a", "-", 5, "--b", "6"] }],
  ["the rest as strings", ["5"], { string: ["_"] }, { _: ["5"] }],
  ["the rest apart", ["a", "--", "--b"], { "--": true }, { _: ["a"], "--": ["--b"] }],
  ["stopping early", ["--a=1", "run", "--b", "5"], { stopEarly: true }, {
    a: 1,
    _: ["run", "--b", "5"],
  }],
];

for (const [what, args, options, expected] of cases) {
  Deno.test(`parseArgs: ${what}`, () => {
    const given = [...args];
    assertEquals({ ...parseArgs(args, options) }, expected);
    assertEquals(args, given);
  });
}

Deno.test("parseArgs tells of what it does not know", () => {
  const seen: unknown[][] = [];
  const parsed = parseArgs(["--a=1", "--b", "2", "-cd", "e", "--p=3"], {
    string: ["a"],
    alias: { port: "p" },
    unknown: (...told) => {
      seen.push(told);
      return false;
    },
  });
  assertEquals(seen, [["--b", "b", "2"], ["-cd", "c", true], ["-cd", "d", "e"]]);
  assertEquals({ ...parsed }, { a: "1", port: 3, p: 3, _: [] });
});

Deno.test("parseArgs refuses an alias that is none", () => {
  assertThrows(
    // @ts-expect-error not what the types allow
    () => parseArgs([], { alias: { a: undefined } }),
    TypeError,
    "Alias value must be defined",
  );
});

Deno.test("parseArgs knows the types of what is declared", () => {
  const parsed = parseArgs(["--port=1", "--route=a", "--route=b", "-D"], {
    string: ["port", "route", "name"],
    boolean: ["debug"],
    collect: ["route"],
    alias: { debug: "D" },
    default: { name: "denats" },
    "--": true,
  });
  const port: string | undefined = parsed.port;
  const routes: string[] = parsed.route;
  const name: string = parsed.name;
  const debug: boolean = parsed.debug && parsed.D;
  const rest: string[] = parsed["--"];
  assertEquals([port, routes, name, debug, rest], ["1", ["a", "b"], "denats", true, []]);
});
