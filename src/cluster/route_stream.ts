/**
 * A connection between servers whose bytes are compressed from some point on.
 *
 * @module
 */
import { type Address, type Connection, ConnectionError } from "../platform/mod.ts";
import { S2Decoder, S2Encoder, S2Error, type S2Level } from "./s2/mod.ts";

/** How much is read at a time while the peer compresses. */
const READ_BYTES = 65_536;

/** What the peer sent is not what it agreed to send. */
export class CorruptStreamError extends ConnectionError {}

/**
 * The connection of a route. Until it is told otherwise it hands everything on as it is: each direction
 * changes to S2 at a byte of its own.
 */
export class RouteStream implements Connection {
  readonly #connection: Connection;
  #decoder: S2Decoder | null = null;
  #raw: Uint8Array | null = null;
  #encoder: S2Encoder | null = null;
  /** Up to which byte nothing is compressed. */
  #plainUntil = Infinity;
  #written = 0;
  #corrupt: unknown = null;

  /** A stream over an open connection. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** See {@link Connection}. */
  get localAddress(): Address {
    return this.#connection.localAddress;
  }

  /** See {@link Connection}. */
  get remoteAddress(): Address {
    return this.#connection.remoteAddress;
  }

  /** From now on what the peer sends is compressed, beginning with `already`, which was read. */
  decompress(already: Uint8Array): void {
    this.#decoder = new S2Decoder();
    this.#raw = new Uint8Array(READ_BYTES);
    try {
      if (already.length > 0) this.#decoder.write(already);
    } catch (error) {
      this.#corrupt = error;
    }
  }

  /** What is written is compressed at `level` from byte `from` on, counted from the start as they were before compression. */
  compress(from: number, level: S2Level): void {
    this.#encoder = new S2Encoder(level);
    this.#plainUntil = from;
  }

  /** The level of compression, or null without. */
  get level(): S2Level | null {
    return this.#encoder?.level ?? null;
  }

  /** Changes the level. Nothing happens without compression. */
  set level(level: S2Level) {
    if (this.#encoder !== null) this.#encoder.level = level;
  }

  /** See {@link Connection}. */
  read(into: Uint8Array): Promise<number | null> {
    return this.#decoder === null ? this.#connection.read(into) : this.#decode(this.#decoder, into);
  }

  async #decode(decoder: S2Decoder, into: Uint8Array): Promise<number | null> {
    try {
      if (this.#corrupt !== null) throw this.#corrupt;
      for (;;) {
        const count = decoder.read(into);
        if (count > 0) return count;
        const raw = this.#raw!, length = await this.#connection.read(raw);
        if (length === null) return null;
        decoder.write(raw.subarray(0, length));
      }
    } catch (error) {
      if (!(error instanceof S2Error)) throw error;
      throw new CorruptStreamError(error.message, { cause: error });
    }
  }

  /** See {@link Connection}. */
  write(from: Uint8Array): Promise<number> {
    if (this.#encoder === null) {
      return this.#connection.write(from).then((count) => {
        this.#written += count;
        return count;
      });
    }
    return this.#encode(this.#encoder, from);
  }

  async #encode(encoder: S2Encoder, from: Uint8Array): Promise<number> {
    const plain = this.#plainUntil - this.#written;
    if (plain > 0) {
      const count = await this.#connection.write(from.subarray(0, Math.min(plain, from.length)));
      this.#written += count;
      return count;
    }
    const encoded = encoder.encode(from);
    for (let at = 0; at < encoded.length;) {
      at += await this.#connection.write(encoded.subarray(at));
    }
    this.#written += from.length;
    return from.length;
  }

  /** See {@link Connection}. */
  closeWrite(): Promise<void> {
    return this.#connection.closeWrite();
  }

  /** See {@link Connection}. */
  close(): void {
    this.#connection.close();
  }
}
