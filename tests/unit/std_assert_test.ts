// Assertions are checked here by plain throws: they cannot vouch for themselves.
import * as std from "@std/assert";

/** The message of the AssertionError that `fn` throws. */
function failure(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (error instanceof std.AssertionError && error.name === "AssertionError") {
      // deno-lint-ignore no-control-regex -- colours
      return error.message.replaceAll(/\x1b\[\d+m/g, "");
    }
    throw error;
  }
  throw new Error("nothing was thrown");
}

async function rejection(promise: Promise<unknown>): Promise<string> {
  let outcome: () => void = () => {};
  await promise.catch((error) => {
    outcome = () => {
      throw error;
    };
  });
  return failure(outcome);
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

const cycle = (): unknown => {
  const value: unknown[] = [1];
  value.push(value);
  return value;
};

const same: ReadonlyArray<readonly [string, unknown, unknown]> = [
  ["NaN", NaN, NaN],
  ["signed zeros", 0, -0],
  ["keys in any order", { a: 1, b: { c: [2] } }, { b: { c: [2] }, a: 1 }],
  ["no prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ["dates", new Date(5), new Date(5)],
  ["invalid dates", new Date(NaN), new Date(NaN)],
  ["patterns", /a/g, /a/g],
  ["URLs", new URL("nats://a"), new URL("nats://a")],
  ["bytes", Uint8Array.of(1, 2), Uint8Array.of(1, 2)],
  ["buffers", Uint8Array.of(1).buffer, Uint8Array.of(1).buffer],
  ["maps", new Map([[{ a: 1 }, [2]]]), new Map([[{ a: 1 }, [2]]])],
  ["sets", new Set([1, 2]), new Set([2, 1])],
  ["sets of objects", new Set([{ a: 1 }]), new Set([{ a: 1 }])],
  ["cycles", cycle(), cycle()],
  ["symbols as keys", { [Symbol.iterator]: 1 }, { [Symbol.iterator]: 1 }],
];

const different: ReadonlyArray<readonly [string, unknown, unknown]> = [
  ["types", 1, "1"],
  ["undefined and absent", { a: undefined }, {}],
  ["undefined and another", { a: undefined }, { b: undefined }],
  ["null and object", null, {}],
  ["arrays and objects", [], {}],
  ["lengths", [1], [1, 2]],
  ["classes", new class A {}(), new class B {}()],
  ["dates", new Date(5), new Date(6)],
  ["patterns", /a/g, /a/],
  ["bytes", Uint8Array.of(1, 2), Uint8Array.of(1, 3)],
  ["bytes and numbers", Uint8Array.of(1), [1]],
  ["maps", new Map([["a", 1]]), new Map([["a", 2]])],
  ["sets", new Set([1]), new Set([2])],
  ["functions", () => 1, () => 1],
  ["symbols", { [Symbol.iterator]: 1 }, { [Symbol.iterator]: 2 }],
];

Deno.test("equal", () => {
  for (const [what, a, b] of same) check(std.equal(a, b) && std.equal(b, a), what);
  for (const [what, a, b] of different) check(!std.equal(a, b) && !std.equal(b, a), what);
  let threw = false;
  try {
    std.equal(new WeakMap(), new WeakMap());
  } catch (error) {
    threw = error instanceof TypeError;
  }
  check(threw, "WeakMaps");
});

Deno.test("assertEquals shows where values differ", () => {
  std.assertEquals({ a: [1] }, { a: [1] });
  const message = failure(() => std.assertEquals({ a: 1, b: [2] }, { a: 1, b: [3] }, "why"));
  check(message.startsWith("Values are not equal: why\n"), message);
  check(message.includes("      a: 1,\n"), message);
  check(message.includes("-       2,\n") && message.includes("+       3,\n"), message);
  const quoted = failure(() => std.assertEquals<unknown>(1, "1"));
  check(quoted.includes("-   1\n") && quoted.includes('+   "1"\n'), quoted);
  const lines = failure(() => std.assertEquals("a\r\nb", "a\nb"));
  check(lines.includes("-   a\\r\\n") && lines.includes("+   a\\n"), lines);
  const long = failure(() => std.assertEquals("x\n".repeat(5000), "y\n".repeat(5000)));
  check(long.includes("-   x") && long.includes("+   y"), "long");
});

Deno.test("comparisons", () => {
  std.assertNotEquals(1, 2);
  std.assertStrictEquals(NaN, NaN);
  std.assertGreater(2, 1);
  std.assertGreaterOrEqual(2, 2);
  std.assertLess(1, 2);
  std.assertLessOrEqual(2n, 2n);
  std.assertAlmostEquals(0.1 + 0.2, 0.3);
  std.assertAlmostEquals(10, 11, 1);
  check(
    failure(() => std.assertNotEquals([1], [1])).startsWith("Expected actual: ["),
    "assertNotEquals",
  );
  check(
    failure(() => std.assertStrictEquals({}, {})).startsWith(
      "Values have the same structure but are not reference-equal.",
    ),
    "assertStrictEquals",
  );
  check(
    failure(() => std.assertStrictEquals(0, -0)).startsWith("Values are not strictly equal."),
    "assertStrictEquals",
  );
  for (
    const [fn, message] of [
      [() => std.assertGreater(1, 1), "Expect 1 > 1"],
      [() => std.assertGreaterOrEqual(1, 2), "Expect 1 >= 2"],
      [() => std.assertLess(1, 1), "Expect 1 < 1"],
      [() => std.assertLessOrEqual(2, 1), "Expect 2 <= 1"],
      [() => std.assertLess(NaN, 1, "why"), "why"],
      [
        () => std.assertAlmostEquals(1, 2),
        'Expected actual: "1" to be close to "2": delta "1" is greater than "2e-7".',
      ],
    ] as const
  ) std.assertStrictEquals(failure(fn), message);
});

Deno.test("conditions", () => {
  std.assert(1);
  std.assertFalse("");
  std.assertExists(0);
  std.assertMatch("abc", /b/);
  std.assertStringIncludes("abc", "b");
  std.assertArrayIncludes([1, { a: 1 }, NaN], [{ a: 1 }, NaN]);
  std.assertInstanceOf(new TypeError(), Error);
  for (
    const [fn, message] of [
      [() => std.assert(0), ""],
      [() => std.assert(0, "why"), "why"],
      [() => std.assertFalse(1, "why"), "why"],
      [() => std.assertExists(null), 'Expected actual: "null" to not be null or undefined.'],
      [() => std.assertMatch("a", /b/, "why"), 'Expected actual: "a" to match: "/b/": why'],
      [() => std.assertStringIncludes("a", "b"), 'Expected actual: "a" to contain: "b".'],
      [
        () => std.assertInstanceOf(1, Error),
        'Expected object to be an instance of "Error" but was "number".',
      ],
      [
        () => std.assertInstanceOf(Error, Error),
        'Expected object to be an instance of "Error" but was not an instanced object.',
      ],
      [() => std.fail("why"), "Failed assertion: why"],
      [() => std.unreachable(), "Unreachable."],
    ] as const
  ) std.assertStrictEquals(failure(fn), message);
  const missing = failure(() => std.assertArrayIncludes([1, 2], [2, 3]));
  check(missing.includes("missing: [\n  3,\n]"), missing);
});

Deno.test("assertObjectMatch looks at what is expected only, at every depth", () => {
  class Point {
    constructor(readonly x: number, readonly y: number) {}
  }
  std.assertObjectMatch(
    { a: 1, b: { c: [1, { d: 2, e: 3 }, 4], f: /x/ }, g: new Map([["h", { i: 1, j: 2 }]]) },
    { b: { c: [1, { d: 2 }], f: /x/ }, g: new Map([["h", { i: 1 }]]) },
  );
  std.assertObjectMatch({ point: new Point(1, 2) }, { point: { x: 1 } });
  const difference = failure(() => std.assertObjectMatch({ a: { b: 1, c: 2 } }, { a: { b: 2 } }));
  check(difference.includes("-       b: 1") && !difference.includes("c: 2"), difference);
  failure(() => std.assertObjectMatch({ a: 1 }, { b: 1 }));
  failure(() => std.assertObjectMatch({ a: [1] }, { a: [1, 2] }));
});

Deno.test("assertThrows", () => {
  const thrown = new TypeError("no \x1b[31msuch\x1b[39m thing");
  const fn = () => {
    throw thrown;
  };
  std.assertStrictEquals(std.assertThrows(fn), thrown);
  std.assertStrictEquals(std.assertThrows(fn, Error, "no such"), thrown);
  for (
    const [attempt, message] of [
      [() => std.assertThrows(() => {}, "why"), "Expected function to throw: why"],
      [
        () => std.assertThrows(fn, RangeError),
        'Expected error to be instance of "RangeError", but was "TypeError".',
      ],
      [
        () =>
          std.assertThrows(
            () => {
              throw new Error("a");
            },
            Error,
            "b",
          ),
        'Expected error message to include "b", but got "a".',
      ],
      [
        () =>
          std.assertThrows(() => {
            throw "a";
          }, Error),
        "A non-Error object was thrown.",
      ],
    ] as const
  ) std.assertStrictEquals(failure(attempt), message);
});

Deno.test("assertRejects", async () => {
  const reason = new TypeError("no such thing");
  std.assertStrictEquals(await std.assertRejects(() => Promise.reject(reason)), reason);
  std.assertStrictEquals(
    await std.assertRejects(() => Promise.reject(reason), TypeError, "such"),
    reason,
  );
  std.assertStrictEquals(
    await rejection(std.assertRejects(() => Promise.resolve(1), "why")),
    "Expected function to reject: why",
  );
  std.assertStrictEquals(
    await rejection(std.assertRejects(() => {
      throw reason;
    })),
    "Function throws when expected to reject.",
  );
  std.assertStrictEquals(
    await rejection(std.assertRejects(() => Promise.reject(reason), RangeError)),
    'Expected error to be instance of "RangeError", but was "TypeError".',
  );
  std.assertStrictEquals(
    await rejection(std.assertRejects(() => Promise.reject(1), Error)),
    "A non-Error object was rejected.",
  );
});
