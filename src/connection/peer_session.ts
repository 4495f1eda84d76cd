/**
 * The life of one connection, whatever protocol it speaks.
 *
 * @module
 */
import {
  type Address,
  type Clock,
  type Connection,
  ConnectionError,
  type Timer,
} from "../platform/mod.ts";
import type { CloseReason } from "../protocol/mod.ts";
import type { Scope } from "../supervisor/mod.ts";
import { Inbox } from "./inbox.ts";
import { Outbox, type OutboxFailure, type OutboxOwner, type OutboxSettings } from "./outbox.ts";
import type { Congestion, TouchedOutboxes } from "./touched.ts";
import { WRITE_WATCH_PERIOD_MS } from "./write_watch.ts";

/**
 * How long a connection that is being closed may take nothing of what is queued for it, and how long
 * it may take for all of it.
 */
const GOODBYE_MS = 2000, GOODBYE_IN_ALL_MS = 8000;
/** How long the peer may then take to close its side. */
const LINGER_MS = 1000;
/** How long nothing must have come from a peer that is not at fault before it is closed. */
const QUIET_MS = 50;
/** How long a publisher waits per read for a subscriber that is close to its limit. */
const CROWDED_MS = 10;
/** For how long it counts that others than those who are behind got something. */
const OTHERS_MS = 2000;
/** Most bytes that are read during a pause. */
const AHEAD_BYTES = 4096;
/**
 * How long one peer may keep the event loop to itself. Reads of a peer that sends faster than it is
 * read succeed at once, and the runtime looks at other sockets only when something has to wait.
 */
const TURN_MS = 5;

/**
 * Over a connection in memory no read ever waits, nor fills the buffer. How many of those in a row
 * are looked into, and how late the ticks of the {@link WriteWatch} show that nobody has a turn.
 */
const QUICK_READS = 32, STARVED_MS = 1.5 * WRITE_WATCH_PERIOD_MS;

/** Closed on this side because of what the peer sent or failed to send: it may still be sending. */
const LINGERING: ReadonlySet<CloseReason> = new Set([
  "authenticationTimeout",
  "authenticationFailure",
  "parseError",
  "staleConnection",
  "protocolViolation",
  "badClientProtocolVersion",
  "maximumConnectionsExceeded",
  "maximumPayloadExceeded",
  "maximumControlLineExceeded",
  "noRespondersRequiresHeaders",
  "messageHeaderViolation",
]);

const OUTBOX_FAILURES: Readonly<Record<OutboxFailure, CloseReason>> = {
  "pending bytes": "slowConsumerPendingBytes",
  "write deadline": "slowConsumerWriteDeadline",
  "write error": "writeError",
};

/** What sessions take from their surroundings. */
export interface PeerSessionSettings {
  /** Time. */
  readonly clock: Clock;
  /** Outboxes to flush at the end of a chunk. */
  readonly touched: TouchedOutboxes;
  /** For the connection's outbox. */
  readonly outboxSettings: OutboxSettings;
}

/** What keeps a session from reading on. */
interface Held {
  readonly pause: Promise<void> | null;
  readonly congestion: Congestion | null;
}

/**
 * A connection from its start to its end: reads chunks and has them handled, waits for slow
 * consumers between them, and closes so that the last words arrive.
 */
export abstract class PeerSession implements OutboxOwner {
  /** The connection's id, unique for the life of the server. */
  readonly id: number;
  /** When the connection was made, in wall-clock milliseconds. */
  readonly startedAt: number;
  /** What waits to be sent. */
  protected readonly outbox: Outbox;
  /** What was received and is not handled yet. */
  protected readonly inbox = new Inbox();
  readonly #settings: PeerSessionSettings;
  readonly #connection: Connection;
  #closing: CloseReason | null = null;
  #goodbye: Promise<void> | null = null;
  /** The outbox's writer, once there was one. */
  #writer: Promise<void> | null = null;
  #reading = true;
  #reads = 0;
  /** What was read while something else was waited for; see {@link PeerSession.#readAhead}. */
  #ahead: Promise<Uint8Array | null> | null = null;
  #inputEnded: PromiseWithResolvers<void> | null = null;
  /** Who kept it waiting before its last read. */
  #gate: Congestion | null = null;
  /** Where it is {@link PeerSession.shared}: who was waited for, and when somebody else got something. */
  #waitedFor: WeakSet<Outbox> | null = null;
  #othersAtMs = -Infinity;

