/**
 * Goodbyes to connections that are not let in.
 *
 * @module
 */
import { type Connection, ConnectionError, formatAddress } from "../platform/mod.ts";
import type { Scope } from "../supervisor/mod.ts";

const DEFAULT_DEADLINE_MS = 2_000;
const DEFAULT_PENDING_MAX = 100;
/** Most bytes that {@link goodbye} reads and throws away. */
const DRAINED_BYTES_MAX = 1_048_576;
const DRAIN_CHUNK_BYTES = 4_096;

/**
 * Says goodbye to a connection, which is closed afterwards, or under its hands when the deadline
 * passes. A {@link ConnectionError} it throws is the peer's affair and goes unreported.
 */
export type Refusal = (connection: Connection) => Promise<void>;

/** Where and how long goodbyes are said. */
export interface RefusalsOptions {
  /** Gets one task for each goodbye. */
  readonly scope: Scope;
  /** Milliseconds after which a refused connection is closed in any case; 2,000 if absent. */
  readonly refusalDeadlineMs?: number;
  /** Goodbyes at a time, beyond which a refused connection is closed without; 100 if absent. */
  readonly refusalsMax?: number;
}

/** Refuses connections, each in its own task. */
export class Refusals {
  readonly #scope: Scope;
  readonly #deadlineMs: number;
  readonly #max: number;
  #pending = 0;

  /** See {@link RefusalsOptions}. */
  constructor(options: RefusalsOptions) {
    this.#scope = options.scope;
    this.#deadlineMs = options.refusalDeadlineMs ?? DEFAULT_DEADLINE_MS;
    this.#max = options.refusalsMax ?? DEFAULT_PENDING_MAX;
  }

  /** Refuses `connection` with `refusal`; returns at once and never throws. */
  refuse(connection: Connection, refusal: Refusal): void {
    if (this.#pending >= this.#max) {
      connection.close();
      return;
    }
    try {
      this.#scope.spawn(
        `refused:${formatAddress(connection.remoteAddress)}`,
        (task) => this.#say(refusal, connection, task),
      );
    } catch {
      // The scope is closing: there is no time for goodbyes.
      connection.close();
    }
  }

  async #say(refusal: Refusal, connection: Connection, task: Scope): Promise<void> {
    this.#pending++;
    const deadline = task.clock.setTimer(this.#deadlineMs, () => connection.close());
    task.onCancel(() => connection.close());
    task.defer(() => {
      deadline.cancel();
      this.#pending--;
    });
    try {
      await refusal(connection);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
    }
  }
}

/**
 * A refusal that sends `bytes` and waits for the peer to hang up. It reads on meanwhile, since a
 * socket closed with unread bytes is reset, and a reset may reach the peer before the goodbye does.
 */
export function goodbye(bytes: Uint8Array): Refusal {
  return async (connection) => {
    for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
    await connection.closeWrite();
    const discarded = new Uint8Array(DRAIN_CHUNK_BYTES);
    for (let drained = 0; drained < DRAINED_BYTES_MAX;) {
      const count = await connection.read(discarded);
      if (count === null) return;
      drained += count;
    }
  };
}
