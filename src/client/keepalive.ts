/**
 * PINGs from the server, and what their absence means.
 *
 * @module
 */
import type { Random } from "../platform/mod.ts";

/** The first PING comes no later than so many milliseconds after CONNECT, plus up to a fifth. */
const FIRST_PING_MS = 2000;
/** How long a measured round trip stays good. */
const RTT_VALID_MS = 60 * 60 * 1000;

/** What is to be done when a ping timer fires. */
export type PingDecision = "ping" | "skip" | "stale";

/** The ping state of one connection. All times are monotonic milliseconds. */
export class Keepalive {
  /** Last measured round trip in milliseconds; 0 when none was measured yet. */
  rttMs = 0;
  /** When the peer last sent a message, SUB, UNSUB or PING. */
  activeAtMs = 0;
  #outstanding = 0;
  #pingedAtMs = -Infinity;
  #measured = false;

  /** CONNECT came: it counts as a first, rough measurement, which a PING is to replace. */
  connected(acceptedAtMs: number, nowMs: number): void {
    this.rttMs = nowMs - acceptedAtMs;
    this.#measured = true;
  }

  /** When the first PING after CONNECT is due, counted from CONNECT. */
  firstDelayMs(pingIntervalMs: number, random: Random): number {
    const delay = Math.min(pingIntervalMs, FIRST_PING_MS);
    return delay + random.next() * delay / 5;
  }

  /** The timer fired. For `"ping"` the caller sends one and calls {@link Keepalive.pinged}. */
  decide(nowMs: number, pingIntervalMs: number, pingMax: number): PingDecision {
    // What counts is when it was last tried: a peer may be busy and never answer.
    const needsRtt = !this.#measured || nowMs - this.#pingedAtMs > RTT_VALID_MS;
    if (nowMs - this.activeAtMs < pingIntervalMs && !needsRtt) return "skip";
    return this.#outstanding + 1 > pingMax ? "stale" : "ping";
  }

  /** A PING was sent. */
  pinged(nowMs: number): void {
    this.#outstanding++;
    this.#pingedAtMs = nowMs;
  }

  /** A PONG came: nothing is outstanding any more. */
  ponged(nowMs: number): void {
    this.#outstanding = 0;
    if (this.#pingedAtMs === -Infinity) return;
    this.rttMs = nowMs - this.#pingedAtMs;
    this.#measured = true;
  }
}
