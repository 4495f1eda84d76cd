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
/** How long a peer may stay above high water before publishers stop waiting for it. */
const FULL_LIMIT_MS = 1000;

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
 * than a timer per write: it enforces the write deadline, and ends the waiting of publishers for a
 * peer that makes no progress or stays behind.
 */
export class WriteWatch {
  /** Pending bytes above which publishers wait. */
  readonly highWater: number;
  /** Pending bytes at which they go on. */
  readonly lowWater: number;
  #writeDeadlineMs: number;
  readonly #writing = new Set<Outbox>();

  /** Watches nothing yet. */
  constructor(settings: WriteWatchSettings) {
    this.highWater = settings.highWater;
    this.lowWater = settings.lowWater;
    this.#writeDeadlineMs = settings.writeDeadlineMs;
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
    outbox.batchSeenAtMs = outbox.fullSeenAtMs = outbox.stalledLooks = 0;
  }

  /** Looks at all of them; `nowMs` is monotonic time. */
  look(nowMs: number): void {
    for (const outbox of this.#writing) {
      if (outbox.batchSeenAtMs === 0) {
        outbox.batchSeenAtMs = nowMs;
      } else if (nowMs - outbox.batchSeenAtMs >= this.#writeDeadlineMs) {
        outbox.fail("write deadline");
        continue;
      }
      const progress = outbox.written !== outbox.writtenSeen;
      outbox.writtenSeen = outbox.written;
      outbox.stalledLooks = progress ? 0 : outbox.stalledLooks + 1;
      if (outbox.pending <= this.highWater) {
        outbox.fullSeenAtMs = 0;
        continue;
      }
      if (outbox.fullSeenAtMs === 0) outbox.fullSeenAtMs = nowMs;
      if (
        outbox.stalledLooks >= STALLED_LOOKS || nowMs - outbox.fullSeenAtMs >= FULL_LIMIT_MS
      ) {
        outbox.lagging = true;
        outbox.relieve();
      }
    }
  }
}
