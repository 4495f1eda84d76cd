/**
 * Totals and rates.
 *
 * @module
 */

/** Totals since the start. */
export interface Totals {
  /** Messages received from clients and other servers. */
  readonly inMessages: number;
  /** Bytes of headers and payload received from clients and other servers. */
  readonly inBytes: number;
  /** Messages delivered to clients and other servers. */
  readonly outMessages: number;
  /** Bytes of headers and payload delivered to clients and other servers. */
  readonly outBytes: number;
}

/** What a broker has done and is doing. */
export interface BrokerStatistics extends Totals {
  /** Clients connected now. */
  readonly connections: number;
  /** Clients ever connected. */
  readonly totalConnections: number;
  /** Subscriptions of clients now; each counts again in every account that it imports from. */
  readonly subscriptions: number;
  /** Clients and routes closed because they did not read fast enough. */
  readonly slowConsumers: number;
  /** Clients and routes closed because they did not answer. */
  readonly staleConnections: number;
  /** Connections to other servers of the cluster now. */
  readonly routes: number;
  /** How often other servers were dialled, whatever came of it. */
  readonly routeDials: number;
  /** Reads from publishers that were held back for a slow consumer. */
  readonly stalledReads: number;
  /** Tasks that threw unexpectedly. */
  readonly panics: number;
  /** Totals per second, over the last whole second. */
  readonly perSecond: Totals;
  /** How late the last regular job ran, in milliseconds: time the event loop was busy. */
  readonly loopDelayMs: number;
}

const NOTHING: Totals = { inMessages: 0, inBytes: 0, outMessages: 0, outBytes: 0 };

/** Makes rates of totals. */
export class RateMeter {
  /** Totals per second between the last two samples. */
  perSecond: Totals = NOTHING;
  #last: Totals = NOTHING;
  #lastAtMs: number;

  /** A meter that starts at `nowMs`, with all totals zero. */
  constructor(nowMs: number) {
    this.#lastAtMs = nowMs;
  }

  /** Takes the totals at `nowMs`. */
  sample(totals: Totals, nowMs: number): void {
    const seconds = (nowMs - this.#lastAtMs) / 1000;
    if (seconds <= 0) return;
    const last = this.#last;
    const rate = (key: keyof Totals) => (totals[key] - last[key]) / seconds;
    this.perSecond = {
      inMessages: rate("inMessages"),
      inBytes: rate("inBytes"),
      outMessages: rate("outMessages"),
      outBytes: rate("outBytes"),
    };
    this.#last = totals;
    this.#lastAtMs = nowMs;
  }
}
