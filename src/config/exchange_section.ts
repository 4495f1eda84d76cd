/**
 * What accounts let each other have: exports and imports.
 *
 * @module
 */
import type { OutputOf } from "./checking.ts";
import {
  block,
  list,
  listOfSome,
  optional,
  orShort,
  required,
  resolved,
  type Rule,
  scalar,
  withDefault,
} from "./fields.ts";
import { type Kind, Refusal } from "./kind.ts";
import { duration, integer, readInteger } from "./number_kinds.ts";
import { boolean, literalSubject, subject, text, word } from "./text_kinds.ts";

/** Share of the requests that is measured: percent, or those whose headers ask for it. */
function sampling(): Kind<number | string, number | "headers"> {
  return {
    inputType: "number | string",
    outputType: 'number | "headers"',
    inputNote: 'Percent, such as 60 or "60%", or "headers".',
    outputNote: 'Percent, or "headers".',
    json: { anyOf: [{ type: "integer", minimum: 1, maximum: 100 }, { type: "string" }] },
    read: (input) => {
      if (typeof input === "string" && input.trim().toLowerCase() === "headers") return "headers";
      const value = readInteger(typeof input === "string" ? input.replace(/%$/, "") : input);
      return value !== undefined && value >= 1 && value <= 100
        ? value
        : new Refusal('a percentage from 1 to 100, or "headers"');
    },
    format: String,
  };
}

/** Tokens before a subject; a dot at their end may be given and is none of them. */
function prefix(): Kind<string, string> {
  const literal = literalSubject();
  return {
    ...literal,
    read: (input) =>
      literal.read(typeof input === "string" && input !== "." ? input.replace(/\.$/, "") : input),
  };
}

const latency = orShort(
  block({
    sampling: withDefault(
      scalar(sampling()),
      100,
      "Share of the requests that is measured, or headers for those whose headers ask for it.",
    ),
    subject: required(
      scalar(literalSubject()),
      "Subject of the measurements, in the exporting account.",
    ),
  }, {
    typeName: "LatencyConfig",
    doc: "Whether and where a service is measured; a subject alone measures every request.",
  }),
  "subject",
);

/** The settings of an export that are for services alone. */
const forServices = ["response_type", "response_threshold", "latency"] as const;

const oneOfTwo: Rule<{ stream?: unknown; service?: unknown }> = (_values, report, given) => {
  const both = given.has("stream") && given.has("service");
  if (!both && (given.has("stream") || given.has("service"))) return;
  report([["stream"], ["service"]], {
    expected: "either a stream or a service",
    found: both ? "both" : "neither",
  });
};

const responsesOfServices: Rule<{ stream?: unknown }> = (_values, report, given) => {
  if (!given.has("stream")) return;
  for (const key of forServices) {
    if (!given.has(key)) continue;
    report([[key]], { expected: "a setting of streams", found: `${key}, which services have` });
  }
};

/** The settings of an export that rules compare. */
interface ExportSettings {
  readonly stream?: string | undefined;
  readonly service?: string | undefined;
  readonly response_type?: string | undefined;
  readonly account_token_position?: number | undefined;
  readonly latency?: unknown;
}

const positionIsWildcard: Rule<ExportSettings> = (
  { stream, service = stream, account_token_position: position = 0 },
  report,
) => {
  if (service === undefined || position === 0 || service.split(".")[position - 1] === "*") return;
  report([["account_token_position"]], {
    expected: `the position of a * in ${service}, from 1`,
    found: String(position),
  });
};

const oneAnswerIsMeasured: Rule<ExportSettings> = (
  { response_type: type = "singleton", latency },
  report,
) => {
  if (latency === undefined || type === "singleton") return;
  report([["latency"], ["response_type"]], {
    expected: "a service with one answer to measure",
    found: `the response_type ${type}`,
  });
};

