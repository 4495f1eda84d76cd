import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  hasWildcard,
  InvalidSubjectError,
  isValidPublishSubject,
  isValidSubscriptionSubject,
  subjectMatches,
  subjectMatchesBytes,
  tokenCount,
} from "../../src/protocol/subject.ts";
import { hashSubject } from "../../src/protocol/subject_hash.ts";

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Strings of the few characters that matter, most of them well-formed. */
const subject = fc.oneof(
  fc.array(fc.constantFrom("a", "b", "*", ">", "a*", ">b", "\xff"), { minLength: 1, maxLength: 6 })
    .map((tokens) => tokens.join(".")),
  fc.string({ unit: fc.constantFrom("a", "b", ".", "*", ">"), maxLength: 8 }),
);

/** The rules of subscriptions, written down as plainly as possible. */
function isValidNaively(text: string): boolean {
  const tokens = text.split(".");
  return tokens.every((token, index) =>
    token !== "" && (token !== ">" || index === tokens.length - 1)
  );
}

function matchesNaively(pattern: string, text: string): boolean {
  const tokens = text.split(".");
  if (tokens.includes("")) return false;
  const wanted = pattern.split(".");
  const isOpen = wanted.at(-1) === ">";
  if (isOpen) wanted.pop();
  if (isOpen ? tokens.length <= wanted.length : tokens.length !== wanted.length) return false;
  return wanted.every((token, index) => token === "*" || token === tokens[index]);
}

Deno.test("subscriptions may not have empty tokens or `>` before the end", () => {
  for (
    const good of ["foo", "foo.*", "*", ">", "foo.>", "f*o", "foo.>x", "foo.>x.y", "*.*.>", "\0"]
  ) {
    assert(isValidSubscriptionSubject(good), good);
  }
  for (const bad of ["", ".", "foo..bar", ".foo", "foo.", "foo.>.bar", ">.foo", ">."]) {
    assert(!isValidSubscriptionSubject(bad), bad);
  }
  fc.assert(fc.property(subject, (text) => {
    assertEquals(isValidSubscriptionSubject(text), isValidNaively(text));
  }));
});

Deno.test("pedantic publishers may use neither empty tokens nor wildcards", () => {
  const check = (text: string) =>
    isValidPublishSubject(bytesOf(` ${text} `), 1, 1 + bytesOf(text).length);
  for (const good of ["foo", "f*o.>x", "foo.**", "a.b.c"]) assert(check(good), good);
  for (const bad of ["", "foo..b", ".foo", "foo.", "foo.*", "*", "foo.>", ">.foo", "*.b"]) {
    assert(!check(bad), bad);
  }
});

Deno.test("a wildcard is one only as a whole token", () => {
  for (const yes of ["*", ">", "a.*", "*.a", "a.*.b", "a.>"]) assert(hasWildcard(yes), yes);
  for (const no of ["", "a", "a*", "*a", "a.>b", "a.*b.c", "a.b*.c", "a>"]) {
    assert(!hasWildcard(no), no);
  }
  fc.assert(fc.property(subject.filter(isValidNaively), (text) => {
    assertEquals(
      hasWildcard(text),
      text.split(".").some((token) => token === "*" || token === ">"),
    );
  }));
});

Deno.test("tokens are counted by their dots", () => {
  assertEquals(["", "a", "a.b", "a..b", "."].map(tokenCount), [0, 1, 2, 3, 2]);
});

Deno.test("patterns match as the protocol says, in strings and in bytes", () => {
  const matches: [string, string][] = [
    ["foo", "foo"],
    ["*", "foo"],
    [">", "foo.bar"],
    ["foo.*", "foo.*"],
    ["foo.*", "foo.>"],
    ["foo.>", "foo.bar.baz"],
    ["f*o", "f*o"],
    ["foo.>x", "foo.>x"],
    ["*.*.>", "a.b.c"],
  ];
  for (const [pattern, text] of matches) {
    assert(subjectMatches(pattern, text), `${pattern} ${text}`);
  }
  const misses: [string, string][] = [
    ["foo.>", "foo"],
    ["f*o", "foo"],
    ["foo.>x", "foo.bx"],
    [">", "foo..b"],
    [">", ".foo"],
    [">", "foo."],
    ["*", ""],
    ["foo.*", "foo."],
    ["foo", "foobar"],
    ["foobar", "foo"],
    ["foo.bar", "foo"],
    ["foo", "foo.bar"],
  ];
  for (const [pattern, text] of misses) {
    assert(!subjectMatches(pattern, text), `${pattern} ${text}`);
  }
  fc.assert(
    fc.property(subject.filter(isValidNaively), subject, (pattern, text) => {
      const expected = matchesNaively(pattern, text);
      assertEquals(subjectMatches(pattern, text), expected);
      const bytes = bytesOf(`x.${text}.x`);
      assertEquals(subjectMatchesBytes(pattern, 0, bytes, 2, bytes.length - 2), expected);
      assertEquals(subjectMatchesBytes(`a.${pattern}`, 2, bytes, 2, bytes.length - 2), expected);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("the subject hash is FNV-1a with 32 bits", () => {
  const bytes = bytesOf("-foobar-");
  assertEquals(hashSubject(bytes, 1, 7), 0xbf9cf968 | 0);
  assertEquals(hashSubject(bytes, 3, 3), 0x811c9dc5 | 0);
});

Deno.test("an invalid subject is named in its error", () => {
  const error = new InvalidSubjectError("a..b");
  assertEquals(error.name, "InvalidSubjectError");
  assertEquals(error.subject, "a..b");
  assert(error.message.includes(`"a..b"`));
});
