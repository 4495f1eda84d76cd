/**
 * Finds the outboxes whose peers do not read.
 *
 * @module
 */
import type { Outbox } from "./outbox.ts";

/** How often {@link WriteWatch.look} should be called, in milliseconds. */
export const WRITE_WATCH_PERIOD_MS = 100;

/** Looks in a row without a byte of progress after which publishers stop waiting for a peer. */
const STALLED_LOOKS = 2;
/** How long publishers wait for a peer at a time. */
const WAIT_LIMIT_MS = 250;
/**
 * How far a peer that keeps nobody else waiting may be behind such a pace, which sets the publishers'
 * own. A system's receive buffer takes megabytes, and then nothing until much of it was read: a steady
 * reader of 10 MB/s looks deaf for half a second.
 */
const PATIENCE_MS = 1000, PACE_BYTES_PER_MS = 1000;
/** How long in all, within {@link HOLD_WINDOW_MS}, a peer may keep others waiting. */
const HOLD_LIMIT_MS = 500;
/** The window of {@link HOLD_LIMIT_MS}, and how long a peer that used it up is not waited for. */
const HOLD_WINDOW_MS = 10_000;

/** Settings of a {@link WriteWatch}. */
export interface WriteWatchSettings {
  /** How long a batch of bytes may take to be written, in milliseconds. */
  readonly writeDeadlineMs: number;
  /** Pending bytes above which publishers wait. */
  readonly highWater: number;
  /** Pending bytes at which they go on. */
  readonly lowWater: number;
}

/**
 * The outboxes that are being written right now. A look at them, ten times a second, costs less
 * than a timer per write: it enforces the write deadline, and it bounds the waiting of publishers.
 *
 * A publisher waits for a peer that is behind, so that memory stays bounded, unless the peer *lags*:
 * it has made no progress for 100 to 200 ms, or was waited for for 250 ms, or has kept others
 * waiting for half a second in the last ten. Where most of those that a publisher sends to are
 * behind, waiting harms nobody else: then it may be a second behind a pace of 1 MB/s.
 */
export class WriteWatch {
  /** Pending bytes above which publishers wait. */
  highWater: number;
  /** Pending bytes at which they go on. */
  lowWater: number;
  /** How long a batch of bytes may take to be written, in milliseconds. */
  writeDeadlineMs: number;
  /** How often a publisher was made to wait. */
  waits = 0;
  /** Monotonic time of the last look. */
  nowMs = 0;
  readonly #writing = new Set<Outbox>();

  /** Watches nothing yet. */
  constructor(settings: WriteWatchSettings) {
    this.highWater = settings.highWater;
    this.lowWater = settings.lowWater;
    this.writeDeadlineMs = settings.writeDeadlineMs;
  }

  /** How many outboxes are being written. */
  get size(): number {
    return this.#writing.size;
  }

  /** An outbox began to write. */
  add(outbox: Outbox): void {
    outbox.batchSeenAtMs = 0;
    this.#writing.add(outbox);
  }

  /** An outbox has nothing more to write. */
  delete(outbox: Outbox): void {
    this.#writing.delete(outbox);
    outbox.batchSeenAtMs =
      outbox.waitSeenAtMs =
      outbox.stalledLooks =
      outbox.behindMs =
        0;
  }

  /** Looks at all of them; `nowMs` is monotonic time. */
  look(nowMs: number): void {
    // A look that is late says little about the peers: the process itself may have had no time.
    const lateMs = Math.max(0, nowMs - this.nowMs - WRITE_WATCH_PERIOD_MS);
    const isLate = this.nowMs > 0 && lateMs >= WRITE_WATCH_PERIOD_MS;
    this.nowMs = nowMs;
    for (const outbox of this.#writing) {
      if (outbox.batchSeenAtMs === 0) {
        outbox.batchSeenAtMs = nowMs;
      } else if (nowMs - outbox.batchSeenAtMs >= this.writeDeadlineMs) {
        outbox.fail("write deadline");
        continue;
      }
      const progress = outbox.written - outbox.writtenSeen;
      outbox.writtenSeen = outbox.written;
      const behindMs = outbox.behindMs - progress / PACE_BYTES_PER_MS +
        (outbox.awaitedPatiently || outbox.patient ? WRITE_WATCH_PERIOD_MS : 0);
      outbox.behindMs = Math.max(0, behindMs);
      if (progress > 0) outbox.stalledLooks = 0;
      else if (!isLate) outbox.stalledLooks++;
      if (!outbox.congested && !outbox.awaited) {
        outbox.waitSeenAtMs = 0;
        continue;
      }
      // Whether or not somebody waits for it yet: many that are deaf must not be found out one after
      // the other.
      if (outbox.waitSeenAtMs === 0) outbox.waitSeenAtMs = nowMs;
      else if (isLate) outbox.waitSeenAtMs += lateMs;
      const lags = outbox.awaitedPatiently || outbox.patient
        ? outbox.behindMs >= PATIENCE_MS
        : outbox.stalledLooks >= STALLED_LOOKS || nowMs - outbox.waitSeenAtMs >= WAIT_LIMIT_MS;
      if (lags) outbox.lag(nowMs + HOLD_WINDOW_MS);
    }
  }

  /**
   * Takes note that nothing was done for `pausedMs`, because the process or the machine stood still:
   * that is not the peers' fault.
   */
  resumed(pausedMs: number): void {
    this.nowMs += pausedMs;
    for (const outbox of this.#writing) {
      if (outbox.batchSeenAtMs !== 0) outbox.batchSeenAtMs += pausedMs;
      if (outbox.waitSeenAtMs !== 0) outbox.waitSeenAtMs += pausedMs;
    }
  }

  /** Charges an outbox with the time that it kept others waiting, from `fromMs` to `toMs`. */
  held(outbox: Outbox, fromMs: number, toMs: number): void {
    if (outbox.patient) return;
    if (toMs - outbox.heldFromMs > HOLD_WINDOW_MS) {
      outbox.heldFromMs = toMs;
      outbox.heldMs = 0;
    }
    // Many who wait at the same time wait once.
    outbox.heldMs += Math.max(0, toMs - Math.max(fromMs, outbox.heldToMs));
    outbox.heldToMs = toMs;
    if (outbox.heldMs > HOLD_LIMIT_MS) outbox.lag(toMs + HOLD_WINDOW_MS);
  }
}
