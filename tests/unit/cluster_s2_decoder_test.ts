import { assertEquals, assertThrows } from "@std/assert";
import { S2Decoder, S2Error } from "../../src/cluster/s2/mod.ts";
import {
  bytesOf,
  chunk,
  compressed,
  concat,
  decodeAll,
  IDENTIFIER,
  uncompressed,
  varint,
} from "../support/s2_frames.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const latin = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const noise = (length: number) => Uint8Array.from({ length }, (_, i) => (i * i * 7 + i * 3) >> 2);

/** The literal element of `bytes`, with `lengthBytes` bytes for its length. */
function literal(bytes: Uint8Array, lengthBytes = 0): Uint8Array {
  const n = bytes.length - 1;
  if (lengthBytes === 0) return concat([n << 2], bytes);
  const length = [n, n >> 8, n >> 16, n >> 24].slice(0, lengthBytes);
  return concat([(59 + lengthBytes) << 2, ...length.map((byte) => byte & 0xff)], bytes);
}

/** `bytes`, continued by a copy of `length` bytes from `offset` bytes ago. */
function continued(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const whole = [...bytes];
  for (let i = 0; i < length; i++) whole.push(whole[whole.length - offset]!);
  return Uint8Array.from(whole);
}

const copy1 = (offset: number, length: number) => [
  ((offset >> 8) << 5) | ((length - 4) << 2) | 1,
  offset & 0xff,
];
const copy2 = (offset: number, length: number) => [
  ((length - 1) << 2) | 2,
  offset & 0xff,
  offset >> 8,
];
const copy4 = (offset: number, length: number) => [
  ((length - 1) << 2) | 3,
  ...[offset, offset >> 8, offset >> 16, offset >>> 24].map((byte) => byte & 0xff),
];

/** The repeat element of a length; all three extensions are made where they can say it. */
function repeats(length: number): number[][] {
  const found: number[][] = [];
  if (length <= 8) found.push([((length - 4) << 2) | 1, 0]);
  let n = length - 8;
  if (n >= 0 && n < 0x100) found.push([(5 << 2) | 1, 0, n]);
  n = length - 260;
  if (n >= 0 && n < 0x1_0000) found.push([(6 << 2) | 1, 0, n & 0xff, n >> 8]);
  n = length - 65_540;
  if (n >= 0) found.push([(7 << 2) | 1, 0, n & 0xff, (n >> 8) & 0xff, n >> 16]);
  return found;
}

function failsWith(stream: Uint8Array, problem: string): void {
  const error = assertThrows(() => decodeAll(stream), S2Error);
  assertEquals(error.message, `S2: ${problem}`);
}

Deno.test("frames that nats-server 2.15.1 wrote are read", () => {
  const ping = bytesOf("ff060000 533273 54774f 010a0000 ab90cc24 50494e470d0a");
  assertEquals(text(decodeAll(ping)), "PING\r\n");
  const messages = bytesOf(`ff 06 00 00 53 32 73 54 77 4f 00 3a 00 00 e4 0a 13 ff f5 01 54 52 4d
    53 47 20 24 47 20 66 6f 6f 20 35 0d 0a 68 65 6c 6c 6f 0d 0a 2e 16 00 40 72 2e 31 20 32 30 30 0d
    0a 61 62 63 64 65 66 67 68 11 08 15 00 b0 04 0d 0a`);
  assertEquals(
    text(decodeAll(messages)),
    `RMSG $G foo 5\r\nhello\r\nRMSG $G foo r.1 200\r\n${"abcdefgh".repeat(25)}\r\n`,
  );
  assertEquals(text(decodeAll(concat(ping, messages, ping), 1, 1)).length, 6 + 245 + 6);
});

Deno.test("literals of every way to say their length", () => {
  for (const [length, lengthBytes] of [[1, 0], [59, 0], [60, 0], [61, 1], [256, 1], [257, 2]]) {
    const bytes = noise(length!);
    for (let extra = lengthBytes!; extra <= 4; extra++) {
      if (extra === 0 && length! > 60) continue;
      assertEquals(
        decodeAll(concat(IDENTIFIER, compressed(bytes, literal(bytes, extra)))),
        bytes,
        `${length} bytes, length in ${extra}`,
      );
    }
  }
  for (const [length, extra] of [[65_536, 2], [65_537, 3], [300_000, 3], [300_000, 4]]) {
    const bytes = noise(length!);
    const stream = concat(IDENTIFIER, compressed(bytes, literal(bytes, extra)));
    assertEquals(decodeAll(stream), bytes, `${length} bytes`);
  }
});

