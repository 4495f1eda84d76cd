/**
 * The accept pipeline: stages over an async iterable, from a listener to connections that have an id.
 *
 * ```ts ignore
 * const connections = accepted(listener, { clock, random, signal: scope.signal, onError });
 * const welcome = admitted(connections, admit, { scope });
 * for await (const { id, connection } of tagged(welcome, nextId)) {
 *   clients.spawn(`client:${id}`, (task) => serve(task, connection));
 * }
 * ```
 *
 * No stage waits for a peer: whatever takes bytes from it or sends bytes to it is a task of its own.
 *
 * @module
 */
import {
  AcceptError,
  type Clock,
  type Connection,
  type Listener,
  type Random,
} from "../platform/mod.ts";
import { Backoff, type BackoffOptions } from "../supervisor/mod.ts";
import { type AcceptFailure, AcceptFailureReports } from "./accept_failure.ts";
import { type Refusal, Refusals, type RefusalsOptions } from "./accept_refusal.ts";

const DEFAULT_BACKOFF: BackoffOptions = { initialMs: 10, maxMs: 1_000 };
const DEFAULT_REPORT_INTERVAL_MS = 10_000;

/** Options of {@link accepted}. */
export interface AcceptedOptions {
  /** Time for the back-off. */
  readonly clock: Clock;
  /** Chance for the back-off's jitter. */
  readonly random: Random;
  /** Aborting it closes the listener and ends the stage. */
  readonly signal: AbortSignal;
  /** Called for the first transient failure, and for later ones no more often than the interval. */
  readonly onError?: (failure: AcceptFailure) => void;
  /** Waits after transient failures; from 10 ms to 1 s if absent. */
  readonly backoff?: BackoffOptions;
  /** Shortest time between two calls of `onError` in milliseconds; 10,000 if absent. */
  readonly reportIntervalMs?: number;
}

/** A connection on its way to its session. */
export interface TaggedConnection {
  /** Unique in the process. */
  readonly id: number;
  /** Open; whoever takes it must close it. */
  readonly connection: Connection;
}

/** What becomes of a new connection: `"admit"`, or the goodbye it is refused with. */
export type Admission = "admit" | Refusal;

/**
 * The connections of `listener`, one after another. A transient failure (no file descriptor left, a
 * peer that went away before it was accepted) is waited out and never ends the stage. It ends when
 * the listener or the signal does, and leaves the listener closed however it ends.
 *
 * @throws {AcceptError} when accepting failed for good; the listener has to be opened anew.
 */
export async function* accepted(
  listener: Listener,
  options: AcceptedOptions,
): AsyncGenerator<Connection, void, void> {
  const { clock, random, signal, onError = () => {} } = options;
  const backoff = new Backoff(options.backoff ?? DEFAULT_BACKOFF, random);
  const reports = new AcceptFailureReports(
    clock,
    options.reportIntervalMs ?? DEFAULT_REPORT_INTERVAL_MS,
    onError,
  );
  const closeListener = () => listener.close();
  signal.addEventListener("abort", closeListener, { once: true });
  try {
    for (let gone = 0; !signal.aborted;) {
      let connection: Connection;
      try {
        connection = await listener.accept();
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof AcceptError)) throw error;
        if (error.closed) return;
        if (!error.transient) throw error;
        if (error.peerGone && ++gone < GONE_IN_A_ROW) {
          // Whoever connects and resets at once is to delay nobody; but nor is a host of them.
          if (gone % GONE_AT_A_TIME === 0) await clock.yield();
          continue;
        }
        const retryInMs = backoff.next();
        reports.add(error, retryInMs);
        await clock.sleep(retryInMs, signal).catch(() => {});
        continue;
      }
      backoff.reset();
      gone = 0;
      if (signal.aborted) {
        connection.close();
        return;
      }
      yield connection;
    }
  } finally {
    signal.removeEventListener("abort", closeListener);
    listener.close();
  }
}

/**
 * The connections of `source` that `admit` lets in. Any other is given its goodbye in a task of
 * `options.scope`, within a deadline, and closed.
 */
export async function* admitted(
  source: AsyncIterable<Connection>,
  admit: (connection: Connection) => Admission,
  options: RefusalsOptions,
): AsyncGenerator<Connection, void, void> {
  const refusals = new Refusals(options);
  for await (const connection of source) {
    let admission: Admission;
    try {
      admission = admit(connection);
    } catch (error) {
      connection.close();
      throw error;
    }
    if (admission === "admit") yield connection;
    else refusals.refuse(connection, admission);
  }
}

/** How many peers may be gone in a row before that is taken for a failure of the listener. */
const GONE_IN_A_ROW = 100_000;
/** After how many of them others have their turn. */
const GONE_AT_A_TIME = 32;

/** Connections in a row with less than this between them are one rush. */
const RUSH_GAP_MS = 1;
/** How long a rush of connections may keep the event loop to itself. */
const TURN_MS = 5;

/**
 * The connections of `source`, with a breath taken now and then while they come thick and fast:
 * accepting succeeds at once then, and the runtime looks at other sockets only when something waits.
 */
export async function* paced(
  source: AsyncIterable<Connection>,
  clock: Clock,
): AsyncGenerator<Connection, void, void> {
  let lastMs = -Infinity, busyFromMs = 0;
  for await (const connection of source) {
    const nowMs = clock.monotonic();
    if (nowMs - lastMs > RUSH_GAP_MS) busyFromMs = nowMs;
    if (nowMs - busyFromMs >= TURN_MS) {
      await clock.yield();
      busyFromMs = clock.monotonic();
    }
    yield connection;
    lastMs = clock.monotonic();
  }
}

/** The connections of `source`, each with the id that `nextId` gives it. */
export async function* tagged(
  source: AsyncIterable<Connection>,
  nextId: () => number,
): AsyncGenerator<TaggedConnection, void, void> {
  for await (const connection of source) yield { id: nextId(), connection };
}