  /** A session over an open connection; {@link PeerSession.run} lives it. */
  constructor(settings: PeerSessionSettings, connection: Connection, id: number) {
    this.id = id;
    this.startedAt = settings.clock.now();
    this.#settings = settings;
    this.#connection = connection;
    this.outbox = new Outbox(connection, this, settings.outboxSettings);
  }

  /** The peer's address. */
  get address(): Address {
    return this.#connection.remoteAddress;
  }

  /** Why it is being closed or was closed, or null. */
  get closing(): CloseReason | null {
    return this.#closing;
  }

  /** The connection is there. */
  protected abstract opened(): void;

  /** How many bytes the parser must see to get further, 0 when it cannot say. */
  protected abstract get needed(): number;

  /**
   * More is in the inbox, or what {@link PeerSession.interrupted} left is to be gone on with. Handles
   * what it can; returns what must be over before it goes on, or null. Not called any more once it is
   * closing.
   */
  protected abstract received(): Promise<void> | null;

  /**
   * Whether {@link PeerSession.received} stopped although there was more to handle, so that what it
   * gave rise to can be sent first.
   */
  protected get interrupted(): boolean {
    return false;
  }

  /** Whether what it waits for in a pause is of no use any more once the peer has hung up. */
  protected get abandonable(): boolean {
    return false;
  }

  /**
   * Whether what comes is from many publishers. None of them sets the pace for all: whoever is behind
   * is then waited for only as long as nobody else gets anything.
   */
  protected get shared(): boolean {
    return false;
  }

  /** Whether the peer is likely to be sending still. */
  protected get sending(): boolean {
    return false;
  }

  /** Why the connection is closed when reading from it has failed with `error`. */
  protected readFailed(_error: ConnectionError): CloseReason {
    return "readError";
  }

  /** It begins to close; `text` is what is sent as -ERR, or null. Called once. */
  protected abstract leaving(reason: CloseReason, text: string | null): void;

  /** The connection is closed. Releases what is left; called once. */
  protected abstract ended(reason: CloseReason): Promise<void>;

  /** Lives the session: returns when the connection is closed and everything of it is released. */
  async run(scope: Scope): Promise<void> {
    // One function and not several that await each other: each would cost every idle connection
    // some 400 bytes.
    scope.onCancel(() => this.close("serverShutdown"));
    try {
      this.opened();
      for (let busyFromMs = 0, quickReads = 0;;) {
        if (this.#ahead !== null) {
          const ahead = await this.#ahead;
          this.#ahead = null;
          if (ahead === null) break;
          await this.#take(ahead);
          continue;
        }
        const count = await this.#connection.read(this.inbox.space(this.needed));
        if (count === null) break;
        this.#reads++;
        const full = this.inbox.filled(count);
        const gate = this.#gate;
        this.#gate = null;
        if (gate !== null && gate.outboxes.some(isCongested)) await this.#pass(gate);
        const held = this.#process();
        if (held !== null) await this.#hold(held);
        if (!full) {
          busyFromMs = 0;
          if (++quickReads < QUICK_READS) continue;
          quickReads = 0;
          if (this.#starving) await this.#settings.clock.yield();
          continue;
        }
        const nowMs = this.#settings.clock.monotonic();
        if (busyFromMs === 0) busyFromMs = nowMs;
        else if (nowMs - busyFromMs >= TURN_MS) {
          await this.#settings.clock.yield();
          busyFromMs = 0;
        }
      }
      this.close("clientClosed");
    } catch (error) {
      if (!(error instanceof ConnectionError)) {
        // A panic: the task's policy reports it; the peer's connection must not outlive it.
        this.close("internalError");
        throw error;
      }
      this.close(this.readFailed(error));
    } finally {
      this.#reading = false;
      this.#inputEnded?.resolve();
      await this.#goodbye;
      // Whatever still knows this session is not to keep more of it alive than it must.
      this.inbox.release();
      await this.ended(this.#closing ?? "clientClosed");
    }
  }

  get #starving(): boolean {
    const { clock, outboxSettings: { watch } } = this.#settings;
    return clock.monotonic() - watch.nowMs > STARVED_MS;
  }

  /** Handles what was read; returns what keeps it from reading on, or null. */
  #process(): Held | null {
    if (this.#closing !== null) {
      // Read on only so that the peer gets to read our last words: nothing means anything now.
      this.inbox.clear();
      return null;
    }
    const { touched } = this.#settings;
    let pause: Promise<void> | null;
    try {
      pause = this.received();
    } catch (error) {
      // What was delivered before is not to wait for somebody else's chunk.
      const rest = touched.flush();
      while (rest !== null && touched.flushMore(rest));
      throw error;
    }
    if (this.#waitedFor !== null && touched.reachesOthers(this.#waitedFor, this.outbox)) {
      this.#othersAtMs = this.#settings.clock.monotonic();
    }
    const congestion = this.#others(touched.flush(this.outbox));
    if (pause === null && congestion === null && !this.interrupted) return null;
    return { pause, congestion };
  }

