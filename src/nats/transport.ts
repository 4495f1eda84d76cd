/**
 * An in-process connection as nats-core sees one.
 *
 * @module
 */
import { ConnectionError as NatsConnectionError } from "@nats-io/nats-core";
import { type Deferred, deferred, type Transport } from "@nats-io/nats-core/internal";
import { type Connection, ConnectionError } from "../platform/mod.ts";
import { DENATS_VERSION } from "../protocol/mod.ts";

/** Bytes asked for by one read: what an in-process connection holds at most. */
const READ_BYTES = 65_536;
const NOTHING = new Uint8Array(0);

/**
 * A nats-core `Transport` over an open byte stream.
 *
 * nats-core hands frames over without waiting, so what the broker has not taken yet is queued, up to
 * a bound: beyond it the transport ends with an error, since leaving out a frame would corrupt the
 * stream. In the other direction the next bytes are read when the last ones were used.
 */
export class InProcessTransport implements Transport {
  /** What CONNECT says as `lang`. */
  readonly lang = "denats";
  /** What CONNECT says as `version`. */
  readonly version = DENATS_VERSION;
  /** Why it ended; absent when it was an orderly end. */
  closeError?: Error;

  readonly #connection: Connection;
  readonly #maxPendingBytes: number;
  /** Not written yet, oldest first. */
  #frames: Uint8Array[] = [];
  #pendingBytes = 0;
  /** The writer, while there is something to write. Never rejects. */
  #writing: Promise<void> | null = null;
  #done = false;
  readonly #closed: Deferred<void | Error> = deferred();

  /** Takes the connection over; at most `maxPendingBytes` bytes wait to be written to it. */
  constructor(connection: Connection, maxPendingBytes: number) {
    this.#connection = connection;
    this.#maxPendingBytes = maxPendingBytes;
  }

  /** Whether it has ended. */
  get isClosed(): boolean {
    return this.#done;
  }

  /** Nothing to do: the stream is open from the start. */
  connect(): Promise<void> {
    return Promise.resolve();
  }

  /** The bytes received, until the end. To be called once. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    const buffer = new Uint8Array(READ_BYTES);
    try {
      while (!this.#done) {
        const count = await this.#connection.read(buffer);
        if (count === null) break;
        // Messages keep what is yielded here, so it must not be written to again.
        yield buffer.slice(0, count);
      }
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
    }
    this.#end();
  }

  /** Always false: the bytes never leave the process. */
  isEncrypted(): boolean {
    return false;
  }

  /** Queues a frame. Does nothing after the end. */
  send(frame: Uint8Array): void {
    if (this.#done || frame.length === 0) return;
    this.#pendingBytes += frame.length;
    if (this.#pendingBytes > this.#maxPendingBytes) {
      this.#end(
        new NatsConnectionError(
          `more than ${this.#maxPendingBytes} bytes were published and not yet taken by the broker: ` +
            "await flush() now and then, or raise maxPendingBytes",
        ),
      );
      return;
    }
    this.#frames.push(frame);
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    try {
      while (this.#frames.length > 0) {
        const frames = this.#frames;
        this.#frames = [];
        for (const [at, frame] of frames.entries()) {
          // Let go of each as it is written: together they may be large.
          frames[at] = NOTHING;
          for (let from = 0; from < frame.length;) {
            const count = await this.#connection.write(frame.subarray(from));
            from += count;
            this.#pendingBytes -= count;
          }
        }
      }
      this.#writing = null;
    } catch (error) {
      // The broker's last words are still to be read; the reader finds the end behind them.
      // `#writing` stays set: nothing is written any more.
      if (!(error instanceof ConnectionError)) this.#end(error as Error);
    }
  }

  /** Ends it: what is not written yet is dropped. */
  close(error?: Error): Promise<void> {
    this.#end(error);
    return Promise.resolve();
  }

  /** Ends it, for nats-core's reasons. */
  disconnect(): void {
    this.#end();
  }

  /** Ends it. */
  discard(): void {
    this.#end();
  }

  /** Resolves at the end, to the error if there was one. */
  closed(): Promise<void | Error> {
    return this.#closed;
  }

  #end(error?: Error): void {
    if (this.#done) return;
    this.#done = true;
    if (error !== undefined) this.closeError = error;
    this.#frames = [];
    this.#connection.close();
    this.#closed.resolve(error);
  }
}
