/**
 * The times of day in which a user may be connected.
 *
 * @module
 */
import type { TimeRange } from "../config/mod.ts";

const DAY_S = 24 * 60 * 60;

/** Seconds from midnight of `hh:mm:ss`; null when it is no time of day. */
export function secondsOfDay(text: string): number | null {
  const parts = /^(\d{1,2}):(\d{2}):(\d{2})$/.exec(text);
  if (parts === null) return null;
  const [hour, minute, second] = parts.slice(1).map(Number) as [number, number, number];
  if (hour > 23 || minute > 59 || second > 59) return null;
  return (hour * 60 + minute) * 60 + second;
}

/** Whether there is a time zone of that IANA name; the empty name is the machine's own zone. */
export function isTimeZone(name: string): boolean {
  try {
    wallClock(name);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/**
 * Until when somebody may stay who may be there in `times`: wall-clock milliseconds, the latest end of
 * all ranges that `nowMs` is in; null when it is in none.
 *
 * @param zone Name of the time zone of `times`; empty for the machine's own.
 * @throws {RangeError} when there is no such zone.
 */
export function allowedUntilMs(
  times: readonly TimeRange[],
  zone: string,
  nowMs: number,
): number | null {
  const clock = wallClock(zone);
  const now = clock.read(nowMs);
  let until: number | null = null;
  for (const range of times) {
    const start = secondsOfDay(range.start), end = secondsOfDay(range.end);
    if (start === null || end === null) return null;
    const endMs = endOf(clock, now.day, start, end, nowMs);
    if (endMs !== null && (until === null || endMs > until)) until = endMs;
  }
  return until;
}

/** When the range that `nowMs` is in ends; null when it is not in the range. */
function endOf(
  clock: WallClock,
  day: number,
  start: number,
  end: number,
  nowMs: number,
): number | null {
  const startMs = clock.instant(day, start);
  const endMs = clock.instant(day, end);
  if (startMs < nowMs && nowMs < endMs) return endMs;
  if (startMs <= endMs) return null;
  // The range goes over midnight: either it began yesterday or it ends tomorrow.
  if (nowMs < endMs) return endMs;
  return startMs < nowMs ? clock.instant(day + 1, end) : null;
}

/** The clock on the wall of a zone. */
interface WallClock {
  /** The day, counted from 1970, and the second of the day that it shows. */
  read(ms: number): { readonly day: number; readonly second: number };
  /** When it shows that. */
  instant(day: number, second: number): number;
}

function wallClock(zone: string): WallClock {
  const format = new Intl.DateTimeFormat("en-US", {
    ...(zone === "" || zone === "Local" ? {} : { timeZone: zone }),
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  /** What it shows, as if it showed UTC. */
  const shown = (ms: number) => {
    const parts = Object.fromEntries(
      format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]),
    );
    const { year, month, day, hour, minute, second } = parts;
    return Date.UTC(year!, month! - 1, day!, hour, minute, second) / 1000;
  };
  return {
    read: (ms) => {
      const at = shown(ms);
      return { day: Math.floor(at / DAY_S), second: at % DAY_S };
    },
    instant: (day, second) => {
      const wanted = day * DAY_S + second;
      let guess = wanted;
      // The first correction may step over a change of the clocks, the second one then does not.
      for (let round = 0; round < 2; round++) guess += wanted - shown(guess * 1000);
      return guess * 1000;
    },
  };
}
