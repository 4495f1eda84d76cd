import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  destinationPattern,
  numberWildcards,
  SubjectTransform,
} from "../../src/protocol/subject_transform.ts";
import { subjectMatches } from "../../src/protocol/subject.ts";
import { TransformError } from "../../src/protocol/transform_error.ts";

const never = () => {
  throw new Error("nothing random is asked for");
};

/** What a mapping makes of a subject that its source matches. */
function map(source: string, destination: string, subject: string): string | null {
  return SubjectTransform.compile(source, destination, "mapping").apply(subject, never);
}

Deno.test("literals map to literals", () => {
  assertEquals(map("foo", "bar", "foo"), "bar");
  assertEquals(map("foo", "bar", "foo.x"), null);
  assertEquals(map("foo.bar", "bar", "foo"), null);
  assertEquals(map("foo", "$JS.$x.$", "foo"), "$JS.$x.$");
});

Deno.test("references are replaced by what the wildcards stood for", () => {
  assertEquals(map("old.*", "new.$1", "old.x"), "new.x");
  assertEquals(map("old.*", "new.$1", "old.x.y"), null);
  assertEquals(map("old.*.*", "$2.{{wildcard(1)}}.$2", "old.x.y"), "y.x.y");
  assertEquals(map("old.*", "new", "old.x"), "new");
  assertEquals(map("a.*.b.*", "{{ Wildcard( 2 ) }}", "a.1.b.2"), "2");
  assertEquals(map("old.*", "new.$+1", "old.x"), "new.x");
  assertEquals(map("old.*", "new.$1x", "old.x"), "new.$1x");
  // Out of range at the lower end is the first token, as in nats-server.
  assertEquals(map("old.*", "new.$0.$-1", "old.x"), "new.old.old");
});

Deno.test("a tail is what follows", () => {
  assertEquals(map("fw.>", "fwd.>", "fw.a.b"), "fwd.a.b");
  assertEquals(map("fw.>", "fwd.>", "fw"), null);
  assertEquals(map("fw.>", ">", "fw.a"), "a");
  assertEquals(map(">", "all.>", "a.b"), "all.a.b");
  assertEquals(map(">", ">", "a.b"), "a.b");
  assertEquals(map("*.*.>", "$2.$1.>", "a.b.c.d"), "b.a.c.d");
});

Deno.test("wildcards in a message's subject are tokens; empty tokens match nothing", () => {
  assertEquals(map("a.*", "b.$1", "a.*"), "b.*");
  assertEquals(map("a.*", "b.$1", "a.>"), null);
  for (const bad of ["", ".", "a.", ".a", "a..b"]) {
    assertEquals(map("a.>", "b.>", bad), null, bad);
    assertEquals(map("*", "b.$1", bad), null, bad);
  }
});

Deno.test("every function does what the examples say", () => {
  const table: [call: string, token: string, result: string][] = [
    ["{{split(1,-)}}", "-a-b--c-", "a.b.c"],
    ["{{split(1, -)}}", "a-b", "a.b"],
    ["{{split(1,--)}}", "a--b-c", "a.b-c"],
    ["{{Split(1,x)}}", "abc", "abc"],
    ["{{split(1,)}}", "h\xc3\xa9\xe9x", "h.\xc3\xa9.\xe9.x"],
    ["{{splitfromleft(1,3)}}", "abcdef", "abc.def"],
    ["{{SplitFromLeft(1,6)}}", "abcdef", "abcdef"],
    ["{{splitfromright(1,2)}}", "abcdef", "abcd.ef"],
    ["{{splitFromRight(1,9)}}", "abcdef", "abcdef"],
    ["{{slicefromleft(1,2)}}", "abcde", "ab.cd.e"],
    ["{{slicefromleft(1,2)}}", "abcd", "ab.cd"],
    ["{{slicefromright(1,2)}}", "abcde", "a.bc.de"],
    ["{{sliceFromright(1,3)}}", "abcdef", "abc.def"],
    ["{{left(1,2)}}", "abc", "ab"],
    ["{{Left(1,3)}}", "abc", "abc"],
    ["{{right(1,2)}}", "abc", "bc"],
    ["{{ Right ( 1 , 2 ) }}", "abc", "bc"],
    ["{{left(1,0)}}", "abc", "abc"],
    ["{{right(1,-2)}}", "abc", "abc"],
    ["{{slicefromleft(1,-1)}}", "abc", "abc"],
    ["{{partition(0,1)}}", "abc", "0"],
    ["{{wildcard(1)}}x}}", "abc", "abc"],
    ["x{{wildcard(1)}}", "abc", "x{{wildcard(1)}}"],
    ["{{}}", "abc", "{{}}"],
  ];
  for (const [call, token, result] of table) {
    assertEquals(map("in.*", `out.${call}.end`, `in.${token}`), `out.${result}.end`, call);
  }
});

