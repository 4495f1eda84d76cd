/**
 * One direction of an in-memory connection.
 *
 * @module
 */
import { ConnectionError } from "./transport.ts";

interface Waiting<Result> {
  readonly bytes: Uint8Array;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: ConnectionError) => void;
}

/**
 * A bounded stream of bytes from one writer to one reader. A write waits while the buffer is full, a
 * read while it is empty. While stalled, nothing leaves the buffer and the reader hears of nothing,
 * not even of the end, as on a link that lost its other side.
 */
export class ByteChannel {
  readonly #capacity: number;
  /** A ring; allocated when first needed, since most idle connections never need it. */
  #ring: Uint8Array | undefined;
  #start = 0;
  #length = 0;
  #stalled = false;
  /** No more bytes are to come. */
  #ended = false;
  /** Why neither reading nor writing works any more. */
  #failure: ConnectionError | undefined;
  /** The reader went away: writing fails, and what is in the buffer is of no use. */
  #abandoned = false;
  #reader: Waiting<number | null> | undefined;
  #writer: Waiting<number> | undefined;

  /** `capacity`: bytes that may be under way, at least 1. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** See `Connection.read`. */
  read(into: Uint8Array): Promise<number | null> {
    return this.#wait((waiting) => {
      if (this.#reader !== undefined) {
        waiting.reject(new ConnectionError("another read is pending"));
        return;
      }
      this.#reader = waiting;
    }, into);
  }

  /** See `Connection.write`. */
  write(from: Uint8Array): Promise<number> {
    return this.#wait((waiting) => {
      if (this.#writer !== undefined) {
        waiting.reject(new ConnectionError("another write is pending"));
        return;
      }
      this.#writer = waiting;
    }, from);
  }

  #wait<Result>(
    enter: (waiting: Waiting<Result>) => void,
    bytes: Uint8Array,
  ): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    enter({ bytes, resolve, reject });
    this.#move();
    return promise;
  }

  /** The writer is done: the reader gets what is in the buffer, then the end. */
  end(): void {
    this.#ended = true;
    this.#rejectWriter(new ConnectionError("connection closed"));
    this.#move();
  }

  /** The reader is gone: writing fails, unless the channel is stalled and so does not know it. */
  abandon(): void {
    this.#abandoned = true;
    this.#rejectReader(new ConnectionError("connection closed"));
    this.#move();
  }

  /** Loses what is in the buffer; reading and writing fail with `failure` from now on. */
  fail(failure: ConnectionError): void {
    this.#failure ??= failure;
    this.#length = 0;
    this.#rejectReader(this.#failure);
    this.#rejectWriter(this.#failure);
  }

  /** Holds everything back, or lets go of what was held back. */
  setStalled(stalled: boolean): void {
    this.#stalled = stalled;
    this.#move();
  }

  /** Does whatever can be done for the pending write and the pending read. */
  #move(): void {
    if (this.#failure !== undefined) {
      this.#rejectReader(this.#failure);
      this.#rejectWriter(this.#failure);
      return;
    }
    this.#takeWrite();
    if (!this.#stalled || this.#abandoned) this.#giveRead();
    // Reading made room.
    this.#takeWrite();
  }

  #takeWrite(): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    if (this.#ended) {
      this.#rejectWriter(new ConnectionError("connection closed"));
    } else if (this.#abandoned && !this.#stalled) {
      this.#rejectWriter(new ConnectionError("broken pipe"));
    } else {
      const taken = this.#store(writer.bytes);
      if (taken === 0 && writer.bytes.length > 0) return;
      this.#writer = undefined;
      writer.resolve(taken);
    }
  }

  #giveRead(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    if (this.#abandoned) {
      this.#rejectReader(new ConnectionError("connection closed"));
    } else if (this.#length > 0 || reader.bytes.length === 0) {
      this.#reader = undefined;
      reader.resolve(this.#fetch(reader.bytes));
    } else if (this.#ended) {
      this.#reader = undefined;
      reader.resolve(null);
    }
  }

  #store(bytes: Uint8Array): number {
    const ring = this.#ring ??= new Uint8Array(this.#capacity);
    const count = Math.min(bytes.length, ring.length - this.#length);
    const at = (this.#start + this.#length) % ring.length;
    const untilWrap = Math.min(count, ring.length - at);
    ring.set(bytes.subarray(0, untilWrap), at);
    ring.set(bytes.subarray(untilWrap, count), 0);
    this.#length += count;
    return count;
  }

  #fetch(into: Uint8Array): number {
    const ring = this.#ring;
    if (ring === undefined) return 0;
    const count = Math.min(into.length, this.#length);
    const untilWrap = Math.min(count, ring.length - this.#start);
    into.set(ring.subarray(this.#start, this.#start + untilWrap), 0);
    into.set(ring.subarray(0, count - untilWrap), untilWrap);
    this.#start = (this.#start + count) % ring.length;
    this.#length -= count;
    return count;
  }

  #rejectReader(error: ConnectionError): void {
    this.#reader?.reject(error);
    this.#reader = undefined;
  }

  #rejectWriter(error: ConnectionError): void {
    this.#writer?.reject(error);
    this.#writer = undefined;
  }
}
