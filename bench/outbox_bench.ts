/**
 * The outbox: composing frames in place, and handing them to a connection.
 *
 *     deno bench -A bench/outbox_bench.ts
 *
 * @module
 */
import { Outbox, SlabPool, WriteWatch } from "../src/connection/mod.ts";
import type { Connection } from "../src/platform/mod.ts";
import { copyBytes, Slab } from "../src/protocol/mod.ts";

/** A connection that takes everything at once. */
const sink: Connection = {
  localAddress: { hostname: "memory", port: 0 },
  remoteAddress: { hostname: "memory", port: 0 },
  read: () => Promise.resolve(null),
  write: (from) => Promise.resolve(from.length),
  closeWrite: () => Promise.resolve(),
  close() {},
};

let writing: Promise<void> = Promise.resolve();
const outbox = new Outbox(
  sink,
  {
    startWriter: (write) => void (writing = write()),
    outboxFailed: (failure) => {
      throw new Error(failure);
    },
  },
  {
    pool: new SlabPool(),
    watch: new WriteWatch({ writeDeadlineMs: 10_000, highWater: 131_072, lowWater: 65_536 }),
    maxPending: 64 << 20,
    crowdedAbove: 48 << 20,
    patient: false,
  },
);

for (const size of [42, 256, 1064, 8232]) {
  const frame = new Slab(size), count = Math.floor(131_072 / size);
  Deno.bench(
    `append ${count} frames of ${size} B and write them`,
    { group: "outbox" },
    async () => {
      for (let i = 0; i < count; i++) {
        outbox.reserve(size);
        copyBytes(outbox.slab, outbox.end, frame, 0, size);
        outbox.commit(size);
      }
      outbox.flush();
      await writing;
    },
  );
}

const text = "PING\r\n";
Deno.bench("append a short text and write it", { group: "outbox" }, async () => {
  outbox.appendText(text);
  outbox.flush();
  await writing;
});
