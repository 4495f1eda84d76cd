/**
 * A look at what a peer sends first.
 *
 * @module
 */
import { type Address, type Clock, type Connection, ConnectionError } from "../platform/mod.ts";

/** Most that is read to tell what it is, in bytes. */
const FIRST_BYTES = 512;
/** First byte of a TLS handshake record. */
const HANDSHAKE_RECORD = 0x16;

/** A connection of which something was read already. */
export class ResumedConnection implements Connection {
  readonly #connection: Connection;
  #already: Uint8Array | null;
  #first: Promise<Uint8Array | null> | null;

  /** `first` is what the first read resolves to: bytes, or null at the end. */
  constructor(connection: Connection, first: Promise<Uint8Array | null>) {
    this.#connection = connection;
    this.#first = first;
    this.#already = null;
  }

  /** See {@link Connection}. */
  get localAddress(): Address {
    return this.#connection.localAddress;
  }

  /** See {@link Connection}. */
  get remoteAddress(): Address {
    return this.#connection.remoteAddress;
  }

  /** See {@link Connection}. */
  read(into: Uint8Array): Promise<number | null> {
    if (this.#first !== null) return this.#readFirst(this.#first, into);
    const already = this.#already;
    if (already === null) return this.#connection.read(into);
    return Promise.resolve(this.#take(already, into));
  }

  async #readFirst(first: Promise<Uint8Array | null>, into: Uint8Array): Promise<number | null> {
    const bytes = await first;
    this.#first = null;
    return bytes === null ? null : this.#take(bytes, into);
  }

  #take(already: Uint8Array, into: Uint8Array): number {
    const count = Math.min(already.length, into.length);
    into.set(already.subarray(0, count));
    this.#already = count === already.length ? null : already.subarray(count);
    return count;
  }

  /** See {@link Connection}. */
  write(from: Uint8Array): Promise<number> {
    return this.#connection.write(from);
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

/** What came first over a connection. */
export interface FirstBytes {
  /** Whether it is TLS; null where nothing came in time. */
  readonly isTls: boolean | null;
  /** The connection, as if nothing had been read. */
  readonly connection: Connection;
}

/**
 * Waits for the first bytes of a connection, at most `limitMs`.
 *
 * @throws {ConnectionError} when the connection failed or has ended before.
 */
export async function firstBytes(
  connection: Connection,
  clock: Clock,
  limitMs: number,
): Promise<FirstBytes> {
  const bytes = new Uint8Array(FIRST_BYTES);
  const first = connection.read(bytes).then((count) =>
    count === null ? null : bytes.slice(0, count)
  );
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const timer = clock.setTimer(limitMs, () => resolve("late"));
  try {
    const found = await Promise.race([first, late]);
    if (found === null) throw new ConnectionError("the peer has hung up");
    return {
      isTls: found === "late" ? null : found[0] === HANDSHAKE_RECORD,
      connection: new ResumedConnection(connection, first),
    };
  } finally {
    timer.cancel();
    // Whoever reads next hears of it.
    first.catch(() => {});
  }
}
