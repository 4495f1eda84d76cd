/**
 * Durations and sizes as text, in the forms nats-server reads.
 *
 * @module
 */

/** Milliseconds of one of each unit that a duration may be written in. */
const durationUnits: ReadonlyMap<string, number> = new Map([
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
  ["us", 1e-3],
  ["µs", 1e-3], // U+00B5, the micro sign
  ["μs", 1e-3], // U+03BC, the Greek letter
  ["ns", 1e-6],
]);

const durationText = /^\+?((?:\d+\.?\d*|\.\d+)(?:h|ms|m|s|us|µs|μs|ns))+$/u;
const durationPart = /(\d+\.?\d*|\.\d+)(h|ms|m|s|us|µs|μs|ns)/gu;
const plainNumber = /^\+?(?:\d+\.?\d*|\.\d+)$/u;

/**
 * Milliseconds in a duration: a sequence of decimal numbers with a unit (`"2s"`, `"1m30s"`,
 * `"1.5h"`, `"500ms"`; units h, m, s, ms, us, ns, as in Go), or a plain number of seconds, which
 * is how nats-server reads one. `undefined` when it is neither, or negative.
 */
export function parseDuration(text: string): number | undefined {
  if (plainNumber.test(text)) return Number(text) * 1000;
  if (!durationText.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(durationPart)) {
    total += Number(amount) * (durationUnits.get(unit ?? "") ?? NaN);
  }
  return total;
}

/**
 * A duration as text that {@link parseDuration} reads back to the same number: `90_000` is
 * `"1m30s"`.
 *
 * @param duration_ms Milliseconds, 0 or more, finite.
 */
export function formatDuration(duration_ms: number): string {
  let rest = Math.floor(duration_ms);
  const fraction_ms = duration_ms - rest;
  let text = "";
  for (const unit of ["h", "m", "s"]) {
    const unit_ms = durationUnits.get(unit) ?? 1;
    const count = Math.floor(rest / unit_ms);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unit_ms;
  }
  if (fraction_ms > 0 && duration_ms < 1000) return `${plainDecimal(duration_ms)}ms`;
  if (rest > 0 || fraction_ms > 0) text += `${plainDecimal(rest + fraction_ms)}ms`;
  return text === "" ? "0s" : text;
}

/** Numbers below 1e-6 would be written with an exponent, which a duration may not have. */
function plainDecimal(value: number): string {
  const text = String(value);
  return text.includes("e") ? value.toFixed(20).replace(/0+$/, "") : text;
}

/**
 * Bytes in one of each unit that a size may be written in. As in nats-server's own configuration
 * format, one letter is a power of 1000 and anything longer a power of 1024.
 */
const sizeUnits: ReadonlyMap<string, number> = new Map(
  ["k", "m", "g", "t"].flatMap((letter, index) => [
    [letter, 1000 ** (index + 1)] as const,
    ...["b", "i", "ib"].map((rest) => [letter + rest, 1024 ** (index + 1)] as const),
  ]),
);

const sizeText = /^(\d+)\s*([kmgt](?:b|i|ib)?)?$/i;

/**
 * Bytes in a size: a whole number, alone or with a unit in any case. `"1K"` is 1000; `"1KB"`,
 * `"1Ki"` and `"1KiB"` are 1024; likewise M, G and T. `undefined` when it is not a size, or more
 * than a number holds exactly.
 */
export function parseSize(text: string): number | undefined {
  const match = sizeText.exec(text);
  if (match === null) return undefined;
  const [, amount, unit] = match;
  const bytes = Number(amount) * (unit ? sizeUnits.get(unit.toLowerCase()) ?? NaN : 1);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/**
 * A size as text that {@link parseSize} reads back to the same number, in the largest unit that
 * divides it: `67_108_864` is `"64MB"`.
 *
 * @param bytes A whole number, 0 or more.
 */
export function formatSize(bytes: number): string {
  if (bytes === 0) return "0";
  for (const unit of ["TB", "GB", "MB", "KB"]) {
    const unitBytes = sizeUnits.get(unit.toLowerCase()) ?? 1;
    if (bytes % unitBytes === 0) return `${bytes / unitBytes}${unit}`;
  }
  return String(bytes);
}
