/**
 * What users may publish and subscribe to.
 *
 * @module
 */
import {
  block,
  listOrOne,
  optional,
  orForm,
  orShort,
  resolved,
  scalar,
  shared,
  withDefault,
} from "./fields.ts";
import type { ShortForm } from "./shape.ts";
import { type Kind, quoteText, Refusal } from "./kind.ts";
import { readInteger } from "./number_kinds.ts";
import { boolean, subject } from "./text_kinds.ts";
import { formatDuration, parseDuration } from "./units.ts";

/** Subjects that are allowed and denied. */
interface Subjects {
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
}

/** What a user may do, with nothing in it that says nothing. */
interface Permissions {
  readonly publish?: Subjects | undefined;
  readonly subscribe?: Subjects | undefined;
  readonly allow_responses?: { readonly max: number; readonly expires: number } | undefined;
}

/** Subjects that are allowed and denied, each of the kind `entry`. */
export function subjectsBlock(entry: Kind<string, string>) {
  const subjects = block({
    allow: optional(
      listOrOne(scalar(entry)),
      ["public.>"],
      "Only these; without it, or where it is empty, all but those denied.",
    ),
    deny: optional(listOrOne(scalar(entry)), ["private.>"], "All but these."),
  }, {
    typeName: "SubjectPermissions",
    doc: "Subjects that are allowed and denied; a subject or a list of them alone is allowed.",
  });
  return orShort(subjects, "allow");
}

/** Without its empty lists, which are none to nats-server; `undefined` where nothing is left. */
export function resolveSubjects(
  { allow = [], deny = [] }: Subjects = {},
): Subjects | undefined {
  if (allow.length === 0 && deny.length === 0) return undefined;
  return Object.freeze({
    ...(allow.length === 0 ? {} : { allow }),
    ...(deny.length === 0 ? {} : { deny }),
  });
}

/** A subject, or a subject and a queue group with a blank between them. */
function subjectOrQueue(): Kind<string, string> {
  const plain = subject();
  return {
    ...plain,
    read: (input) => {
      if (typeof input !== "string" || !/\s/.test(input)) return plain.read(input);
      const words = input.trim().split(/\s+/);
      const good = words.length === 2 &&
        words.every((word) => typeof plain.read(word) === "string");
      return good ? words.join(" ") : new Refusal(
        'a subject, or a subject and a queue group: "orders.> workers"',
      );
    },
  };
}

/** What nats-server takes when nothing, or 0, is said. */
const defaultResponses = { max: 1, expires_ms: 120_000 } as const;

/** A number of messages; negative for no limit. */
function responseCount(): Kind<number, number> {
  const max = 2 ** 31 - 1;
  return {
    inputType: "number",
    outputType: "number",
    json: { type: "integer", minimum: -max, maximum: max },
    read: (input) => {
      const value = readInteger(input);
      if (value === undefined || Math.abs(value) > max) {
        return new Refusal("a whole number, negative for no limit");
      }
      return value < 0 ? -1 : value || defaultResponses.max;
    },
    format: String,
  };
}

/** A duration; negative for no limit. */
function responseTime(): Kind<number | string, number> {
  return {
    inputType: "number | string",
    outputType: "number",
    inputNote: 'A duration such as "2m", negative for no limit; a plain number is seconds.',
    outputNote: "Milliseconds; negative for no limit.",
    json: { type: ["number", "string"] },
    read: (input) => {
      const text = typeof input === "number" ? String(input) : input;
      const negative = typeof text === "string" && text.startsWith("-");
      const value = typeof text === "string" ? parseDuration(text.replace(/^-/, "")) : undefined;
      if (value === undefined || !Number.isFinite(value)) {
        return new Refusal('a duration such as "2m", negative for no limit');
      }
      return value === 0 ? defaultResponses.expires_ms : negative ? -1 : value;
    },
    format: (value) => value < 0 ? quoteText("-1s") : formatDuration(value),
  };
}

const responses = block({
  max: withDefault(
    scalar(responseCount()),
    defaultResponses.max,
    "Most messages to one reply subject; negative for no limit.",
  ),
  expires: withDefault(
    scalar(responseTime()),
    formatDuration(defaultResponses.expires_ms),
    "How long a request may be answered; negative for no limit.",
  ),
}, {
  typeName: "ResponsesConfig",
  doc: "How often, and how long, what is asked may be answered; true has the defaults.",
  aliases: {
    max_msgs: "max",
    max_messages: "max",
    max_responses: "max",
    expiration: "expires",
    ttl: "expires",
  },
});

/** The words of a switch, in the place of {@link responses}. */
const onOrOff: ShortForm<boolean> = {
  inputType: "boolean",
  json: boolean().json,
  expected: "true, false or a map (max, expires)",
  expand: (value) => {
    const answer = boolean().read(value);
    return answer instanceof Refusal ? undefined : answer ? {} : null;
  },
};

const permissionsBlock = block({
  publish: optional(
    subjectsBlock(subject()),
    undefined,
    "The subjects that may be published to.",
  ),
  subscribe: optional(
    subjectsBlock(subjectOrQueue()),
    undefined,
    "The subjects that may be subscribed to; with a second word, in that queue group.",
  ),
  allow_responses: optional(
    orForm(responses, onOrOff),
    undefined,
    "Whether what is asked may be answered, though its reply subject is not among those of " +
      "publish; without a list there nothing else may be published then.",
  ),
}, {
  typeName: "PermissionsConfig",
  doc: "What may be published and subscribed to: everything that is not restricted.",
  aliases: {
    pub: "publish",
    import: "publish",
    sub: "subscribe",
    export: "subscribe",
    publish_allow_responses: "allow_responses",
  },
});

/** What a user may do. */
export const permissions = shared(resolved(permissionsBlock, (given): Permissions => {
  const publish = resolveSubjects(given.publish);
  const subscribe = resolveSubjects(given.subscribe);
  const { allow_responses } = given;
  return Object.freeze({
    ...(publish === undefined ? {} : { publish }),
    ...(subscribe === undefined ? {} : { subscribe }),
    ...(allow_responses === undefined ? {} : { allow_responses }),
  });
}));
