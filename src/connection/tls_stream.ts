/**
 * A byte stream inside TLS.
 *
 * @module
 */
import { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { type Address, type Clock, type Connection, ConnectionError } from "../platform/mod.ts";

/** Sizes of the buffer that ciphertext is read into, in bytes. An idle connection costs the first. */
const READ_MIN_BYTES = 1024, READ_MAX_BYTES = 131_072;
/** What a record has around its plaintext, for a few records. */
const RECORD_OVERHEAD_BYTES = 256;
/** Most plaintext that is handed over at a time: one write is to make progress in a bounded time. */
const WRITE_MAX_BYTES = 65_536;
/** How long the last words of TLS (an alert, or that nothing more comes) may take to be sent. */
const LAST_WORDS_MS = 250;

/** Stands for "nothing decrypted is waiting". */
const NOTHING = new Uint8Array(0);

/**
 * Ciphertext on its way between a {@link Connection} and the runtime's TLS, which wants a stream of
 * Node's. Bytes are read only when {@link CipherStream.feed} is called, and never more than were
 * taken: TLS is fed by whoever wants plaintext, which is all the back-pressure there is to it.
 */
export class CipherStream extends Duplex {
  readonly #connection: Connection;
  #buffer = new Uint8Array(0);
  #wanted: (() => void) | null = null;
  #idle: (() => void) | null = null;
  #writing = 0;

  /** A stream over an open connection. */
  constructor(connection: Connection) {
    super({ autoDestroy: false, emitClose: true });
    this.#connection = connection;
  }

  /**
   * Reads once, up to `size` bytes, and hands it to TLS; false at the end of the connection.
   *
   * @throws {ConnectionError} when the connection failed or was closed.
   */
  async feed(size: number): Promise<boolean> {
    if (this.#buffer.length !== size) this.#buffer = new Uint8Array(size);
    const buffer = this.#buffer, count = await this.#connection.read(buffer);
    if (this.destroyed) return false;
    if (count === null) {
      this.push(null);
      return false;
    }
    return this.#offer(buffer.subarray(0, count));
  }

  async #offer(bytes: Uint8Array): Promise<boolean> {
    this.push(bytes);
    if (this.readableLength === 0) return true;
    // TLS has not taken it yet: the buffer is not to be written to again.
    this.#buffer = new Uint8Array(0);
    await new Promise<void>((resolve) => this.#wanted = resolve);
    return !this.destroyed;
  }

  /** Resolves once everything that TLS had to say is written. */
  flushed(): Promise<void> {
    if (this.#writing === 0 && this.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle = resolve);
  }

  /** Called by the stream when what was pushed is taken. */
  override _read(): void {
    const wanted = this.#wanted;
    this.#wanted = null;
    wanted?.();
  }

  /** Called by the stream with ciphertext to be sent. */
  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#writing++;
    const settled = (error?: Error) => {
      this.#writing--;
      done(error);
      if (this.#writing > 0 || this.writableLength > 0) return;
      const idle = this.#idle;
      this.#idle = null;
      idle?.();
    };
    const send = (from: number): Promise<void> =>
      this.#connection.write(chunk.subarray(from)).then((count) =>
        from + count < chunk.length ? send(from + count) : settled()
      );
    send(0).catch(settled);
  }

  /** Called by the stream when TLS lets go of it. The connection is closed by its owner. */
  override _destroy(_error: Error | null, done: (error?: Error | null) => void): void {
    this._read();
    this.#idle?.();
    this.#idle = null;
    done(null);
  }
}

interface Waiting {
  readonly into: Uint8Array;
  readonly resolve: (count: number | null) => void;
  readonly reject: (error: ConnectionError) => void;
}

/** What a {@link TlsStream} is made of. */
export interface TlsStreamParts {
  /** What carries the ciphertext. */
  readonly connection: Connection;
  /** What feeds TLS with it. */
  readonly cipher: CipherStream;
  /** TLS, its handshake done. */
  readonly socket: TLSSocket;
  /** Time. */
  readonly clock: Clock;
}

/** A connection over TLS: plaintext in and out. */
export class TlsStream implements Connection {
  readonly #parts: TlsStreamParts;
  /** What is decrypted and was not read yet. */
  #ready: Uint8Array = NOTHING;
  #more: Uint8Array[] | null = null;
  #waiting: Waiting | null = null;
  #feeding = false;
  #ended = false;
  #failure: ConnectionError | null = null;
  #rejectWrite: ((error: ConnectionError) => void) | null = null;
  #halfClosed = false;
  #closed = false;

  /** A stream whose handshake is done. */
  constructor(parts: TlsStreamParts) {
    this.#parts = parts;
    const { socket } = parts;
    socket.on("data", (bytes: Uint8Array) => this.#decrypted(bytes));
    socket.on("end", () => this.#end());
    socket.on("error", (error: Error) => this.#fail(error));
    socket.on("close", () => this.#end());
  }

  /** See {@link Connection}. */
  get localAddress(): Address {
    return this.#parts.connection.localAddress;
  }

  /** See {@link Connection}. */
  get remoteAddress(): Address {
    return this.#parts.connection.remoteAddress;
  }

  /** See {@link Connection}. */
  read(into: Uint8Array): Promise<number | null> {
    if (this.#waiting !== null) {
      return Promise.reject(new ConnectionError("another read is pending"));
    }
    if (this.#ready.length > 0) return Promise.resolve(this.#take(into));
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.#waiting = { into, resolve, reject };
      if (!this.#feeding) this.#feed(into.length).catch((error) => this.#fail(error));
    });
  }

  #take(into: Uint8Array): number {
    const ready = this.#ready, count = Math.min(into.length, ready.length);
    into.set(count === ready.length ? ready : ready.subarray(0, count));
    this.#ready = count < ready.length ? ready.subarray(count) : this.#more?.shift() ?? NOTHING;
    return count;
  }

  /** Reads ciphertext for as long as somebody waits for plaintext. */
  async #feed(wanted: number): Promise<void> {
    this.#feeding = true;
    try {
      while (this.#waiting !== null) {
        const size = Math.min(
          Math.max(wanted + RECORD_OVERHEAD_BYTES, READ_MIN_BYTES),
          READ_MAX_BYTES,
        );
        if (!await this.#parts.cipher.feed(size)) break;
        wanted = this.#waiting?.into.length ?? 0;
      }
    } finally {
      this.#feeding = false;
    }
  }

  #decrypted(bytes: Uint8Array): void {
    if (this.#ready.length > 0) {
      (this.#more ??= []).push(bytes);
      return;
    }
    this.#ready = bytes;
    const waiting = this.#waiting;
    if (waiting === null || bytes.length === 0) return;
    this.#waiting = null;
    waiting.resolve(this.#take(waiting.into));
  }

  #end(): void {
    this.#ended = true;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(null);
  }

  #fail(error: unknown): void {
    if (this.#failure !== null) return;
    const failure = this.#failure = error instanceof ConnectionError
      ? error
      : new ConnectionError(reasonOf(error), { cause: error });
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(failure);
    this.#rejectWrite?.(failure);
    this.#rejectWrite = null;
    this.#parts.socket.destroy();
  }

  /** See {@link Connection}. */
  write(from: Uint8Array): Promise<number> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#rejectWrite !== null) {
      return Promise.reject(new ConnectionError("another write is pending"));
    }
    if (this.#halfClosed) return Promise.reject(new ConnectionError("connection closed"));
    const bytes = from.length > WRITE_MAX_BYTES ? from.subarray(0, WRITE_MAX_BYTES) : from;
    return new Promise((resolve, reject) => {
      this.#rejectWrite = reject;
      this.#parts.socket.write(bytes, (error) => {
        if (this.#rejectWrite === reject) this.#rejectWrite = null;
        if (error) {
          this.#fail(error);
          reject(this.#failure);
        } else resolve(bytes.length);
      });
    });
  }

  /** See {@link Connection}. */
  async closeWrite(): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (this.#halfClosed) return;
    this.#halfClosed = true;
    const { connection } = this.#parts;
    await this.#sayEnd();
    await connection.closeWrite();
  }

  /** Tells the peer, within TLS, that nothing more comes. */
  async #sayEnd(): Promise<void> {
    const { cipher, socket } = this.#parts;
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => {
      socket.once("close", resolve);
      socket.end(() => {
        socket.removeListener("close", resolve);
        resolve();
      });
    });
    // What TLS gives out it gives in a microtask after it was asked to.
    for (let turns = 0; turns < 3; turns++) await Promise.resolve();
    await cipher.flushed();
  }

  /** See {@link Connection}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { connection, clock, socket } = this.#parts;
    const isBusy = this.#rejectWrite !== null || this.#failure !== null;
    const failure = this.#failure = new ConnectionError("connection closed");
    this.#waiting?.reject(failure);
    this.#waiting = null;
    this.#rejectWrite?.(failure);
    this.#rejectWrite = null;
    this.#ready = NOTHING;
    this.#more = null;
    const release = () => {
      timer?.cancel();
      socket.destroy();
      connection.close();
    };
    // Without that last word the peer cannot tell the end from an attack that cuts off the stream.
    const timer = isBusy || this.#halfClosed || socket.destroyed
      ? null
      : clock.setTimer(LAST_WORDS_MS, release);
    if (timer === null) release();
    else this.#sayEnd().then(release, release);
  }
}

/** Why TLS failed, in lower case. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.charAt(0).toLowerCase() + error.message.slice(1);
}
