import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { escape, fromBytes, toBytes, unescape } from "../support/wire_text.ts";
import { comparable, splitFrames } from "../support/server_frames.ts";

Deno.test("escaped bytes can be read back", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    assertEquals(toBytes(unescape(escape(fromBytes(bytes)))), new Uint8Array(bytes));
  }));
  for (const text of ["\\", "\\r", "x".repeat(40), "\xaa" + "a".repeat(40), "a{x3}"]) {
    assertEquals(unescape(escape(text)), text);
  }
});

Deno.test("the notation of the batteries", () => {
  assertEquals(unescape("PUB a{x3} 1\\r\\n\\xc3\\\\"), "PUB aaa 1\r\n\xc3\\");
  assertEquals(escape("a\tb\r\n\x00\xff" + "y".repeat(20)), "a\\tb\\r\\n\\x00\\xffy{x20}");
  assertThrows(() => unescape("\\q"), SyntaxError);
  assertThrows(() => toBytes("\u0100"), RangeError);
});

Deno.test("frames end where the protocol says, whatever a payload holds", () => {
  const frames = [
    "+OK\r\n",
    "MSG a 1 4\r\n+OK\n\r\n",
    "HMSG a 1 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
    "MSG a\rb 2 0\r\n\r\n",
    "-ERR 'x'\r\n",
    "PON",
  ];
  assertEquals(splitFrames(frames.join("")), frames);
});

Deno.test("only the order among the subscriptions of one message is disregarded", () => {
  const message = (sid: number, payload: string) => `MSG a ${sid} 1\r\n${payload}\r\n`;
  const compared = (...frames: string[]) => comparable(frames);
  assertEquals(
    compared(message(2, "x"), message(1, "x"), "+OK\r\n"),
    compared(message(1, "x"), message(2, "x"), "PING\r\n", "+OK\r\n"),
  );
  assertEquals(
    JSON.stringify(compared(message(1, "x"), message(1, "y"))) ===
      JSON.stringify(compared(message(1, "y"), message(1, "x"))),
    false,
  );
  assertEquals(
    compared('INFO {"server_id":"N1","proto":1,"client_id":7} \r\n'),
    compared('INFO {"server_id":"N2","client_id":8,"proto":1} \r\n'),
  );
});
