import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { redactConnect, tracePayload } from "../../src/log/mod.ts";

const userSeed = "SUAB2C3D4E5F6G7H2I3J4K5L6M7N2O3P4Q5R6S7T2U3V4W5X6Y7Z2A3B4C";

Deno.test("a CONNECT is traced without its secrets and with all the rest", () => {
  const shown = redactConnect(JSON.stringify({
    verbose: false,
    user: "alice",
    pass: "s3cret-1",
    auth_token: "s3cret-2",
    jwt: "s3cret-3",
    sig: "s3cret-4",
    nkey: "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4",
    name: "my app",
    headers: true,
  }));
  assertEquals(JSON.parse(shown), {
    verbose: false,
    user: "alice",
    pass: "[REDACTED]",
    auth_token: "[REDACTED]",
    jwt: "[REDACTED]",
    sig: "[REDACTED]",
    nkey: "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4",
    name: "my app",
    headers: true,
  });
});

Deno.test("a secret is one in any case, in odd letters, as an escape, nested, as object", () => {
  for (
    const json of [
      '{"PASS":"s3cret"}',
      '{"pa\u017fs":"s3cret"}',
      '{"\\u0070ass":"s3cret"}',
      '{"pass":"x","pass":"s3cret"}',
      '{"pass":{"a":["s3cret"]}}',
      '{"a":[{"Auth_Token":"s3cret"}]}',
      '{"pass":12345678}',
    ]
  ) {
    const shown = redactConnect(json);
    assert(!/s3cret|12345678/.test(shown), `${json} -> ${shown}`);
    assertStringIncludes(shown, "[REDACTED]");
  }
});

Deno.test("an nkey seed is hidden wherever it is put", () => {
  const shown = redactConnect(
    JSON.stringify({ nkey: userSeed, name: `my ${userSeed}`, [userSeed]: 1 }),
  );
  assertEquals(shown, '{"nkey":"[REDACTED]","name":"my [REDACTED]","[REDACTED]":1}');
});

Deno.test("of what is no JSON object nothing is shown", () => {
  for (
    const json of [
      '{"pass":"s3cret"',
      '{"pass":"s3cret"}}',
      "{'pass':'s3cret'}",
      '"s3cret"',
      '["s3cret"]',
      "null",
      "7",
      "",
      `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`,
    ]
  ) {
    assertEquals(redactConnect(json), "[REDACTED]");
  }
});

Deno.test("what a peer writes into its CONNECT neither throws nor ends the line", () => {
  fc.assert(fc.property(fc.json({ stringUnit: "binary" }), fc.nat(), (json, cut) => {
    for (const each of [json, json.slice(0, cut), `{"name":${json},"pass":${json}}`]) {
      const shown = redactConnect(each);
      assert(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(shown), shown);
    }
  }));
});

Deno.test("a payload is quoted, escaped and cut", () => {
  const trace = (text: string, max = 0) => tracePayload(new TextEncoder().encode(text), max);
  assertEquals(trace(""), '""');
  assertEquals(trace("hello"), '"hello"');
  assertEquals(trace("hello", 5), '"hello"');
  assertEquals(trace("hello", 4), '"hell..."');
  assertEquals(trace('a "b"\\c\r\n\x1b[31m'), '"a \\"b\\"\\\\c\\r\\n\\u001b[31m"');
  assertEquals(trace("grüße 👋"), '"grüße 👋"');
  assertEquals(trace("üü", 3), '"ü..."'); // not through a character
  assertEquals(trace("👋👋", 7), '"👋..."');
  assertEquals(trace("\u202e"), '"\\u202e"');
});

Deno.test("bytes that are no text are shown one by one", () => {
  assertEquals(
    tracePayload(Uint8Array.of(0xff, 0x00, 0x41, 0x0a, 0x22, 0x5c, 0x7f, 0x80), 0),
    '"\\xff\\u0000A\\n\\"\\\\\\u007f\\x80"',
  );
  assertEquals(tracePayload(new Uint8Array(300).fill(0x80), 256), `"${"\\x80".repeat(256)}..."`);
});

Deno.test("any payload becomes one line of bounded length", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(64), (payload, max) => {
    const shown = tracePayload(payload, max);
    assert(!/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(shown), shown);
    assert(shown.length <= 6 * (max === 0 ? payload.length : max) + 5);
    assertEquals(shown.endsWith('..."'), max > 0 && payload.length > max);
  }));
});