  /**
   * Who is waited for. Not its own peer, where it is {@link PeerSession.shared}: that may itself be
   * waiting for this side, and then neither would read.
   */
  #others(congestion: Congestion | null): Congestion | null {
    if (congestion === null || !this.shared) return congestion;
    const outboxes = congestion.outboxes.filter((outbox) => outbox !== this.outbox);
    if (outboxes.length === 0 && congestion.unflushed.length === 0) return null;
    return { ...congestion, outboxes };
  }

  /** Waits for what keeps it, and handles what came behind, until nothing does. */
  async #hold(first: Held): Promise<void> {
    for (let held: Held | null = first; held !== null; held = this.#process()) {
      const { pause, congestion } = held;
      if (congestion !== null) await this.#flushRest(congestion);
      if (pause !== null) {
        if (this.abandonable) this.#ahead ??= this.#readAhead();
        await pause;
      }
      if (congestion !== null && congestion.outboxes.length > 0) {
        this.#settings.outboxSettings.watch.waits++;
        await this.#pass(congestion);
        this.#gate = congestion;
      } else if (this.interrupted) await this.#settings.clock.yield();
    }
  }

  /** Flushes what a chunk to very many left, with turns for the others in between. */
  async #flushRest(congestion: Congestion): Promise<void> {
    const { clock, touched } = this.#settings;
    while (congestion.flushed < congestion.unflushed.length) {
      await clock.yield();
      touched.flushMore(congestion);
    }
  }

  /**
   * Waits for those that are behind until they are not. Whoever they kept waiting is let go at the
   * same time: the first to get on may be too much for them again, and then the rest waits on. For the
   * same reason they are looked at once more when the next chunk was read.
   */
  async #pass(congestion: Congestion): Promise<void> {
    do await this.#relief(congestion); while (congestion.outboxes.some(isCongested));
  }

  /**
   * Reads once while a pause lasts: only who reads learns that the peer has hung up, and then closes.
   * Resolves to what was read, to null at the end. Never rejects.
   */
  async #readAhead(): Promise<Uint8Array | null> {
    const bytes = new Uint8Array(AHEAD_BYTES);
    try {
      const count = await this.#connection.read(bytes);
      if (count !== null) return bytes.subarray(0, count);
      this.close("clientClosed");
    } catch {
      this.close("readError");
    }
    return null;
  }

  /** Handles what was read ahead. */
  async #take(ahead: Uint8Array): Promise<void> {
    for (let rest = ahead; rest.length > 0;) {
      const space = this.inbox.space(this.needed), length = Math.min(space.length, rest.length);
      space.set(rest.subarray(0, length));
      this.inbox.filled(length);
      rest = rest.subarray(length);
      const held = this.#process();
      if (held !== null) await this.#hold(held);
    }
  }

  /**
   * Waits for those that were just sent something and that are behind: as long as they are the
   * majority, that is the speed there is; then, for a bounded time, for the few that keep the others
   * waiting.
   */
  async #relief({ outboxes, recipients }: Congestion): Promise<void> {
    const { clock, outboxSettings: { watch } } = this.#settings;
    let behind = outboxes.filter(isCongested);
    if (this.shared) this.#waitedFor = new WeakSet(outboxes);
    while (behind.length > recipients / 2 && clock.monotonic() - this.#othersAtMs > OTHERS_MS) {
      await behind[0]!.relief(false);
      behind = behind.filter(isCongested);
    }
    const fromMs = clock.monotonic();
    await Promise.all(behind.map(async (outbox) => {
      await outbox.relief(true);
      watch.held(outbox, fromMs, clock.monotonic());
    }));
    if (!this.shared && outboxes.some((outbox) => outbox.crowded)) await clock.sleep(CROWDED_MS);
  }

  /** Keeps the outbox's writer, which closing waits for. */
  startWriter(write: () => Promise<void>): void {
    this.#writer = write();
  }

  /** The outbox gave up on the peer. */
  outboxFailed(failure: OutboxFailure): void {
    this.close(OUTBOX_FAILURES[failure]);
  }

  /**
   * Begins to close the connection: nothing more is handled; what is queued is sent, then `text` as
   * -ERR. Calling it again does nothing. Never throws.
   */
  close(reason: CloseReason, text: string | null = null): void {
    if (this.#closing !== null) return;
    this.#closing = reason;
    this.leaving(reason, text);
    if (text !== null && this.outbox.open) this.outbox.appendText(`-ERR '${text}'\r\n`);
    // `run` waits for it, and it ends the read that `run` is in.
    this.#goodbye = this.#depart(reason);
  }

  /** Ends our side, and reads on for as long as something comes. Bounded in time. */
  async #hearOut(): Promise<void> {
    const { clock } = this.#settings;
    await this.#connection.closeWrite().catch(() => {});
    let heard = -1;
    for (let quiets = LINGER_MS / QUIET_MS; quiets > 0 && heard !== this.#reads; quiets--) {
      heard = this.#reads;
      if (!this.#reading) return;
      const { promise, resolve } = this.#inputEnded = Promise.withResolvers<void>();
      const quiet = clock.setTimer(QUIET_MS, resolve);
      await promise;
      quiet.cancel();
    }
  }

  /** Sends what is queued, closes, and with it ends a read that is waiting. Bounded in time. */
  async #depart(reason: CloseReason): Promise<void> {
    const { clock } = this.#settings, connection = this.#connection, outbox = this.outbox;
    const expire = () => {
      outbox.discard();
      connection.close();
    };
    const lingers = this.sending, lastMs = clock.monotonic() + GOODBYE_IN_ALL_MS;
    let deadline: Timer, written = outbox.written;
    const expireUnlessMoving = () => {
      const leftMs = lastMs - clock.monotonic();
      if (outbox.written === written || leftMs <= 0) return expire();
      written = outbox.written;
      deadline = clock.setTimer(Math.min(GOODBYE_MS, leftMs), expireUnlessMoving);
    };
    deadline = clock.setTimer(GOODBYE_MS, expireUnlessMoving);
    await outbox.finish();
    if (LINGERING.has(reason)) {
      // Closing with unread input would reset the connection, and the reset may overtake what was
      // just written: first the end of our side, then the peer's.
      deadline.cancel();
      deadline = clock.setTimer(LINGER_MS, expire);
      await connection.closeWrite().catch(() => {});
      if (this.#reading) await (this.#inputEnded = Promise.withResolvers<void>()).promise;
    }
    deadline.cancel();
    if (reason === "serverShutdown" && lingers && outbox.dropped === 0) await this.#hearOut();
    expire();
    await this.#writer;
  }
}

function isCongested(outbox: Outbox): boolean {
  return outbox.congested;
}
