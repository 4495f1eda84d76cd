import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  HUGE_SLAB_BYTES,
  LARGE_SLAB_BYTES,
  MEDIUM_SLAB_BYTES,
  SlabPool,
  SMALL_SLAB_BYTES,
} from "../../src/connection/mod.ts";
import { Slab } from "../../src/protocol/mod.ts";

/** The four sizes: what a pool calls them, and how to take one. */
const SIZES: readonly [name: string, bytes: number, take: (pool: SlabPool) => Slab][] = [
  ["small", SMALL_SLAB_BYTES, (pool) => pool.takeSmall()],
  ["medium", MEDIUM_SLAB_BYTES, (pool) => pool.takeMedium()],
  ["large", LARGE_SLAB_BYTES, (pool) => pool.takeLarge()],
  ["huge", HUGE_SLAB_BYTES, (pool) => pool.takeHuge()],
];

for (const [name, bytes, take] of SIZES) {
  Deno.test(`${name} slabs have their size, and room for what copies may overwrite`, () => {
    const slab = take(new SlabPool());
    assertEquals(slab.capacity, bytes);
    assert(slab.bytes.length >= bytes + 8);
  });

  Deno.test(`${name} slabs that were given back are taken again, by one at a time`, () => {
    const pool = new SlabPool();
    const others = SIZES.map(([, , take]) => take(pool)), slab = take(pool);
    pool.give(slab);
    for (const other of others) if (other.capacity !== bytes) pool.give(other);
    assertStrictEquals(take(pool), slab);
    assert(take(pool) !== slab);
  });

  Deno.test(`${name} slabs: only so many are kept, and trimming halves them`, () => {
    const pool = new SlabPool({ small: 9, medium: 9, large: 9, huge: 9, [name]: 4 });
    const slabs = Array.from({ length: 12 }, () => take(pool));
    const reused = () => slabs.map(() => take(pool)).filter((slab) => slabs.includes(slab)).length;
    for (const slab of slabs) pool.give(slab);
    assertEquals(reused(), 4);
    for (const slab of slabs) pool.give(slab);
    pool.trim();
    assertEquals(reused(), 2);
  });

  Deno.test(`${name} slabs: giving one back twice is an error, before two write into it`, () => {
    const pool = new SlabPool(), slab = take(pool), other = take(pool);
    pool.give(slab);
    pool.give(other);
    assertThrows(() => pool.give(slab), Error, "given back twice");
    assertStrictEquals(take(pool), other);
    assertStrictEquals(take(pool), slab);
    // After it was taken it may be given back.
    pool.give(slab);
  });
}

Deno.test("slabs of other sizes are not kept", () => {
  const pool = new SlabPool();
  for (const [, bytes] of SIZES) pool.give(new Slab(bytes + 1));
  pool.give(new Slab(0));
  for (const [, bytes, take] of SIZES) {
    for (let i = 0; i < 3; i++) assertEquals(take(pool).capacity, bytes);
  }
});
