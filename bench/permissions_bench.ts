/**
 * What permissions add to a message: 1,000 decisions an iteration, so that a microsecond here is a
 * nanosecond a message.
 *
 *     deno bench -A bench/permissions_bench.ts
 *
 * @module
 */
import { Permissions } from "../src/auth/mod.ts";
import { Interest } from "../src/interest/mod.ts";
import { hashSubject } from "../src/protocol/mod.ts";

const numbers = Array.from({ length: 10 }, (_, i) => i);
const settings = {
  publish: {
    allow: ["bench.>", ...numbers.slice(1).map((i) => `orders.${i}.*.created`)],
    deny: numbers.map((i) => `bench.secret.${i}.>`),
  },
};
const permissions = Permissions.of(settings)!;

/** Subjects of 11 bytes in one chunk, as a publisher of 16 B messages sends them. */
function chunk(count: number) {
  const subjects = Array.from({ length: count }, (_, i) => `bench.${String(i).padStart(5, "0")}`);
  const frames = Array.from({ length: 1000 }, (_, i) => `PUB ${subjects[i % count]} 16\r\n`);
  const bytes = new TextEncoder().encode(frames.join("")), length = frames[0]!.length;
  const starts = frames.map((_, i) => i * length + 4);
  const hashes = starts.map((start) => hashSubject(bytes, start, start + 11));
  return { bytes, starts, hashes };
}

let sink = 0;
for (const count of [1, 10, 1000]) {
  const { bytes, starts, hashes } = chunk(count);
  const group = `${count} subjects`;
  Deno.bench(`mayPublish, ${group}`, { group, baseline: true }, () => {
    for (let i = 0; i < 1000; i++) {
      const start = starts[i]!;
      if (permissions.mayPublish(bytes, start, start + 11, hashes[i]!)) sink++;
    }
  });
  const interest = new Interest<{ subject: string; queue: null }>();
  interest.insert({ subject: "bench.>", queue: null });
  Deno.bench(`the match of a message, to compare, ${group}`, { group }, () => {
    for (let i = 0; i < 1000; i++) {
      const start = starts[i]!;
      if (!interest.match(bytes, start, start + 11, hashes[i]!).empty) sink++;
    }
  });
}

const many = chunk(1000);
Deno.bench("mayPublish of subjects that were never asked for", () => {
  const fresh = new Permissions(settings);
  for (let i = 0; i < 1000; i++) {
    const start = many.starts[i]!;
    if (fresh.mayPublish(many.bytes, start, start + 11, many.hashes[i]!)) sink++;
  }
});

addEventListener("unload", () => {
  if (sink < 0) throw new Error("nothing was decided");
});