Deno.test("partitions are FNV-1a of the tokens", () => {
  const call = (args: string) => map("part.*.*", `{{partition(${args})}}`, "part.foo.bar");
  assertEquals(call("5,1,2"), "0");
  assertEquals(call("4294967,1"), `${0xa9f37ed7 % 4294967}`); // the published value of "foo"
  assertEquals(call("-1,1,2"), `${0xbf9cf968}`); // "foobar", modulo 2^32 - 1
  assertEquals(call("7"), `${fnv("part.foo.bar") % 7}`);
  assertEquals(call("7,2,1,1"), `${fnv("barfoofoo") % 7}`);
  // Of a literal it is always the whole.
  assertEquals(map("foo.a", "bar.{{partition(10)}}", "foo.a"), `bar.${fnv("foo.a") % 10}`);
  assertEquals(map("foo.a", "bar.{{partition(10,2)}}", "foo.a"), `bar.${fnv("foo.a") % 10}`);
  assertEquals(map("foo.>", "bar.{{partition(10,0)}}.>", "foo.a"), `bar.${fnv("foo") % 10}.a`);
});

function fnv(text: string): number {
  let hash = 2166136261n;
  for (const character of text) {
    hash = ((hash ^ BigInt(character.charCodeAt(0))) * 16777619n) % 2n ** 32n;
  }
  return Number(hash);
}

Deno.test("random numbers are drawn below the limit", () => {
  const asked: number[] = [];
  const draw = (limit: number) => {
    asked.push(limit);
    return limit - 1;
  };
  const made = (destination: string) =>
    SubjectTransform.compile("foo", destination, "mapping").apply("foo", draw);
  assertEquals(made("{{random(3)}}.{{Random( 10 )}}.{{random(-4)}}"), "2.9.3");
  assertEquals(asked, [3, 10, 4]);
  assertEquals(made("{{random(0)}}"), "0");
});

Deno.test("what is no transform is refused, with what is wrong", () => {
  const table: [source: string, destination: string, message: string][] = [
    ["", "b", 'not a valid subject in ""'],
    ["a..b", "b", 'not a valid subject in "a..b"'],
    ["a b", "b", 'not a valid subject in "a b"'],
    ["a", "", 'not a valid subject in ""'],
    ["a", "b..c", 'not a valid subject in "b..c"'],
    ["a", "b.>.c", 'not a valid subject in "b.>.c"'],
    ["a", "b\tc", 'not a valid subject in "b\\tc"'],
    ["a.*", "b.*", '"*" must be written as $1, $2 and so on in "b.*"'],
    ["a.*", "b.>", '">" must end both the source and the destination in "b.>"'],
    ["a.>", "b", '">" must end both the source and the destination in "b"'],
    ["a.*", "$2", 'wildcard index out of range in "$2"'],
    ["a.*", "{{wildcard(2)}}", 'wildcard index out of range in "{{wildcard(2)}}"'],
    ["a", "$1", 'wildcard index out of range in "$1"'],
    ["a", "$0", 'wildcard index out of range in "$0"'],
    ["a.>", "{{left(1,1)}}.>", 'wildcard index out of range in "{{left(1,1)}}"'],
    ["a.*", "{{partition(3,2)}}", 'wildcard index out of range in "{{partition(3,2)}}"'],
    ["a.*", "{{foo(1)}}", 'unknown function in "{{foo(1)}}"'],
    ["a.*", "{{WILDCARD(1)}}", 'unknown function in "{{WILDCARD(1)}}"'],
    ["a.*", "{{splitfroMleft(1,1)}}", 'unknown function in "{{splitfroMleft(1,1)}}"'],
    ["a.*", "{{wildcard}}", 'unknown function in "{{wildcard}}"'],
    ["a.*", "{{wildcard()}}", "not enough arguments passed to the function in"],
    ["a.*", "{{left(1)}}", "not enough arguments passed to the function in"],
    ["a.*", "{{split(1)}}", "not enough arguments passed to the function in"],
    ["a.*", "{{wildcard(1,2)}}", "too many arguments passed to the function in"],
    ["a.*", "{{left(1,2,3)}}", "too many arguments passed to the function in"],
    ["a.*", "{{split(1,a,b)}}", "too many arguments passed to the function in"],
    ["a.*", "{{random(1,2)}}", "too many arguments passed to the function in"],
    ["a.*", "{{wildcard(x)}}", "function argument is invalid or in the wrong format in"],
    ["a.*", "{{wildcard(1)}}{{wildcard(1)}}", "function argument is invalid"],
    ["a.*", "{{left(1,99999999999)}}", "function argument is invalid"],
    ["a.*", "{{random(2147483648)}}", "function argument is invalid"],
    ["a.*", "{{random()}}", "function argument is invalid"],
    ["a.*", "{{partition()}}", "function argument is invalid"],
    ["a.*", "{{partition(3,x)}}", "function argument is invalid"],
    ["a.*", "{{split(1, - )}}", "function argument is invalid"],
  ];
  for (const [source, destination, message] of table) {
    assertThrows(
      () => SubjectTransform.compile(source, destination, "mapping"),
      TransformError,
      message,
      destination,
    );
  }
});

