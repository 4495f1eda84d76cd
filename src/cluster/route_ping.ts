/**
 * PINGs on routes, and what their absence means.
 *
 * @module
 */
import type { Random } from "../platform/mod.ts";

/** The first PING comes no later than so many milliseconds after the start, plus up to a fifth. */
const FIRST_PING_MS = 1000;

/** The ping state of one connection. All times are monotonic milliseconds. */
export class RoutePing {
  /** Last measured round trip in milliseconds; 0 when none was measured yet. */
  rttMs = 0;
  /** How many PINGs were not answered yet. */
  outstanding = 0;
  #pingedAtMs = 0;

  /** When the first PING is due, counted from the start. */
  firstDelayMs(intervalMs: number, random: Random): number {
    const delayMs = Math.min(intervalMs, FIRST_PING_MS);
    return delayMs + random.next() * delayMs / 5;
  }

  /**
   * What is to be done at a tick. Unlike with clients, other traffic does not make up for an answer.
   */
  decide(pingMax: number): "ping" | "stale" {
    return this.outstanding + 1 > pingMax ? "stale" : "ping";
  }

  /** A PING was sent. */
  pinged(nowMs: number): void {
    this.outstanding++;
    this.#pingedAtMs = nowMs;
  }

  /** A PONG came: nothing is outstanding any more. */
  ponged(nowMs: number): void {
    if (this.outstanding === 0) return;
    this.outstanding = 0;
    this.rttMs = nowMs - this.#pingedAtMs;
  }
}
