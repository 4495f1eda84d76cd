/**
 * What is waiting to be written to one connection.
 *
 * @module
 */
import type { Connection } from "../platform/mod.ts";
import { Slab } from "../protocol/mod.ts";
import {
  HUGE_SLAB_BYTES,
  LARGE_SLAB_BYTES,
  MEDIUM_SLAB_BYTES,
  type SlabPool,
  SMALL_SLAB_BYTES,
} from "./slab_pool.ts";
import type { WriteWatch } from "./write_watch.ts";

/** Why an outbox gave up on its peer. */
export type OutboxFailure = "pending bytes" | "write deadline" | "write error";

/** What all outboxes of a listener share. */
export interface OutboxSettings {
  /** Where buffers come from. */
  readonly pool: SlabPool;
  /** Notices outboxes that do not drain. */
  readonly watch: WriteWatch;
  /** Most bytes that may wait; beyond it the peer is a slow consumer. */
  readonly maxPending: number;
  /** Bytes waiting from which on publishers are slowed down even for a peer that lags. */
  crowdedAbove: number;
  /**
   * Whether publishers wait for it even where it keeps messages from others, as long as it takes some:
   * for a peer that stands for many.
   */
  readonly patient: boolean;
}

/** Who an outbox belongs to. */
export interface OutboxOwner {
  /** Runs `write` as a task of the owner; it never rejects. */
  startWriter(write: () => Promise<void>): void;
  /** The outbox failed: nothing more is written, everything waiting was dropped. */
  outboxFailed(failure: OutboxFailure, cause?: unknown): void;
}

/** Stands for "no slab": nothing fits into it. */
const NONE = new Slab(0);
/** Where frames for an outbox that failed are composed, and forgotten. Of no pooled size. */
const SCRAP = new Slab(HUGE_SLAB_BYTES + 1);
/** From this length on frames go into huge slabs: few would fit into a large one. */
const HUGE_FRAME_BYTES = 32768;

/**
 * A queue of bytes with one writer.
 *
 * Frames are composed in place: {@link Outbox.reserve} makes room, the caller writes at
 * `slab`/`end`, {@link Outbox.commit} adds what was written. {@link Outbox.flush} starts the writer
 * unless it is running; an outbox that nobody flushes keeps its bytes. An empty outbox holds no
 * buffer.
 */
export class Outbox {
  /** The slab being filled. Replaced by {@link Outbox.reserve}. */
  slab: Slab = NONE;
  /** Where the next byte goes in {@link Outbox.slab}. */
  end = 0;
  /** Bytes added and not yet taken by the connection. */
  pending = 0;
  /** Whether it is in the list of outboxes to flush at the end of the current chunk. */
  touched = false;
  /**
   * Whether the peer has been too slow for long enough that publishers do not wait for it any more.
   * Ends when it has caught up, or some time later.
   */
  lagging = false;
  /** Bytes that were dropped when it failed. */
  dropped = 0;
  /** Bytes taken by the connection since the start. */
  written = 0;
  /** For {@link WriteWatch}: when it first saw the current batch, in monotonic ms; 0 when not yet. */
  batchSeenAtMs = 0;
  /** For {@link WriteWatch}: when it first saw publishers wait; 0 when they do not. */
  waitSeenAtMs = 0;
  /** For {@link WriteWatch}: how long it has kept others waiting since `heldFromMs`. */
  heldMs = 0;
  /** For {@link WriteWatch}: from when on `heldMs` counts. */
  heldFromMs = 0;
  /** For {@link WriteWatch}: up to when it was charged. */
  heldToMs = 0;
  /** For {@link WriteWatch}: {@link Outbox.written} at its last look. */
  writtenSeen = 0;
  /** For {@link WriteWatch}: its looks in a row without progress. */
  stalledLooks = 0;
  /** For {@link WriteWatch}: how far it is behind the pace that others wait for patiently, in ms. */
  behindMs = 0;

  readonly #connection: Connection;
  readonly #owner: OutboxOwner;
  readonly #settings: OutboxSettings;
  /** Full slabs, oldest first, and how many of their bytes are used. */
  #full: Slab[] | null = null;
  #fullEnds: number[] | null = null;
  #fullFirst = 0;
  #writing = false;
  #ended = false;
  #failed = false;
  /** Whether it filled a small slab lately: then the next one is large from the start. */
  #bulk = false;
  #batchEnd = 0;
  #lagUntilMs = 0;
  #relief: PromiseWithResolvers<void> | null = null;
  #hurried = false;
  #drained: PromiseWithResolvers<void> | null = null;

