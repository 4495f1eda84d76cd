/**
 * The limits that clients are held to, and how it is noticed that one is gone.
 *
 * @module
 */
import { optional, type Rule, scalar, withDefault } from "./fields.ts";
import { duration, integer, size } from "./number_kinds.ts";
import { boolean } from "./text_kinds.ts";
import { formatSize } from "./units.ts";

/** What nats-server keeps in a signed 32-bit number. */
const max31 = 2 ** 31 - 1;

/** Limits on every client. */
export const limitFields = {
  max_connections: withDefault(
    scalar(integer({ min: 0, max: max31 })),
    65_536,
    "How many clients may be connected at once; 0 admits nobody.",
  ),
  max_subscriptions: withDefault(
    scalar(integer({ min: 0, max: max31 })),
    0,
    "How many subscriptions a connection may have; 0 is without limit.",
  ),
  max_sub_tokens: optional(
    scalar(integer({ min: 1, max: 255 })),
    16,
    "How many tokens the subject of a subscription may have. Default: without limit.",
  ),
  max_payload: withDefault(
    scalar(size({ min: 1, max: max31 })),
    "1MB",
    "Largest message, its headers included; not above max_pending.",
  ),
  max_control_line: withDefault(
    scalar(size({ min: 1, max: max31 })),
    "4KB",
    "Longest protocol line, CONNECT included, before a client is closed.",
  ),
  max_pending: withDefault(
    scalar(size({ min: 1 })),
    "64MB",
    "How much may wait to be sent to a client before it is closed as a slow consumer.",
  ),
  write_deadline: withDefault(
    scalar(duration({ min: 1 })),
    "10s",
    "How long a write to a client may take before it is closed as a slow consumer.",
  ),
  no_fast_producer_stall: withDefault(
    scalar(boolean()),
    false,
    "Drop messages for a consumer above 75 % of max_pending instead of slowing its producers.",
  ),
  no_header_support: withDefault(
    scalar(boolean()),
    false,
    "Refuse messages with headers.",
  ),
};

/** How it is noticed that a client is gone. */
export const pingFields = {
  ping_interval: withDefault(
    scalar(duration({ min: 1 })),
    "2m",
    "How often a quiet client is pinged.",
  ),
  ping_max: withDefault(
    scalar(integer({ min: 1, max: max31 })),
    2,
    "How many pings may go unanswered before a client is closed as stale.",
  ),
};

/** The settings that {@link payloadFits} compares. */
interface Sizes {
  readonly max_payload: number;
  readonly max_pending: number;
}

/** A message that cannot wait to be sent could never be delivered. */
export const payloadFits: Rule<Sizes> = (values, report) => {
  const { max_payload: payload, max_pending: pending } = values;
  if (payload === undefined || pending === undefined || payload <= pending) return;
  report([["max_payload"], ["max_pending"]], {
    expected: "a max_payload no larger than max_pending",
    found: `${formatSize(payload)} and ${formatSize(pending)}`,
  });
};