const exportBlock = block({
  stream: optional(
    scalar(subject()),
    "orders.>",
    "Subjects whose messages other accounts may receive.",
  ),
  service: optional(
    scalar(subject()),
    "prices.*",
    "Subjects that other accounts may send requests to.",
  ),
  accounts: optional(
    listOfSome(
      scalar(text({ expected: "the name of an account" })),
      "the name of at least one account, or no list for all of them",
    ),
    ["B"],
    "The accounts that may import it; all of them where it is not given.",
  ),
  response_type: optional(
    scalar(word(["singleton", "stream", "chunked"], { single: "singleton", chunk: "chunked" })),
    "singleton",
    "How many answers a request of the service has: singleton (one), stream or chunked.",
  ),
  response_threshold: optional(
    scalar(duration({ min: 0 })),
    "2m",
    "How long answers are waited for; 2m where it is not given.",
  ),
  account_token_position: optional(
    scalar(integer({ min: 0, max: 2 ** 31 - 1 })),
    2,
    "Which token of the subject, from 1, is the name of the importing account; it must be a *.",
  ),
  latency: optional(latency, undefined, "Whether and where the service is measured."),
}, {
  typeName: "ExportConfig",
  doc: "What an account lets others have: a stream or a service.",
  aliases: {
    response: "response_type",
    threshold: "response_threshold",
    response_max_time: "response_threshold",
    response_time: "response_threshold",
  },
  unsupported: ["allow_trace"],
  harmless: { allow_trace: ["false"] },
  rules: [oneOfTwo, responsesOfServices, positionIsWildcard, oneAnswerIsMeasured],
});

/** What an account lets others have. To nats-server a 0 is no setting. */
const exported = resolved(exportBlock, (values): OutputOf<typeof exportBlock> => {
  const { account_token_position: position, response_threshold: threshold, ...rest } = values;
  return Object.freeze({
    ...rest,
    ...(threshold ? { response_threshold: threshold } : {}),
    ...(position ? { account_token_position: position } : {}),
  });
});

const source = block({
  account: required(
    scalar(text({ expected: "the name of an account" })),
    "Name of the exporting account.",
  ),
  subject: required(scalar(subject()), "Subject there."),
}, { typeName: "ImportSourceConfig", doc: "A subject of another account." });

/** The settings of an import. */
interface ImportSettings {
  readonly stream?: unknown;
  readonly service?: unknown;
  readonly to?: unknown;
  readonly prefix?: unknown;
}

const onePlace: Rule<ImportSettings> = (_values, report, given) => {
  if (given.has("prefix") && given.has("service")) {
    report([["prefix"]], {
      expected: "a setting of services",
      found: "prefix, which streams have",
      hint: "to names the subject of a service",
    });
  } else if (given.has("prefix") && given.has("to")) {
    report([["prefix"], ["to"]], { expected: "either a prefix or to", found: "both" });
  }
};

const shareOfServices: Rule<ImportSettings & { readonly share?: boolean }> = (
  { share },
  report,
  given,
) => {
  if (!given.has("stream") || share !== true) return;
  report([["share"]], { expected: "a setting of streams", found: "share, which services have" });
};

/** What an account takes from another. */
const imported = block({
  stream: optional(source, undefined, "Messages to receive."),
  service: optional(source, undefined, "Where to send requests."),
  to: optional(
    scalar(subject()),
    "from_a.$1",
    "Subject here, the one there where it is not given; $1 is what the first * stands for.",
  ),
  prefix: optional(
    scalar(prefix()),
    "from_a",
    "Tokens before the subject of a stream here, instead of to.",
  ),
  share: withDefault(
    scalar(boolean()),
    false,
    "Let the exporter of the service know who asks.",
  ),
}, {
  typeName: "ImportConfig",
  doc: "What an account takes from another: a stream or a service.",
  unsupported: ["allow_trace"],
  harmless: { allow_trace: ["false"] },
  rules: [oneOfTwo, onePlace, shareOfServices],
});

/** What an account exchanges with others. */
export const exchangeFields = {
  exports: optional(list(exported), [{ stream: "orders.>" }], "What other accounts may have."),
  imports: optional(
    list(imported),
    [{ service: { account: "B", subject: "prices.*" }, to: "prices.*" }],
    "What the account has of others.",
  ),
};