  /** An empty outbox for `connection`. */
  constructor(connection: Connection, owner: OutboxOwner, settings: OutboxSettings) {
    this.#connection = connection;
    this.#owner = owner;
    this.#settings = settings;
  }

  /** Whether appending still means something. */
  get open(): boolean {
    return !this.#ended && !this.#failed;
  }

  /** Whether publishers should wait for it before they read on. */
  get congested(): boolean {
    return this.pending > this.#settings.watch.highWater && !this.lagging && !this.#failed;
  }

  /** Whether it is so full that publishers are slowed down for it even when it lags. */
  get crowded(): boolean {
    return this.pending > this.#settings.crowdedAbove && !this.#failed;
  }

  /** Makes room for `length` bytes, at most {@link HUGE_SLAB_BYTES}, at `slab`/`end`. */
  reserve(length: number): void {
    if (this.end + length > this.slab.capacity) this.#next(length);
  }

  /** Counts `length` bytes that were written at `slab`/`end`. */
  commit(length: number): void {
    this.end += length;
    this.pending += length;
  }

  /** Adds a byte string. */
  appendText(text: string): void {
    for (let from = 0; from < text.length; from += LARGE_SLAB_BYTES) {
      const length = Math.min(text.length - from, LARGE_SLAB_BYTES);
      this.reserve(length);
      const bytes = this.slab.bytes, at = this.end;
      for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(from + i);
      this.commit(length);
    }
  }

  /** Adds bytes of any number, across slabs where needed. */
  appendBytes(bytes: Uint8Array, start: number, end: number): void {
    while (start < end) {
      let room = this.slab.capacity - this.end;
      if (room === 0) {
        this.#next(Math.min(end - start, HUGE_SLAB_BYTES));
        room = this.slab.capacity - this.end;
      }
      const length = Math.min(room, end - start);
      this.slab.bytes.set(bytes.subarray(start, start + length), this.end);
      this.commit(length);
      start += length;
    }
  }

  #next(length: number): void {
    if (this.end > 0 && !this.#failed) {
      (this.#full ??= []).push(this.slab);
      (this.#fullEnds ??= []).push(this.end);
      this.slab = NONE;
      this.#bulk = true;
      // Looked at here and not at each append: here is once per slab.
      if (this.pending > this.#settings.maxPending) this.fail("pending bytes");
    }
    this.end = 0;
    if (this.#failed) {
      this.slab = SCRAP;
      return;
    }
    this.slab = this.#bulk ? this.#bulkSlab(length) : this.#firstSlab(length);
  }

  /** For the first frame of a batch: there may be thousands of others that get just this one. */
  #firstSlab(length: number): Slab {
    const pool = this.#settings.pool;
    if (length <= SMALL_SLAB_BYTES) return pool.takeSmall();
    if (length <= MEDIUM_SLAB_BYTES) return pool.takeMedium();
    if (length <= LARGE_SLAB_BYTES / 2) return new Slab(length);
    return length <= LARGE_SLAB_BYTES ? pool.takeLarge() : pool.takeHuge();
  }

  #bulkSlab(length: number): Slab {
    const pool = this.#settings.pool;
    return length >= HUGE_FRAME_BYTES ? pool.takeHuge() : pool.takeLarge();
  }

