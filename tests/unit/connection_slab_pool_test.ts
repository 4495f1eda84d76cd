import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { LARGE_SLAB_BYTES, SlabPool, SMALL_SLAB_BYTES } from "../../src/connection/mod.ts";
import { Slab } from "../../src/protocol/mod.ts";

Deno.test("slabs come in two sizes, with room for what copies may overwrite", () => {
  const pool = new SlabPool();
  const small = pool.takeSmall(), large = pool.takeLarge();
  assertEquals(small.capacity, SMALL_SLAB_BYTES);
  assertEquals(large.capacity, LARGE_SLAB_BYTES);
  for (const slab of [small, large]) assert(slab.bytes.length >= slab.capacity + 8);
});

Deno.test("what was given back is taken again, by one at a time", () => {
  const pool = new SlabPool();
  const small = pool.takeSmall(), large = pool.takeLarge();
  pool.give(large);
  pool.give(small);
  assertStrictEquals(pool.takeSmall(), small);
  assertStrictEquals(pool.takeLarge(), large);
  assert(pool.takeSmall() !== small);
  assert(pool.takeLarge() !== large);
});

Deno.test("only so many are kept, and trimming halves them", () => {
  const pool = new SlabPool({ small: 4, large: 2 });
  const smalls = Array.from({ length: 6 }, () => pool.takeSmall());
  const larges = Array.from({ length: 6 }, () => pool.takeLarge());
  const reused = (take: () => Slab, all: readonly Slab[]) => {
    const taken = all.map(take);
    return taken.filter((slab) => all.includes(slab)).length;
  };
  const giveAll = () => [...smalls, ...larges].forEach((slab) => pool.give(slab));
  giveAll();
  assertEquals(reused(() => pool.takeSmall(), smalls), 4);
  assertEquals(reused(() => pool.takeLarge(), larges), 2);
  giveAll();
  pool.trim();
  assertEquals(reused(() => pool.takeSmall(), smalls), 2);
  assertEquals(reused(() => pool.takeLarge(), larges), 1);
});

Deno.test("slabs of other sizes are not kept", () => {
  const pool = new SlabPool();
  const odd = new Slab(SMALL_SLAB_BYTES + 1), none = new Slab(0);
  pool.give(odd);
  pool.give(none);
  for (let i = 0; i < 3; i++) {
    assertEquals(pool.takeSmall().capacity, SMALL_SLAB_BYTES);
    assertEquals(pool.takeLarge().capacity, LARGE_SLAB_BYTES);
  }
});
