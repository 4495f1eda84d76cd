/**
 * Moments as the log writes them.
 *
 * @module
 */

/** The parts of a moment, each a number with leading zeros. */
interface Parts {
  readonly year: string;
  readonly month: string;
  readonly day: string;
  readonly hour: string;
  readonly minute: string;
  readonly second: string;
}

/**
 * Writes moments (milliseconds since the Unix epoch, possibly fractional) as nats-server does:
 * `2026/11/22 13:43:24.123456`, in UTC or in local time.
 */
export class TimestampWriter {
  readonly #utc: boolean;
  #second = NaN;
  #text = "";

  /** `utc`: whether moments are written in UTC instead of local time. */
  constructor(utc: boolean) {
    this.#utc = utc;
  }

  /** `2026/11/22 13:43:24.123456` */
  write(now_ms: number): string {
    const second = Math.floor(now_ms / 1000);
    if (second !== this.#second) { // taking a Date apart costs more than the rest of a line
      const at = partsOf(second * 1000, this.#utc);
      this.#second = second;
      this.#text = `${at.year}/${at.month}/${at.day} ${at.hour}:${at.minute}:${at.second}.`;
    }
    return this.#text + fraction(now_ms, 6);
  }
}

/** `2026-11-22T13:43:24.123456Z` (RFC 3339, always UTC). */
export function isoTimestamp(now_ms: number): string {
  const at = partsOf(now_ms, true);
  return `${at.year}-${at.month}-${at.day}T${at.hour}:${at.minute}:${at.second}.` +
    `${fraction(now_ms, 6)}Z`;
}

/** `2026.11.22.13.43.24.123456000`: what nats-server adds to the name of a log file put aside. */
export function fileTimestamp(now_ms: number, utc: boolean): string {
  const at = partsOf(now_ms, utc);
  return [at.year, at.month, at.day, at.hour, at.minute, at.second, fraction(now_ms, 9)].join(".");
}

/** The first `digits` digits after the second. */
function fraction(now_ms: number, digits: 6 | 9): string {
  const micros = Math.floor((now_ms - Math.floor(now_ms / 1000) * 1000) * 1000);
  return String(micros).padStart(6, "0").padEnd(digits, "0");
}

function partsOf(now_ms: number, utc: boolean): Parts {
  const date = new Date(now_ms);
  const two = (value: number) => String(value).padStart(2, "0");
  return utc
    ? {
      year: String(date.getUTCFullYear()),
      month: two(date.getUTCMonth() + 1),
      day: two(date.getUTCDate()),
      hour: two(date.getUTCHours()),
      minute: two(date.getUTCMinutes()),
      second: two(date.getUTCSeconds()),
    }
    : {
      year: String(date.getFullYear()),
      month: two(date.getMonth() + 1),
      day: two(date.getDate()),
      hour: two(date.getHours()),
      minute: two(date.getMinutes()),
      second: two(date.getSeconds()),
    };
}
