/**
 * Settings that are numbers: counts, ports, sizes and durations.
 *
 * @module
 */
import { type JsonSchema, type Kind, Refusal } from "./kind.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "./units.ts";

/** The range of a number; both ends belong to it. */
export interface Range {
  /** The smallest value. */
  readonly min: number;
  /** The largest value; unlimited when absent. */
  readonly max?: number;
}

const wholeNumber = /^[+-]?\d+$/;

/** A whole number. */
export function integer(range: Range): Kind<number, number> {
  const max = range.max ?? Number.MAX_SAFE_INTEGER;
  const expected = range.max === undefined
    ? `a whole number, ${range.min} or more`
    : `a whole number from ${range.min} to ${max}`;
  return {
    inputType: "number",
    outputType: "number",
    json: { type: "integer", minimum: range.min, maximum: max },
    read: (input) => {
      const value = readInteger(input);
      return value !== undefined && value >= range.min && value <= max
        ? value
        : new Refusal(expected);
    },
    format: String,
  };
}

/** A port to listen on, as an editor should take it. */
export const portJson: JsonSchema = {
  type: "integer",
  anyOf: [{ const: -1 }, { minimum: 1, maximum: 65535 }],
};

/** A TCP port to listen on: 1 to 65535, or -1 for one that the system chooses. */
export function port(): Kind<number, number> {
  return {
    inputType: "number",
    outputType: "number",
    json: portJson,
    read: (input) => {
      const value = readInteger(input);
      if (value === -1 || (value !== undefined && value >= 1 && value <= 65535)) return value;
      return new Refusal("a port from 1 to 65535, or -1 for a random one");
    },
    format: String,
  };
}

/** The whole number that `input` is or is the text of; `undefined` for none. */
export function readInteger(input: unknown): number | undefined {
  const value = typeof input === "string" && wholeNumber.test(input) ? Number(input) : input;
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}

/** A number of bytes. */
export function size(range: Range): Kind<number | string, number> {
  const bounds = range.max === undefined
    ? `at least ${formatSize(range.min)}`
    : `from ${formatSize(range.min)} to ${formatSize(range.max)}`;
  return {
    inputType: "number | string",
    outputType: "number",
    inputNote:
      'Bytes, or text such as "64MB"; K, M, G and T are powers of 1000, KB/Ki/KiB and so on of 1024.',
    outputNote: "Bytes.",
    literals: ["integer"],
    json: {
      anyOf: [
        { type: "integer", minimum: range.min, maximum: range.max ?? Number.MAX_SAFE_INTEGER },
        { type: "string", pattern: "^\\d+\\s*([KMGTkmgt]([Bb]|[Ii][Bb]?)?)?$" },
      ],
    },
    read: (input) => {
      const value = typeof input === "string" ? parseSize(input) : input;
      const good = typeof value === "number" && Number.isSafeInteger(value) &&
        value >= range.min && value <= (range.max ?? Infinity);
      return good ? value : new Refusal(`a size such as "64MB" or "4KiB", ${bounds}`);
    },
    format: formatSize,
  };
}

/** A number of bytes below 2^31; negative for no limit. */
export function sizeOrNone(): Kind<number | string, number> {
  const sized = size({ min: 0, max: 2 ** 31 - 1 });
  return {
    ...sized,
    json: { anyOf: [sized.json, { type: "integer", const: -1 }] },
    read: (input) => readInteger(input) === -1 ? -1 : sized.read(input),
    format: (value) => value < 0 ? String(value) : sized.format(value),
  };
}

/** The longest a timer of the runtime can wait, in whole hours: 596 h, below 2^31 ms. */
const longestDuration_ms = 596 * 3_600_000;

/** A length of time; its range is in milliseconds and ends at 596 h where no end is given. */
export function duration(range: Range): Kind<number | string, number> {
  const max = range.max ?? longestDuration_ms;
  const expected = `a duration such as "2s" or "1m30s", ` +
    `from ${formatDuration(range.min)} to ${formatDuration(max)}`;
  return {
    inputType: "number | string",
    outputType: "number",
    inputNote: 'A duration such as "2s", "1m30s" or "500ms"; a plain number is seconds.',
    outputNote: "Milliseconds.",
    literals: ["string", "integer", "float"],
    json: {
      anyOf: [
        { type: "number", minimum: range.min / 1000, maximum: max / 1000 },
        { type: "string", pattern: "^\\+?((\\d+\\.?\\d*|\\.\\d+)(h|ms|m|s|us|µs|μs|ns))+$" },
      ],
    },
    read: (input) => {
      const value = typeof input === "string"
        ? parseDuration(input)
        : typeof input === "number"
        ? input * 1000
        : NaN;
      return value !== undefined && value >= range.min && value <= max
        ? value
        : new Refusal(expected);
    },
    format: formatDuration,
  };
}
