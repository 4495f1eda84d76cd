import { assertEquals } from "@std/assert";
import { agrees, matchEnd, MatchTables, tableBits } from "../../src/cluster/s2/matches.ts";

Deno.test("positions count on from block to block; when they get too large the tables are cleared", () => {
  const matches = new MatchTables(4), table = matches.tables[0]!;
  assertEquals(matches.begin(1000), 1, "0 is what a table is full of at first, and no position");
  assertEquals(matches.begin(500), 1001);
  table.fill(1200);
  const half = 0x3800_0000;
  assertEquals(matches.begin(half), 1501);
  assertEquals(table[0], 1200, "an old entry is lower than the first position");
  assertEquals(matches.begin(half), 1);
  assertEquals([...table], [0, 0, 0, 0]);
});

Deno.test("tables are as large as the block can fill, within limits", () => {
  const cases = [[32, 8], [256, 8], [257, 9], [1024, 10], [16_384, 14], [1 << 20, 14]] as const;
  for (const [length, bits] of cases) assertEquals(tableBits(length, 14), bits, `${length} bytes`);
});

Deno.test("a match ends at the first byte that differs, or at the end", () => {
  for (let length = 0; length <= 20; length++) {
    for (const rest of [0, 1, 5]) {
      const bytes = new Uint8Array(64).fill(7);
      bytes.fill(8, 30 + length, 30 + length + rest);
      const end = rest === 0 ? 30 + length : 60, view = new DataView(bytes.buffer);
      assertEquals(matchEnd(view, 30, 2, end), 30 + length, `${length} bytes, then ${rest}`);
    }
  }
});

Deno.test("a candidate before the block never agrees", () => {
  const view = new DataView(new ArrayBuffer(16));
  assertEquals([-9, 3, 4, 12].map((at) => agrees(view, 4, at, 0)), [false, false, true, true]);
});
