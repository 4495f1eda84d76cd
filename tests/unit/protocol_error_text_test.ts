import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  encodeByteString,
  publishViolation,
  quote,
  replyViolation,
  subscriptionViolation,
  tooManyTokens,
} from "../../src/protocol/mod.ts";
import { fromBytes } from "../support/wire_text.ts";

Deno.test("violations name what was refused", () => {
  assertEquals(publishViolation("a.b"), `Permissions Violation for Publish to "a.b"`);
  assertEquals(replyViolation("_R_.x"), `Permissions Violation for Publish with Reply of "_R_.x"`);
  assertEquals(subscriptionViolation("a", null), `Permissions Violation for Subscription to "a"`);
  assertEquals(
    subscriptionViolation("a", "q"),
    `Permissions Violation for Subscription to "a" using queue "q"`,
  );
  assertEquals(
    tooManyTokens("a.b"),
    `Permissions Violation for Subscription to "a.b", too many tokens`,
  );
});

/** What Go's `strconv.Quote` gives; input in UTF-8 unless a byte string. */
const QUOTED: readonly [text: string, quoted: string][] = [
  ["", ""],
  ["plain 'single' `back`", "plain 'single' `back`"],
  [`"\\`, `\\"\\\\`],
  ["\x07\b\f\n\r\t\v", "\\a\\b\\f\\n\\r\\t\\v"],
  ["\0\x01\x1f\x7f", "\\x00\\x01\\x1f\\x7f"],
  ["é€𝄞😀", "é€𝄞😀"],
  ["e\u0301", "e\u0301"],
  ["\ufffd", "\ufffd"],
  ["\u00a0\u00ad\u200b\u2028\ufeff\ue000", "\\u00a0\\u00ad\\u200b\\u2028\\ufeff\\ue000"],
  ["\u{10ffff}\u{e0001}", "\\U0010ffff\\U000e0001"],
];

for (const [text, quoted] of QUOTED) {
  Deno.test(`quoted as in Go: ${JSON.stringify(text)}`, () => {
    assertEquals(quote(encodeByteString(text)), encodeByteString(`"${quoted}"`));
  });
}

/** Byte strings that are no UTF-8. */
const INVALID: readonly [bytes: string, quoted: string][] = [
  ["\xff", "\\xff"],
  ["a\x80b", "a\\x80b"],
  ["\xc3", "\\xc3"],
  ["\xc3(", "\\xc3("],
  ["\xc0\x80", "\\xc0\\x80"],
  ["\xe2\x82", "\\xe2\\x82"],
  ["\xe2\x82\xe2\x82\xac", "\\xe2\\x82\xe2\x82\xac"],
  ["\xed\xa0\x80", "\\xed\\xa0\\x80"],
  ["\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"],
  ["\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"],
];

for (const [bytes, quoted] of INVALID) {
  Deno.test(`bytes that are no UTF-8 are shown one by one: ${quoted}`, () => {
    assertEquals(quote(bytes), `"${quoted}"`);
  });
}

/** Undoes {@link quote}. */
function unquote(quoted: string): string {
  const short = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };
  return quoted.slice(1, -1).replaceAll(
    /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/g,
    (_, byte: string, four: string, eight: string, letter: string) => {
      if (byte) return String.fromCharCode(parseInt(byte, 16));
      if (letter) return short[letter as keyof typeof short] ?? letter;
      return encodeByteString(String.fromCodePoint(parseInt(four ?? eight, 16)));
    },
  );
}

Deno.test("whatever is quoted can be read back, and cannot break out of its line or its quotes", () => {
  const mixed = fc.array(
    fc.oneof(
      fc.string({ unit: "binary" }).map(encodeByteString),
      fc.uint8Array({ maxLength: 6 }).map((bytes) => fromBytes(bytes)),
    ),
    { maxLength: 6 },
  ).map((parts) => parts.join(""));
  fc.assert(
    fc.property(mixed, (text) => {
      const quoted = quote(text);
      assertEquals(unquote(quoted), text);
      assert(/^"(?:[ !#-[\]-~\x80-\xff]|\\[ -~])*"$/.test(quoted));
    }),
    { numRuns: 2000, seed: 20_261_122 },
  );
});
