/**
 * Connections whose place is taken, and that may get it.
 *
 * @module
 */
import type { Clock, Timer } from "../platform/mod.ts";
import type { RouteInfo } from "../protocol/mod.ts";
import type { Registration } from "./mesh.ts";
import { DUPLICATE } from "./refusal.ts";
import type { RouteSession } from "./session.ts";

/** How long one waits. */
const HOLD_MS = 2000;
/** Most that wait. */
const MAX_HELD = 256;

/** One that waits. */
interface Held {
  readonly session: RouteSession;
  readonly info: RouteInfo;
  readonly timer: Timer;
  /** The one that has the place, where it stays only if the peer answers on it; or null. */
  readonly challenged: RouteSession | null;
  readonly resolve: (registration: Registration) => void;
}

/** Gives a connection a place; `challenged` has to go where it has that place. */
type Register = (
  session: RouteSession,
  info: RouteInfo,
  challenged: RouteSession | null,
) => Registration | Promise<Registration>;

/** Where connections wait whether the one that has their place goes. */
export class WaitingRoom {
  readonly #held = new Set<Held>();
  readonly #clock: Clock;
  readonly #register: Register;

  /** Nobody waits. `register` is how it is tried again. */
  constructor(clock: Clock, register: Register) {
    this.#clock = clock;
    this.#register = register;
  }

  /** Whether one more may wait. */
  get hasRoom(): boolean {
    return this.#held.size < MAX_HELD;
  }

  /** Waits until the place is free; with `challenged`, takes it when the peer does not answer on that. */
  wait(
    session: RouteSession,
    info: RouteInfo,
    challenged: RouteSession | null,
  ): Promise<Registration> {
    const { promise, resolve } = Promise.withResolvers<Registration>();
    const timer = this.#clock.setTimer(HOLD_MS, () => {
      if (challenged === null) this.#release(held);
      else this.#tryAgain(held);
    });
    const held: Held = { session, info, timer, challenged, resolve };
    this.#held.add(held);
    challenged?.sendNow("PING\r\n");
    return promise;
  }

  /** The peer has answered on a connection: whoever doubted that it is there is wrong. */
  answered(session: RouteSession): void {
    if (this.#held.size === 0) return;
    for (const held of [...this.#held]) if (held.challenged === session) this.#release(held);
  }

  /** A connection closes: it waits no longer. */
  leave(session: RouteSession): void {
    for (const held of [...this.#held]) if (held.session === session) this.#release(held);
  }

  /** A place among the connections to a server has become free. */
  freed(peerId: string): void {
    for (const held of [...this.#held]) if (held.info.server_id === peerId) this.#tryAgain(held);
  }

  #release(held: Held): void {
    if (!this.#held.delete(held)) return;
    held.timer.cancel();
    held.resolve(DUPLICATE);
  }

  #tryAgain(held: Held): void {
    if (!this.#held.delete(held)) return;
    held.timer.cancel();
    if (held.session.closing !== null) return held.resolve(DUPLICATE);
    const result = this.#register(held.session, held.info, held.challenged);
    if (result instanceof Promise) void result.then(held.resolve);
    else held.resolve(result);
  }
}
