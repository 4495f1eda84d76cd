/**
 * One direction of a simulated connection.
 *
 * @module
 */
import { ConnectionError, type Timer } from "../../src/platform/mod.ts";
import type { Carried, Path } from "./path.ts";

/** Bytes under way or received and not read, about what a socket's buffers hold. */
const CAPACITY_BYTES = 65_536;

/** A connection's end as its streams see it. */
export interface StreamEnd {
  /** Whether its process takes anything at the moment. */
  readonly awake: boolean;
  /** Whether its process has the connection still. */
  readonly open: boolean;
  /** Bytes came for an end that is not there any more: the other end is to hear of it. */
  refuse(): void;
}

interface Piece {
  /** Null for the end of the stream. */
  readonly bytes: Uint8Array | null;
  dueMs: number;
}

interface Waiting<Result> {
  readonly bytes: Uint8Array;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A bounded stream of bytes along a path: what is written arrives later, in order, and not at all
 * while the path is blocked.
 */
export class Stream implements Carried {
  readonly #path: Path;
  readonly #id: number;
  readonly #from: StreamEnd;
  readonly #to: StreamEnd;
  #travelling: Piece[] = [];
  #arrival: Timer | null = null;
  #received: Uint8Array[] = [];
  /** How much of the first piece was read. */
  #readBytes = 0;
  #outstandingBytes = 0;
  #finished = false;
  #endArrived = false;
  #failure: ConnectionError | undefined;
  #reader: Waiting<number | null> | undefined;
  #writer: Waiting<number> | undefined;

  /** A stream with nothing in it; `id` is the connection's, for the trace. */
  constructor(path: Path, id: number, from: StreamEnd, to: StreamEnd) {
    this.#path = path;
    this.#id = id;
    this.#from = from;
    this.#to = to;
  }

  /** Bytes that arrived and were not read. */
  get unreadBytes(): number {
    let sum = -this.#readBytes;
    for (const { length } of this.#received) sum += length;
    return sum;
  }

  /** See `Connection.read`. */
  read(into: Uint8Array): Promise<number | null> {
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    if (this.#reader !== undefined) reject(new ConnectionError("another read is pending"));
    else {
      this.#reader = { bytes: into, resolve, reject };
      this.serve();
    }
    return promise;
  }

  /** See `Connection.write`. */
  write(from: Uint8Array): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    if (this.#writer !== undefined) reject(new ConnectionError("another write is pending"));
    else if (this.#finished) reject(new ConnectionError("connection closed"));
    else {
      this.#writer = { bytes: from, resolve, reject };
      this.serve();
    }
    return promise;
  }

  /** The writer has no more: the reader gets what is under way, then the end. */
  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.#writer !== undefined) this.#rejectWriter(new ConnectionError("connection closed"));
    if (this.#failure === undefined) this.#depart(null);
  }

  /** The reader has closed. */
  abandon(): void {
    this.#received = [];
    this.#readBytes = 0;
    if (this.#reader !== undefined) this.#rejectReader(new ConnectionError("connection closed"));
  }

  /** Loses everything; reading and writing fail from now on. */
  fail(failure: ConnectionError): void {
    this.#failure ??= failure;
    this.drop();
    this.serve();
  }

  /** Loses what is under way or unread, and whatever is still to come. */
  drop(): void {
    this.#travelling = [];
    this.#received = [];
    this.#readBytes = 0;
    this.#path.carried.delete(this);
  }

  /** Does what can be done for who reads and who writes. */
  serve(): void {
    if (this.#from.awake) this.#takeWrite();
    if (this.#to.awake) this.#giveRead();
  }

  /** See {@link Carried.hurried}. */
  hurried(): void {
    const nowMs = this.#path.surroundings.ticks.nowMs;
    for (const piece of this.#travelling) {
      piece.dueMs = Math.min(piece.dueMs, nowMs + this.#path.transitMs());
    }
    // Whatever they have drawn, they stay in order.
    for (let i = 1; i < this.#travelling.length; i++) {
      const piece = this.#travelling[i]!;
      piece.dueMs = Math.max(piece.dueMs, this.#travelling[i - 1]!.dueMs);
    }
    this.#arrival?.cancel();
    this.#arrival = null;
    this.#schedule();
  }

  /** See {@link Carried.released}. */
  released(): void {
    const nowMs = this.#path.surroundings.ticks.nowMs;
    for (const piece of this.#travelling) {
      piece.dueMs = Math.max(piece.dueMs, nowMs + this.#path.transitMs());
    }
    this.#schedule();
  }

  #takeWrite(): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    if (this.#failure !== undefined) return this.#rejectWriter(this.#failure);
    const count = Math.min(writer.bytes.length, CAPACITY_BYTES - this.#outstandingBytes);
    if (count === 0 && writer.bytes.length > 0) return;
    this.#writer = undefined;
    this.#outstandingBytes += count;
    this.#depart(writer.bytes.slice(0, count));
    writer.resolve(count);
  }

  #depart(bytes: Uint8Array | null): void {
    const before = this.#travelling.at(-1)?.dueMs ?? 0;
    const dueMs = this.#path.surroundings.ticks.nowMs + this.#path.transitMs();
    this.#travelling.push({ bytes, dueMs: Math.max(before, dueMs) });
    this.#path.carried.add(this);
    this.#schedule();
  }

  #schedule(): void {
    const first = this.#travelling[0];
    if (first === undefined || this.#arrival !== null) return;
    const { ticks } = this.#path.surroundings;
    this.#arrival = ticks.after(first.dueMs - ticks.nowMs, () => {
      this.#arrival = null;
      // A path that is blocked says when it is not any more.
      if (!this.#path.blocked) this.#arrive();
    });
  }

  #arrive(): void {
    const { ticks, trace } = this.#path.surroundings;
    while (this.#travelling.length > 0 && this.#travelling[0]!.dueMs <= ticks.nowMs) {
      const { bytes } = this.#travelling.shift()!;
      if (bytes === null) {
        this.#endArrived = true;
        this.#path.carried.delete(this);
      } else if (this.#to.open) {
        trace.arrived(this.#id, this.#path.from.name, this.#path.to.name, bytes);
        this.#received.push(bytes);
      } else {
        this.#to.refuse();
        this.drop();
        return;
      }
    }
    this.serve();
    this.#schedule();
  }

  #giveRead(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    if (this.#failure !== undefined) return this.#rejectReader(this.#failure);
    if (this.#received.length > 0) {
      this.#reader = undefined;
      const count = this.#fetch(reader.bytes);
      this.#outstandingBytes -= count;
      reader.resolve(count);
      if (this.#from.awake) this.#takeWrite();
    } else if (this.#endArrived) {
      this.#reader = undefined;
      reader.resolve(null);
    }
  }

  #fetch(into: Uint8Array): number {
    const { pieceBytes, surroundings } = this.#path;
    const most = pieceBytes === Infinity
      ? into.length
      : Math.min(into.length, 1 + surroundings.random.below(pieceBytes));
    let count = 0;
    while (count < most && this.#received.length > 0) {
      const first = this.#received[0]!, from = this.#readBytes;
      const length = Math.min(first.length - from, most - count);
      // Views of views of long pieces, as many as there are bytes, would take most of the time.
      if (length > 64) into.set(first.subarray(from, from + length), count);
      else for (let i = 0; i < length; i++) into[count + i] = first[from + i]!;
      count += length;
      this.#readBytes = from + length;
      if (this.#readBytes < first.length) break;
      this.#received.shift();
      this.#readBytes = 0;
    }
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