  /** Lets what was added go out. */
  flush(): void {
    this.touched = false;
    if (this.pending === 0 || this.#failed) return;
    if (this.pending > this.#settings.maxPending) {
      this.fail("pending bytes");
      return;
    }
    if (this.#writing) return;
    this.#writing = true;
    this.#batchEnd = this.written + this.pending;
    this.#settings.watch.add(this);
    this.#owner.startWriter(this.#write);
  }

  readonly #write = async (): Promise<void> => {
    try {
      while (this.pending > 0 && !this.#failed) {
        const slab = this.#take();
        await this.#send(slab, this.#takenEnd);
        this.#settings.pool.give(slab);
      }
    } catch (error) {
      this.fail("write error", error);
    } finally {
      this.#writing = false;
      this.#settings.watch.delete(this);
      if (this.pending === 0 || this.#failed) this.#drained?.resolve();
    }
  };

  #takenEnd = 0;

  /** The oldest slab; its length is in `#takenEnd`. */
  #take(): Slab {
    const full = this.#full;
    if (full !== null && this.#fullFirst < full.length) {
      const slab = full[this.#fullFirst]!;
      this.#takenEnd = this.#fullEnds![this.#fullFirst]!;
      full[this.#fullFirst++] = NONE;
      if (this.#fullFirst === full.length) this.#dropFull();
      else if (this.#fullFirst === 256) {
        full.splice(0, 256);
        this.#fullEnds!.splice(0, 256);
        this.#fullFirst = 0;
      }
      return slab;
    }
    const slab = this.slab;
    this.#takenEnd = this.end;
    if (this.#bulk && this.end < SMALL_SLAB_BYTES) this.#bulk = false;
    this.slab = NONE;
    this.end = 0;
    return slab;
  }

  #dropFull(): void {
    this.#full = this.#fullEnds = null;
    this.#fullFirst = 0;
  }

  async #send(slab: Slab, length: number): Promise<void> {
    for (let from = 0; from < length;) {
      const count = await this.#connection.write(slab.bytes.subarray(from, length));
      if (this.#failed) return;
      from += count;
      this.written += count;
      this.pending -= count;
      if (this.written >= this.#batchEnd) {
        this.#batchEnd = this.written + this.pending;
        this.batchSeenAtMs = 0;
      }
      if (this.pending <= this.#settings.watch.lowWater) this.#caughtUp();
    }
  }

  /**
   * Resolves once the outbox is no longer {@link Outbox.congested}, or failed. `hurried` says that
   * waiting for it keeps messages from others who are not behind.
   */
  relief(hurried: boolean): Promise<void> {
    if (!this.congested) return Promise.resolve();
    if (hurried) this.#hurried = true;
    return (this.#relief ??= Promise.withResolvers<void>()).promise;
  }

  /** Whether somebody waits for {@link Outbox.relief}. */
  get awaited(): boolean {
    return this.#relief !== null;
  }

  /** Whether all who wait for {@link Outbox.relief} can do nothing better. */
  get awaitedPatiently(): boolean {
    return this.#relief !== null && (!this.#hurried || this.#settings.patient);
  }

  /** Whether it is judged by its pace alone; see {@link OutboxSettings.patient}. */
  get patient(): boolean {
    return this.#settings.patient;
  }

  /** Makes publishers wait for it no more until it has caught up, and at least until `untilMs`. */
  lag(untilMs: number): void {
    this.lagging = true;
    this.#lagUntilMs = untilMs;
    this.relieve();
  }

  #caughtUp(): void {
    // Waiting for it again is to wait anew.
    this.waitSeenAtMs = 0;
    if (this.#relief !== null) this.relieve();
    if (this.lagging && this.#settings.watch.nowMs >= this.#lagUntilMs) this.lagging = false;
  }

  /** Lets go everybody who waits for {@link Outbox.relief}. */
  relieve(): void {
    this.#relief?.resolve();
    this.#relief = null;
    this.#hurried = false;
  }

  /**
   * Resolves once everything added before is written, or the outbox failed. Nothing may be added
   * from now on.
   */
  finish(): Promise<void> {
    this.flush();
    this.#ended = true;
    if (!this.#writing || this.#failed) return Promise.resolve();
    return (this.#drained ??= Promise.withResolvers<void>()).promise;
  }

  /** Gives up: drops what is waiting and tells the owner, once. */
  fail(failure: OutboxFailure, cause?: unknown): void {
    if (this.#failed) return;
    this.discard();
    this.#owner.outboxFailed(failure, cause);
  }

  /** Drops what is waiting, without telling anybody. Buffers of a running write are left to it. */
  discard(): void {
    this.#failed = true;
    const pool = this.#settings.pool;
    for (const slab of this.#full ?? []) pool.give(slab);
    this.#dropFull();
    pool.give(this.slab);
    this.slab = NONE;
    this.end = 0;
    this.dropped += this.pending;
    this.pending = 0;
    this.relieve();
    this.#drained?.resolve();
  }
}
