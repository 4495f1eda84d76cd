/**
 * An outbox with everything around it.
 *
 * @module
 */
import {
  Outbox,
  type OutboxFailure,
  type OutboxOwner,
  SlabPool,
  WriteWatch,
} from "../../src/connection/mod.ts";
import type { Connection } from "../../src/platform/mod.ts";

/** What may differ from one test to the next; sizes in bytes, times in milliseconds. */
export interface WatchedOutboxOptions {
  /** Above it the outbox is congested; 1000 if absent. */
  readonly highWater?: number;
  /** Down to it the congestion lasts; 400 if absent. */
  readonly lowWater?: number;
  /** Above it the outbox fails; a million if absent. */
  readonly maxPending?: number;
  /** Above it publishers are slowed although the outbox lags; Infinity if absent. */
  readonly crowdedAbove?: number;
  /** How long a batch may take; 5000 if absent. */
  readonly writeDeadlineMs?: number;
}

/** An outbox, the watch over it, and an owner that writes down what it is told. */
export class WatchedOutbox implements OutboxOwner {
  /** The outbox. */
  readonly outbox: Outbox;
  /** The watch over it; the test calls its `look`. */
  readonly watch: WriteWatch;
  /** What the owner was told. */
  readonly failures: OutboxFailure[] = [];
  /** How often a writer was started. */
  writers = 0;
  /** The writer that was started last. */
  writer: Promise<void> = Promise.resolve();

  /** An empty outbox over `connection`. */
  constructor(connection: Connection, options: WatchedOutboxOptions = {}) {
    this.watch = new WriteWatch({
      highWater: options.highWater ?? 1000,
      lowWater: options.lowWater ?? 400,
      writeDeadlineMs: options.writeDeadlineMs ?? 5000,
    });
    this.outbox = new Outbox(connection, this, {
      pool: new SlabPool(),
      watch: this.watch,
      maxPending: options.maxPending ?? 1_000_000,
      crowdedAbove: options.crowdedAbove ?? Infinity,
    });
  }

  startWriter(write: () => Promise<void>): void {
    this.writers++;
    this.writer = write();
  }

  outboxFailed(failure: OutboxFailure): void {
    this.failures.push(failure);
  }
}
