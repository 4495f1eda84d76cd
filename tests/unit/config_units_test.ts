import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatDuration, formatSize, parseDuration, parseSize } from "../../src/config/units.ts";

Deno.test("durations are read as Go reads them", () => {
  const cases: [string, number | undefined][] = [
    ["2s", 2000],
    ["1m30s", 90_000],
    ["500ms", 500],
    ["1.5h", 5_400_000],
    [".5s", 500],
    ["1h0m0.5s", 3_600_500],
    ["250us", 0.25],
    ["250µs", 0.25],
    ["+3s", 3000],
    ["0", 0],
    ["2", 2000],
    ["0.5", 500],
    ["-1s", undefined],
    ["2 s", undefined],
    ["s", undefined],
    ["", undefined],
    ["1d", undefined],
    ["1s2", undefined],
    ["1e3", undefined],
    ["2S", undefined],
  ];
  for (const [text, expected] of cases) assertEquals(parseDuration(text), expected, text);
});

Deno.test("sizes follow nats-server: one letter is 1000, more letters 1024", () => {
  const cases: [string, number | undefined][] = [
    ["0", 0],
    ["1024", 1024],
    ["1k", 1000],
    ["1K", 1000],
    ["1KB", 1024],
    ["1kib", 1024],
    ["1Ki", 1024],
    ["64MB", 67_108_864],
    ["64M", 64_000_000],
    ["2 GB", 2 * 1024 ** 3],
    ["1TB", 1024 ** 4],
    ["", undefined],
    ["MB", undefined],
    ["1.5MB", undefined],
    ["-1", undefined],
    ["1_000", undefined],
    ["1B", undefined],
    ["99999999TB", undefined],
  ];
  for (const [text, expected] of cases) assertEquals(parseSize(text), expected, text);
});

Deno.test("a written duration is read back the same", () => {
  const durations = fc.oneof(
    fc.nat(2_147_483_647),
    fc.nat(600).map((seconds) => seconds * 1000),
    fc.nat(1_000_000).map((microseconds) => microseconds / 1000),
  );
  fc.assert(fc.property(durations, (duration_ms) => {
    const read = parseDuration(formatDuration(duration_ms)) ?? NaN;
    return Math.abs(read - duration_ms) <= 1e-6;
  }));
  assertEquals(formatDuration(90_000), "1m30s");
  assertEquals(formatDuration(120_000), "2m");
  assertEquals(formatDuration(0), "0s");
  assertEquals(formatDuration(0.25), "0.25ms");
  assertEquals(formatDuration(1e-7), "0.0000001ms");
});

Deno.test("a written size is read back the same", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => parseSize(formatSize(bytes)) === bytes));
  const multiples = fc.tuple(fc.nat(4000), fc.constantFrom(1024, 1024 ** 2, 1024 ** 3));
  fc.assert(fc.property(multiples, ([count, unit]) => {
    return parseSize(formatSize(count * unit)) === count * unit;
  }));
  assertEquals(formatSize(1_048_576), "1MB");
  assertEquals(formatSize(1000), "1000");
});

Deno.test("no text makes the readers of durations and sizes throw", () => {
  const near = fc.string({ unit: fc.constantFrom(..."0123456789.+-_ehmskKMGTiBuµ ") });
  fc.assert(fc.property(fc.oneof(near, fc.string()), (text) => {
    const values = [parseDuration(text), parseSize(text)];
    return values.every((value) => value === undefined || value >= 0);
  }));
});
