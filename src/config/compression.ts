/**
 * How what routes send is compressed.
 *
 * @module
 */
import { alwaysPresent, block, list, orShort, type Rule, scalar, withDefault } from "./fields.ts";
import { type Kind, Refusal } from "./kind.ts";
import { duration } from "./number_kinds.ts";
import { formatDuration } from "./units.ts";

/** The modes by every word that nats-server takes for them. */
const modes = {
  off: ["off", "disabled", "false"],
  accept: ["accept"],
  s2_fast: ["s2_fast", "fast", "on", "enabled", "true"],
  s2_better: ["s2_better", "better"],
  s2_best: ["s2_best", "best"],
  s2_auto: ["s2_auto", "auto"],
} as const;

/** A mode of compression: nats-server's names. */
export type CompressionMode = keyof typeof modes;

const modesByWord: ReadonlyMap<string, CompressionMode> = new Map(
  (Object.keys(modes) as CompressionMode[]).flatMap((mode) =>
    modes[mode].map((word) => [word, mode] as const)
  ),
);

/** A mode of compression. */
function compressionMode(): Kind<boolean | string, CompressionMode> {
  return {
    inputType: "boolean | string",
    outputType: Object.keys(modes).map((mode) => JSON.stringify(mode)).join(" | "),
    json: { anyOf: [{ type: "boolean" }, { enum: [...modesByWord.keys()] }] },
    read: (input) =>
      modesByWord.get(String(input).toLowerCase()) ??
        new Refusal(`one of ${Object.keys(modes).join(", ")} (also on for s2_fast)`),
    format: String,
  };
}

/** What nats-server has, in milliseconds. */
const defaultThresholds = [10, 50, 100];

/** The round trip times from which on the levels uncompressed, fast, better and best end. */
const mostThresholds = 4;

/** The settings that {@link thresholdsRise} compares. */
interface Compression {
  readonly mode: CompressionMode;
  readonly rtt_thresholds: readonly number[];
}

/** As nats-server does, thresholds are looked at only where they are used. */
const thresholdsRise: Rule<Compression> = ({ mode, rtt_thresholds: given }, report) => {
  if (mode !== "s2_auto" || given === undefined || given.length === 0) return;
  const about = [["rtt_thresholds"]];
  const found = `[${given.map(formatDuration).join(", ")}]`;
  const used = withoutLastZeros(given);
  if (used.length === 0) {
    report(about, { expected: "at least one threshold above 0", found });
  } else if (used.length > mostThresholds) {
    report(about, { expected: `no more than ${mostThresholds} thresholds`, found });
  }
  const levels = given.filter((threshold) => threshold > 0);
  if (levels.some((threshold, index) => threshold < (levels[index - 1] ?? 0))) {
    report(about, { expected: "thresholds in ascending order", found });
  }
};

function withoutLastZeros(thresholds: readonly number[]): readonly number[] {
  return thresholds.slice(0, thresholds.findLastIndex((threshold) => threshold > 0) + 1);
}

const compression = block({
  mode: withDefault(
    scalar(compressionMode()),
    "accept",
    "off, accept (compress for those that ask for it), s2_fast, s2_better, s2_best, " +
      "or s2_auto (by round trip time); on is s2_fast.",
  ),
  rtt_thresholds: withDefault(
    list(scalar(duration({ min: 0 }))),
    ["10ms", "50ms", "100ms"],
    "With s2_auto, the round trip times up to which nothing is compressed, then fast, better, " +
      "best; 0 leaves a level out.",
  ),
}, {
  typeName: "CompressionConfig",
  doc: "How what routes send is compressed; may be written as the mode alone.",
  aliases: { thresholds: "rtt_thresholds", rtts: "rtt_thresholds", rtt: "rtt_thresholds" },
  rules: [thresholdsRise],
});

/** The setting `compression`. */
export const compressionField = alwaysPresent(orShort(compression, "mode"), {});

/** `compression` as it is used: an empty list of thresholds is the default, zeros at the end are nothing. */
export function resolveCompression<Given extends Compression>(compression: Given): Given {
  const used = withoutLastZeros(compression.rtt_thresholds);
  const rtt_thresholds = Object.freeze(used.length > 0 ? used : defaultThresholds);
  return Object.freeze({ ...compression, rtt_thresholds });
}