Deno.test("copies of every kind, offset and overlap", () => {
  const seed = noise(300);
  const check = (offset: number, length: number, element: readonly number[]) => {
    const whole = continued(continued(seed, offset, length), 300, 3);
    const elements = concat(literal(seed, 2), element, copy2(300, 3));
    // Whether the copy ends with the block makes a difference for copies in words.
    const last = continued(seed, offset, length);
    assertEquals(decodeAll(concat(IDENTIFIER, compressed(whole, elements))), whole);
    assertEquals(
      decodeAll(concat(IDENTIFIER, compressed(last, elements.subarray(0, -3)))),
      last,
      `offset ${offset}, length ${length}`,
    );
  };
  for (const offset of [1, 2, 3, 5, 7, 8, 9, 16, 63, 64, 255, 256, 300]) {
    for (let length = 1; length <= 64; length++) {
      if (length >= 4 && length <= 11) check(offset, length, copy1(offset, length));
      check(offset, length, copy2(offset, length));
      check(offset, length, copy4(offset, length));
    }
  }
});

Deno.test("the largest offsets of every kind", () => {
  for (const [offset, copy] of [[2047, copy1], [65_535, copy2], [65_536, copy4]] as const) {
    const seed = noise(offset), whole = continued(seed, offset, 9);
    const stream = concat(IDENTIFIER, compressed(whole, concat(literal(seed, 3), copy(offset, 9))));
    assertEquals(decodeAll(stream), whole);
  }
});

Deno.test("repeats of every length extension, after every kind of copy", () => {
  const seed = noise(40);
  for (const offset of [1, 3, 8, 31, 40]) {
    for (const length of [4, 7, 8, 9, 11, 263, 264, 300, 65_539, 65_540, 65_795, 65_796, 200_000]) {
      for (const repeat of repeats(length)) {
        for (const copy of [copy1, copy2, copy4]) {
          // A literal in between does not change the offset.
          const start = concat(continued(seed, offset, 5), [1, 2]);
          const whole = continued(start, offset, length);
          const elements = concat(literal(seed), copy(offset, 5), literal(start.slice(-2)), repeat);
          assertEquals(
            decodeAll(concat(IDENTIFIER, compressed(whole, elements))),
            whole,
            `offset ${offset}, length ${length}`,
          );
        }
      }
    }
  }
});

Deno.test("a repeat refers to its own block only", () => {
  const whole = continued(latin("abcd"), 4, 8);
  const block = compressed(whole, concat(literal(latin("abcd")), copy1(4, 8)));
  const orphan = compressed(latin("abcdabcd"), concat(literal(latin("abcd")), repeats(4)[0]!));
  failsWith(concat(IDENTIFIER, block, orphan).slice(0), "copy from outside of the block");
});

Deno.test("streams follow each other; padding and unknown skippable chunks mean nothing", () => {
  const snappy = bytesOf("ff060000 734e61507059");
  const stream = concat(
    ...[IDENTIFIER, uncompressed(latin("one ")), chunk(0xfe, new Uint8Array(1000)), IDENTIFIER],
    ...[
      chunk(0x80, latin("x")),
      chunk(0xfd, latin("")),
      compressed(latin("two "), literal(latin("two "))),
    ],
    ...[snappy, uncompressed(latin("three")), uncompressed(latin("")), IDENTIFIER],
    ...[uncompressed(new Uint8Array(7000).fill(33)), chunk(0x99, new Uint8Array(20_000))],
    ...[uncompressed(latin(" four"))],
  );
  const expected = `one two three${"!".repeat(7000)} four`;
  for (const piece of [1, 2, 3, 7, 100, 4096, 65_536, stream.length]) {
    for (const into of [piece < 100 ? 100 : 7, 1013, 131_072]) {
      assertEquals(text(decodeAll(stream, piece, into)), expected, `${piece}, ${into}`);
    }
  }
});

