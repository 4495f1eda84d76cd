/**
 * An outbox with everything around it.
 *
 * @module
 */
import {
  HUGE_SLAB_BYTES,
  LARGE_SLAB_BYTES,
  MEDIUM_SLAB_BYTES,
  Outbox,
  type OutboxFailure,
  type OutboxOwner,
  SlabPool,
  SMALL_SLAB_BYTES,
  WriteWatch,
} from "../../src/connection/mod.ts";
import type { Connection } from "../../src/platform/mod.ts";
import type { Slab } from "../../src/protocol/mod.ts";

/** The sizes of buffers that a pool keeps. */
const POOLED_BYTES: ReadonlySet<number> = new Set([
  SMALL_SLAB_BYTES,
  MEDIUM_SLAB_BYTES,
  LARGE_SLAB_BYTES,
  HUGE_SLAB_BYTES,
]);

/** A pool that notices when a buffer comes back that was not taken, or that came back already. */
export class CheckedPool extends SlabPool {
  /** Buffers that were taken and have not come back. */
  readonly taken = new Set<Slab>();

  override takeSmall(): Slab {
    return this.#note(super.takeSmall());
  }

  override takeMedium(): Slab {
    return this.#note(super.takeMedium());
  }

  override takeLarge(): Slab {
    return this.#note(super.takeLarge());
  }

  override takeHuge(): Slab {
    return this.#note(super.takeHuge());
  }

  override give(slab: Slab): void {
    // Stand-ins for a buffer are of other sizes, and a pool drops them.
    if (!POOLED_BYTES.has(slab.capacity)) return;
    if (!this.taken.delete(slab)) throw new Error("a buffer was given back that nobody had");
    super.give(slab);
  }

  #note(slab: Slab): Slab {
    if (this.taken.has(slab)) throw new Error("a buffer was handed out twice");
    this.taken.add(slab);
    return slab;
  }
}

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
  /** Where its buffers come from. */
  readonly pool = new CheckedPool();
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
      pool: this.pool,
      watch: this.watch,
      maxPending: options.maxPending ?? 1_000_000,
      crowdedAbove: options.crowdedAbove ?? Infinity,
      patient: false,
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