Deno.test("imports may only refer to wildcards, and must to all", () => {
  for (const call of ["left(1,1)", "partition(3,1)", "random(2)", "split(1,-)"]) {
    assertThrows(
      () => SubjectTransform.compile("a.*", `$1.{{${call}}}`, "import"),
      TransformError,
      "the only function allowed for import transforms is {{wildcard()}}",
    );
  }
  assertThrows(
    () => SubjectTransform.compile("a.*.*", "b.$1", "import"),
    TransformError,
    'not using all of the token wildcard(s) in "b.$1"',
  );
  assertEquals(
    SubjectTransform.compile("a.*.*", "b.$2.{{wildcard(1)}}", "import").apply("a.1.2", never),
    "b.2.1",
  );
});

/** A source with wildcards, a reversible destination of it, and a subject that the source matches. */
const reversible = fc.record({
  source: fc.array(fc.constantFrom("a", "b", "*"), { minLength: 1, maxLength: 6 }),
  tail: fc.option(fc.array(fc.constantFrom("x", "y"), { minLength: 1, maxLength: 3 })),
  literals: fc.array(fc.constantFrom("c", "d", "$JS"), { maxLength: 3 }),
  order: fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
  values: fc.array(fc.constantFrom("1", "2", "a", "$1"), { minLength: 6, maxLength: 6 }),
}).map(({ source, tail, literals, order, values }) => {
  let count = 0;
  const references = source.filter((token) => token === "*").map(() => `$${++count}`);
  const destination = [...literals, ...references]
    .map((token, index) => ({ token, rank: order[index] as number }))
    .sort((one, other) => one.rank - other.rank).map(({ token }) => token);
  if (destination.length === 0) destination.push("c");
  const subject = source.map((token, index) => token === "*" ? values[index] as string : token);
  const open = tail === null ? [] : [">"];
  return {
    source: [...source, ...open].join("."),
    destination: [...destination, ...open].join("."),
    subject: [...subject, ...tail ?? []].join("."),
  };
});

Deno.test("the reverse of an import's transform leads back", () => {
  fc.assert(fc.property(reversible, ({ source, destination, subject }) => {
    const transform = SubjectTransform.compile(source, destination, "import");
    const made = transform.apply(subject, never);
    assert(made !== null);
    assert(subjectMatches(destinationPattern(destination), made));
    const reverse = transform.reverse();
    assertEquals(reverse.source, destinationPattern(destination));
    assertEquals(reverse.apply(made, never), subject);
  }));
});

Deno.test("a source with its wildcards numbered changes nothing", () => {
  assertEquals(numberWildcards("a.*.b.*.>"), "a.$1.b.$2.>");
  fc.assert(fc.property(reversible, ({ source, subject }) => {
    const same = SubjectTransform.compile(source, numberWildcards(source), "import");
    assertEquals(same.apply(subject, never), subject);
    assertEquals(same.matches(subject), true);
  }));
});

Deno.test("a transform is for the subjects that its source matches", () => {
  const token = fc.constantFrom("a", "b", "");
  const pattern = fc.array(fc.constantFrom("a", "b", "*"), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(pattern, fc.boolean(), fc.array(token, { maxLength: 5 }), (tokens, open, made) => {
      const source = [...tokens, ...open ? [">"] : []].join("."), subject = made.join(".");
      const transform = SubjectTransform.compile(source, numberWildcards(source), "mapping");
      assertEquals(transform.matches(subject), subjectMatches(source, subject));
      assertEquals(transform.apply(subject, never) !== null, subjectMatches(source, subject));
    }),
  );
});

Deno.test("slices and splits lose nothing but delimiters", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "\xe9"), minLength: 1, maxLength: 12 });
  const call = fc.constantFrom(
    "slicefromleft",
    "slicefromright",
    "splitfromleft",
    "splitfromright",
  );
  fc.assert(fc.property(text, call, fc.integer({ min: 1, max: 14 }), (token, name, size) => {
    const parts = (map("*", `{{${name}(1,${size})}}`, token) as string).split(".");
    assertEquals(parts.join(""), token);
    assert(parts.every((part) => part !== ""));
    if (name.startsWith("slice")) {
      const short = parts.filter((part) => part.length !== size);
      if (token.length > size) {
        assert(short.length <= 1);
        const at = name === "slicefromleft" ? parts.length - 1 : 0;
        assert(short.every((part) => part.length < size && parts[at] === part));
      }
    } else if (token.length > size) {
      assertEquals(parts.length, 2);
      assertEquals((name === "splitfromleft" ? parts[0] : parts[1])?.length, size);
    }
  }));
});