Deno.test("what is no stream is refused, and says why", () => {
  const block = (elements: ArrayLike<number>, length = 8) =>
    concat(IDENTIFIER, compressed(new Uint8Array(8), elements, length));
  failsWith(uncompressed(latin("x")), "no stream identifier at the beginning");
  failsWith(bytesOf("ff060000 533273547750"), "bad stream identifier");
  failsWith(bytesOf("ff070000 53327354774f00"), "bad stream identifier");
  failsWith(bytesOf("fe000000"), "no stream identifier at the beginning");
  failsWith(concat(IDENTIFIER, chunk(0x02, latin("x"))), "chunk of the unknown type 0x02");
  failsWith(concat(IDENTIFIER, chunk(0x7f, latin("x"))), "chunk of the unknown type 0x7f");
  for (const type of [0, 1]) {
    failsWith(concat(IDENTIFIER, chunk(type, latin("abc"))), "chunk without a checksum");
  }
  failsWith(concat(IDENTIFIER, chunk(1, latin("abcdefgh"))), "checksum mismatch");
  failsWith(block(literal(latin("12345678"))), "checksum mismatch");
  failsWith(concat(IDENTIFIER, chunk(0, latin("abcd"))), "bad length of a block");
  failsWith(concat(IDENTIFIER, chunk(0, bytesOf("00000000 8080"))), "bad length of a block");
  failsWith(concat(IDENTIFIER, chunk(0, bytesOf("00000000 ffffffff7f"))), "bad length of a block");
  failsWith(
    concat(IDENTIFIER, chunk(0, bytesOf("00000000 808080808000"))),
    "bad length of a block",
  );
  failsWith(block(literal(noise(9))), "block is longer than it says");
  failsWith(block(literal(noise(7))), "block is shorter than it says");
  failsWith(block(literal(noise(8)).slice(0, -1)), "block ends within a literal");
  for (let extra = 1; extra <= 4; extra++) {
    const element = literal(noise(8), extra).slice(0, extra);
    failsWith(block(element), "block ends within an element");
  }
  failsWith(block(bytesOf("fc ffffffff 00")), "block ends within a literal");
  const four = literal(noise(4));
  for (const copy of [copy1(4, 4), copy2(4, 4), copy4(4, 4), ...repeats(9), ...repeats(300)]) {
    for (let length = 1; length < copy.length; length++) {
      failsWith(block(concat(four, copy.slice(0, length))), "block ends within an element");
    }
  }
  failsWith(block(concat(four, copy1(5, 4))), "copy from outside of the block");
  failsWith(block(concat(four, copy2(0, 4))), "copy from outside of the block");
  failsWith(block(concat(four, copy4(0xffff_ffff, 4))), "copy from outside of the block");
  failsWith(block(concat(four, repeats(4)[0]!)), "copy from outside of the block");
  failsWith(block(concat(four, copy1(4, 5))), "block is longer than it says");
  failsWith(
    block(concat(four, copy1(1, 4), repeats(16_777_216)[0]!)),
    "block is longer than it says",
  );
});

Deno.test("claims of too large blocks are refused before anything is allocated or awaited", () => {
  const most = 4 << 20;
  for (const length of [most + 1, 0xffff_ffff]) {
    const claim = chunk(0, concat([0, 0, 0, 0], varint(length), literal(noise(4))));
    failsWith(concat(IDENTIFIER, claim), `block of ${length} bytes, more than ${most}`);
  }
  for (const [type, length] of [[0, most + 14], [1, most + 5], [0, 0xff_ffff]] as const) {
    failsWith(
      concat(IDENTIFIER, chunk(type, new Uint8Array(0), length)),
      `chunk of ${length} bytes, more than a block of ${most} bytes needs`,
    );
  }
  const snappy = bytesOf("ff060000 734e61507059"), large = new Uint8Array(65_537);
  failsWith(
    concat(snappy, uncompressed(large)),
    "chunk of 65541 bytes, more than a block of 65536 bytes needs",
  );
  failsWith(
    concat(snappy, compressed(large, concat(literal(Uint8Array.of(0)), copy1(1, 4)))),
    "block of 65537 bytes, more than 65536",
  );
});

Deno.test("a block of 4 MiB in a few bytes is decoded, and many of them one at a time", () => {
  const zeros = new Uint8Array(4 << 20);
  const bomb = compressed(
    zeros,
    concat(literal(Uint8Array.of(0)), copy1(1, 4), repeats(zeros.length - 5)[0]!),
  );
  const decoder = new S2Decoder(), into = new Uint8Array(65_536);
  decoder.write(concat(IDENTIFIER, ...Array.from({ length: 1000 }, () => bomb)));
  const before = Deno.memoryUsage();
  for (let i = 0; i < 3 * 64; i++) assertEquals(decoder.read(into), into.length);
  const grown = Deno.memoryUsage().external - before.external;
  assertEquals(grown <= 16 << 20, true, `${grown} bytes more after three of a thousand blocks`);
});

