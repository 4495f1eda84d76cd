/**
 * Lame duck mode: clients are asked to leave before the server does.
 *
 * @module
 */
import type { ClientEnvironment } from "./environment.ts";

/** The longest time between two clients that are closed. */
const PAUSE_MS = 1000;
/** How many clients are told at a time: an INFO of its own and a write for each, about 25 us. */
const TOLD_AT_A_TIME = 128;

/** Sends every client INFO as it is now. */
export async function tellClients(
  environment: Pick<ClientEnvironment, "sessions" | "clock">,
): Promise<void> {
  let told = 0;
  for (const session of [...environment.sessions.values()]) {
    session.updateInfo();
    if (++told % TOLD_AT_A_TIME === 0) await environment.clock.yield();
  }
}

/** Lame duck mode, as nats-server does it. */
export class LameDuck {
  readonly #environment: Pick<ClientEnvironment, "sessions" | "clock" | "random">;
  /** Resolved when the last client leaves, or it is to go faster. */
  #wait: PromiseWithResolvers<void> | null = null;
  #hurried = false;

  /** Not begun yet. */
  constructor(environment: Pick<ClientEnvironment, "sessions" | "clock" | "random">) {
    this.#environment = environment;
  }

  /**
   * Tells all clients, leaves them alone for `graceMs`, and then closes those that are left one by
   * one, spread over the rest of `durationMs`. Ends earlier when all have left.
   */
  async run(durationMs: number, graceMs: number): Promise<void> {
    const { sessions, random } = this.#environment;
    await tellClients(this.#environment);
    await this.#untilEmpty(graceMs);
    const pauseMs = Math.min(PAUSE_MS, (durationMs - graceMs) / Math.max(1, sessions.size));
    if (pauseMs === 0) return;
    for (const session of [...sessions.values()]) {
      if (this.#hurried) return;
      session.close("serverShutdown");
      // Not at regular intervals: they all are going to connect elsewhere.
      await this.#untilEmpty(pauseMs * (0.5 + random.next() / 2));
    }
  }

  /** Ends it at once. */
  hurry(): void {
    this.#hurried = true;
    this.#wait?.resolve();
  }

  /** A client has left. */
  left(): void {
    if (this.#environment.sessions.size === 0) this.#wait?.resolve();
  }

  async #untilEmpty(limitMs: number): Promise<void> {
    const { sessions, clock } = this.#environment;
    if (this.#hurried || sessions.size === 0) return;
    const wait = this.#wait = Promise.withResolvers<void>();
    const timer = clock.setTimer(limitMs, () => wait.resolve());
    await wait.promise;
    timer.cancel();
  }
}
