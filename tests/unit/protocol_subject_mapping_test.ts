import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { SubjectMapping, type WeightedDestination } from "../../src/protocol/subject_mapping.ts";
import { TransformError } from "../../src/protocol/transform_error.ts";

/** How many of the hundred draws each subject gets. */
function shares(mapping: SubjectMapping, subject: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let drawn = 0; drawn < 100; drawn++) {
    const chosen = `${mapping.choose(subject, () => drawn)}`;
    counts[chosen] = (counts[chosen] ?? 0) + 1;
  }
  return counts;
}

function compile(
  source: string,
  destinations: readonly WeightedDestination[],
  cluster: string | null = null,
): SubjectMapping {
  return SubjectMapping.compile(source, destinations, cluster);
}

Deno.test("one destination gets everything, without a draw", () => {
  const mapping = compile("a.*", [{ destination: "b.$1" }]);
  const never = () => {
    throw new Error("nothing is to be chosen");
  };
  assertEquals(mapping.choose("a.x", never), "b.x");
  assertEquals(mapping.choose("b.x", never), null);
  assertEquals(mapping.source, "a.*");
});

Deno.test("each destination gets its share, the original the rest", () => {
  const mapping = compile("a.*", [
    { destination: "b.$1", weight: 30 },
    { destination: "c", weight: 0 },
    { destination: "d", weight: 60 },
  ]);
  assertEquals(shares(mapping, "a.x"), { "b.x": 30, d: 60, "a.x": 10 });
  assertEquals(shares(mapping, "x.x"), { null: 100 });
  assertEquals(shares(compile("a", []), "a"), { a: 100 });
});

Deno.test("what a listed source does not get is dropped", () => {
  const mapping = compile("a", [
    { destination: "a", weight: 50 },
    { destination: "b", weight: 20 },
  ]);
  assertEquals(shares(mapping, "a"), { a: 50, b: 20, "": 30 });
  assertEquals(shares(mapping, "b"), { null: 100 });
  assertEquals(shares(compile("a", [{ destination: "a", weight: 0 }]), "a"), { "": 100 });
  const open = compile("a.>", [{ destination: "a.>", weight: 10 }]);
  assertEquals(shares(open, "a.b.c"), { "a.b.c": 10, "": 90 });
  // With `*` the source cannot be a destination: its wildcards are written otherwise there.
  const wildcard = compile("a.*", [{ destination: "a.$1", weight: 10 }]);
  assertEquals(shares(wildcard, "a.b"), { "a.b": 100 });
});

Deno.test("a cluster's own destinations are instead of the others", () => {
  const destinations = [
    { destination: "b", weight: 80 },
    { destination: "c", weight: 70, cluster: "east" },
    { destination: "d", cluster: "west" },
  ];
  assertEquals(shares(compile("a", destinations), "a"), { b: 80, a: 20 });
  assertEquals(shares(compile("a", destinations, "north"), "a"), { b: 80, a: 20 });
  assertEquals(shares(compile("a", destinations, "east"), "a"), { c: 70, a: 30 });
  assertEquals(shares(compile("a", destinations, "west"), "a"), { d: 100 });
  const only = [{ destination: "c", cluster: "east" }];
  assertEquals(shares(compile("a", only, "west"), "a"), { a: 100 });
});

Deno.test("weights and destinations must make sense", () => {
  const table: [readonly WeightedDestination[], string][] = [
    [
      [{ destination: "b", weight: 50 }, { destination: "b", weight: 50 }],
      'duplicate entry in "b"',
    ],
    [[{ destination: "b" }, { destination: "b", cluster: "x" }], 'duplicate entry in "b"'],
    [[{ destination: "b", weight: 60 }, { destination: "c", weight: 41 }], "total weight"],
    [[{ destination: "b", weight: 101 }], "weight 101 is not a whole number from 0 to 100"],
    [[{ destination: "b", weight: -1 }], "weight -1 is not a whole number"],
    [[{ destination: "b", weight: 0.5 }], "weight 0.5 is not a whole number"],
    [[{ destination: "b.$1" }], "wildcard index out of range"],
  ];
  for (const [destinations, message] of table) {
    assertThrows(() => compile("a", destinations), TransformError, message);
  }
  assertThrows(() => compile("a..b", []), TransformError, "not a valid subject");
  // Each cluster has 100 %.
  compile("a", [
    { destination: "b", weight: 60, cluster: "x" },
    { destination: "c", weight: 60, cluster: "y" },
    { destination: "d", weight: 60 },
  ]);
});

Deno.test("chance decides in proportion", () => {
  const mapping = compile("a", [{ destination: "b", weight: 25 }, {
    destination: "c",
    weight: 75,
  }]);
  let state = 1, hits = 0;
  const draw = (limit: number) => {
    state = (state * 48271) % 0x7fff_ffff;
    return state % limit;
  };
  for (let i = 0; i < 10_000; i++) if (mapping.choose("a", draw) === "b") hits++;
  assertAlmostEquals(hits / 10_000, 0.25, 0.03);
});