Deno.test("a chunk that only says it is large takes no room", () => {
  const into = new Uint8Array(16), before = Deno.memoryUsage().external;
  const decoders = Array.from({ length: 100 }, () => {
    const decoder = new S2Decoder();
    decoder.write(concat(IDENTIFIER, chunk(0, new Uint8Array(1000), 4 << 20)));
    assertEquals(decoder.read(into), 0);
    return decoder;
  });
  const grown = Deno.memoryUsage().external - before;
  assertEquals(grown <= decoders.length * 10_000, true, `${grown} bytes for a hundred`);
});

Deno.test("an error comes after what was before it, and stays", () => {
  const decoder = new S2Decoder(), into = new Uint8Array(100);
  decoder.write(concat(IDENTIFIER, uncompressed(latin("good")), chunk(3, latin("bad"))));
  assertEquals(text(into.subarray(0, decoder.read(into))), "good");
  assertThrows(() => decoder.read(into), S2Error, "S2: chunk of the unknown type 0x03");
  assertThrows(() => decoder.read(into), S2Error, "S2: chunk of the unknown type 0x03");
  assertThrows(() => decoder.write(IDENTIFIER), S2Error, "S2: chunk of the unknown type 0x03");
});

Deno.test("a piece may only be written when the one before has been read", () => {
  const decoder = new S2Decoder(), into = new Uint8Array(4);
  assertEquals(decoder.read(into), 0, "nothing has been written");
  decoder.write(concat(IDENTIFIER, uncompressed(latin("abcdefgh"))));
  assertEquals(decoder.read(new Uint8Array(0)), 0, "an empty target takes nothing");
  for (const expected of [4, 4]) {
    assertThrows(() => decoder.write(IDENTIFIER), Error, "write before read has returned 0");
    assertEquals(decoder.read(into), expected);
  }
  assertEquals(decoder.read(into), 0);
  decoder.write(IDENTIFIER);
});

Deno.test("nothing behind the decoded bytes is written", () => {
  const bytes = noise(100), whole = continued(bytes, 50, 60);
  const stream = concat(IDENTIFIER, compressed(whole, concat(literal(bytes, 1), copy2(50, 60))));
  const decoder = new S2Decoder(), into = new Uint8Array(300).fill(0xaa);
  decoder.write(stream);
  assertEquals(decoder.read(into), 160);
  assertEquals(into.subarray(0, 160), whole);
  assertEquals(into.subarray(160).every((byte) => byte === 0xaa), true);
});

Deno.test("a stream with any one bit flipped is refused, or decodes to nothing else", () => {
  const bytes = latin("PUB events.created 12\r\n".repeat(4));
  const block = compressed(
    bytes,
    concat(literal(bytes.subarray(0, 23)), copy1(23, 11), repeats(58)[0]!),
  );
  const stream = concat(IDENTIFIER, block, uncompressed(latin("PING\r\n")));
  const whole = text(decodeAll(stream));
  // A flip in a header may turn a chunk into one to be skipped, or wait for more.
  const possible = [whole, whole.slice(0, bytes.length), whole.slice(bytes.length), ""];
  for (let bit = 0; bit < 8 * stream.length; bit++) {
    const flipped = stream.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    let decoded: string;
    try {
      decoded = text(decodeAll(flipped));
    } catch (error) {
      if (!(error instanceof S2Error)) throw error;
      continue;
    }
    assertEquals(possible.includes(decoded), true, `bit ${bit}`);
  }
});

Deno.test("a stream that ends anywhere yields its whole chunks, and waits", () => {
  const first = uncompressed(latin("first")),
    second = compressed(latin("second"), literal(latin("second")));
  const stream = concat(IDENTIFIER, first, second);
  for (let length = 0; length < stream.length; length++) {
    const expected = length < IDENTIFIER.length + first.length ? "" : "first";
    assertEquals(text(decodeAll(stream.subarray(0, length))), expected);
    assertEquals(text(decodeAll(stream.subarray(0, length), 1)), expected);
  }
});
