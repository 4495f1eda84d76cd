/**
 * What was read from one connection and is not parsed yet.
 *
 * @module
 */
import { Slab } from "../protocol/mod.ts";

/**
 * Read sizes that an inbox moves between, in bytes. An idle connection costs the first. The last is
 * no power of two: frames with payloads of such sizes would all but fit, and need one tiny read more.
 */
const SIZES = [512, 4096, 32768, 147456] as const;
/** What the last of them becomes when frames are this large. */
const HUGE_READ = 278528, HUGE_FRAME = 32768;
/** Reads in a row that fill less than a quarter, after which the inbox shrinks. */
const SMALL_READS = 2;
/** Stands for the buffer of an inbox that is not read into any more. */
const NONE = new Slab(0);

/**
 * A read buffer that grows with the traffic and shrinks again.
 *
 * The unparsed bytes are those from `start` to `end` of `slab`. Behind the read size there is room
 * for one large frame, when such frames come: a frame that begins near the end is completed in place
 * by a read of exactly what it lacks, and no payload is ever moved.
 */
export class Inbox {
  /** The buffer. */
  slab: Slab = new Slab(SIZES[0]);
  /** First unparsed byte. */
  start = 0;
  /** Behind the last byte read. */
  end = 0;
  #limit = 0;
  #level = 0;
  #smallReads = 0;
  /** Size of the largest frame that lately did not fit, in bytes. */
  #largeFrame = 0;
  /** Whether there was such a frame at all: a single one is not provided for. */
  #sawLargeFrame = false;

  /**
   * Where to read to next: at least one byte, and no more than is to be read at once. `needed` is
   * how many bytes from `start` on the parser must see to get further, 0 when it cannot say.
   */
  space(needed: number): Uint8Array {
    this.#limit = this.#makeRoom(needed);
    return this.slab.bytes.subarray(this.end, this.#limit);
  }

  /** Throws away what is not parsed yet. */
  clear(): void {
    this.start = this.end = 0;
  }

  /** Lets go of the buffer: nothing more is read. */
  release(): void {
    this.slab = NONE;
    this.start = this.end = 0;
  }

  /** Takes note that `count` bytes were read into the {@link Inbox.space}; returns whether it is full. */
  filled(count: number): boolean {
    const room = this.#limit - this.end;
    this.#adapt(count, room);
    this.end += count;
    return count === room;
  }

  #adapt(count: number, room: number): void {
    if (count === room) {
      this.#smallReads = 0;
      if (this.#level < SIZES.length - 1) this.#level++;
    } else if (count * 4 >= room) {
      this.#smallReads = 0;
    } else if (++this.#smallReads >= SMALL_READS) {
      this.#smallReads = 0;
      this.#largeFrame = 0;
      this.#sawLargeFrame = false;
      if (this.#level > 0) this.#level--;
    }
  }

  /** Makes room behind `end`, and returns up to where to read. */
  #makeRoom(needed: number): number {
    const kept = this.end - this.start;
    const size = this.#largeFrame >= HUGE_FRAME && this.#level === SIZES.length - 1
      ? HUGE_READ
      : SIZES[this.#level]!;
    if (kept === 0) {
      this.start = this.end = 0;
      if (this.slab.capacity !== size + this.#largeFrame) {
        this.slab = new Slab(size + this.#largeFrame);
      }
      return size;
    }
    const capacity = this.slab.capacity;
    if (needed > 0 && this.start + needed <= capacity && this.end < capacity) {
      return Math.max(this.start + needed, Math.min(size, capacity));
    }
    if (needed === 0 && (capacity - this.end) * 4 >= capacity) return capacity;
    if (needed * 8 > size) {
      if (this.#sawLargeFrame) this.#largeFrame = Math.max(this.#largeFrame, needed);
      this.#sawLargeFrame = true;
    }
    const wanted = Math.max(size + this.#largeFrame, kept * 2, needed);
    if (wanted > capacity) {
      const slab = new Slab(wanted);
      slab.bytes.set(this.slab.bytes.subarray(this.start, this.end));
      this.slab = slab;
    } else {
      this.slab.bytes.copyWithin(0, this.start, this.end);
    }
    this.start = 0;
    this.end = kept;
    return Math.max(needed, Math.min(Math.max(size, kept * 2), this.slab.capacity));
  }
}
