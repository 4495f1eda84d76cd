import { assert, assertEquals } from "@std/assert";
import { SeededRandom } from "../../src/platform/mod.ts";
import { copyBytes, Slab, SLAB_SLACK } from "../../src/protocol/mod.ts";

Deno.test("a slab has its capacity and some bytes more that belong to nobody", () => {
  for (const capacity of [0, 1, 7, 512, 2048]) {
    const slab = new Slab(capacity);
    assertEquals(slab.capacity, capacity);
    assertEquals(slab.bytes.length, capacity + SLAB_SLACK);
    slab.view.setInt32(capacity, 0x01020304);
    assertEquals(slab.bytes[capacity], 1, "the view is of the same bytes");
  }
});

Deno.test("a slab of bytes is a copy of them", () => {
  const bytes = Uint8Array.of(1, 2, 3), slab = Slab.of(bytes);
  bytes[0] = 9;
  assertEquals(slab.capacity, 3);
  assertEquals([...slab.bytes.subarray(0, 3)], [1, 2, 3]);
});

Deno.test("copies of every length and alignment are exact, and touch at most 7 bytes behind", () => {
  const random = new SeededRandom(1), source = new Slab(600);
  source.bytes.set(random.bytes(source.bytes.length));
  for (let length = 0; length <= 300; length++) {
    for (const [at, from] of [[0, 0], [1, 0], [0, 3], [5, 6], [13, 8]] as const) {
      const target = new Slab(400);
      target.bytes.fill(0xaa);
      copyBytes(target, at, source, from, length);
      const copied = target.bytes.subarray(at, at + length);
      assert(copied.every((byte, index) => byte === source.bytes[from + index]), `${length} bytes`);
      const before = target.bytes.subarray(0, at), behind = target.bytes.subarray(at + length + 7);
      assert(before.every((byte) => byte === 0xaa), `${length} bytes: something before`);
      assert(behind.every((byte) => byte === 0xaa), `${length} bytes: too much behind`);
    }
  }
});

Deno.test("a copy may end at the capacity of both slabs", () => {
  for (const length of [1, 8, 200, 208, 209, 500]) {
    const source = new Slab(length), target = new Slab(length);
    source.bytes.fill(7);
    copyBytes(target, 0, source, 0, length);
    assert(target.bytes.subarray(0, length).every((byte) => byte === 7));
  }
});

Deno.test("bytes that look like NaN arrive as they are", () => {
  const source = Slab.of(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf7, 0x7f));
  const target = new Slab(8);
  copyBytes(target, 0, source, 0, 8);
  assertEquals([...target.bytes.subarray(0, 8)], [...source.bytes.subarray(0, 8)]);
});
