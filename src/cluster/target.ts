/**
 * An address at which there is or should be another server.
 *
 * @module
 */
import type { Random } from "../platform/mod.ts";
import { GOSSIP } from "../protocol/mod.ts";
import { Backoff } from "../supervisor/mod.ts";
import type { RouteUrl } from "./settings.ts";

/** Between two attempts at a configured route; nats-server's `DEFAULT_ROUTE_CONNECT`. */
const CONNECT_MS = 1000;
/** The longest pause with `connect_backoff`; nats-server's `DEFAULT_ROUTE_CONNECT_MAX`. */
const CONNECT_MAX_MS = 30_000;
/** Added at random to every pause, so that many servers do not dial at the same moment. */
const JITTER_MS = 100;
/** The longest pause for a server that was there once and is not configured. */
const REMEMBERED_MAX_MS = 5000;

/** What is known of one address. */
export class Target {
  /** The address, and credentials to show there. */
  readonly url: RouteUrl;
  /** Whether it is a configured route. */
  configured: boolean;
  /** What is said there of how far news of this server are to travel. */
  gossipMode: number = GOSSIP.default;
  /** Id of the server that was there last, or null. */
  peerId: string | null = null;
  /** Whether this server itself is there. */
  self = false;
  /** Whether it is being dialled, up to the end of the handshake. */
  dialling = false;
  /** Whether a connection is being made. */
  connecting = false;
  /** Whether it is dialled no more, unless somebody tells of it again. */
  givenUp = false;
  /** Id of the server that told of it, or null. */
  readonly teller: string | null;
  /** When it may be dialled next, in monotonic milliseconds. */
  nextMs = 0;
  /** Attempts without success since the last one with. */
  failures = 0;
  /** Whether a server was there since it is known. */
  wasConnected = false;
  #dialledAtMs = -Infinity;
  readonly #connectBackoff: boolean;
  readonly #random: Random;
  readonly #remembered: Backoff;

  /** An address that was not dialled yet. */
  constructor(
    url: RouteUrl,
    configured: boolean,
    connectBackoff: boolean,
    random: Random,
    teller: string | null,
  ) {
    this.url = url;
    this.configured = configured;
    this.teller = teller;
    this.#connectBackoff = connectBackoff;
    this.#random = random;
    this.#remembered = new Backoff({ initialMs: CONNECT_MS, maxMs: REMEMBERED_MAX_MS }, random);
  }

  /** Whether it is only hearsay that there is a server. */
  get isUnsure(): boolean {
    return !this.configured && !this.wasConnected;
  }

  /** Somebody tells of it: it is dialled at once, but not time and again however often it is told. */
  heard(nowMs: number): void {
    this.failures = 0;
    this.givenUp = false;
    this.#remembered.reset();
    this.nextMs = Math.max(nowMs, this.#dialledAtMs + CONNECT_MS);
  }

  /** It is being dialled from now on. */
  begun(nowMs: number): void {
    this.dialling = this.connecting = true;
    this.#dialledAtMs = nowMs;
  }

  /** It was dialled in vain. */
  failed(nowMs: number): void {
    this.failures++;
    const pauseMs = this.configured
      ? this.#connectBackoff
        ? Math.min(CONNECT_MS * 2 ** (this.failures - 1), CONNECT_MAX_MS)
        : CONNECT_MS
      : this.#remembered.next();
    this.nextMs = nowMs + pauseMs + this.#random.next() * JITTER_MS;
  }

  /** There is a connection. */
  connected(peerId: string): void {
    this.peerId = peerId;
    this.failures = 0;
    this.givenUp = false;
    this.wasConnected = true;
    this.#remembered.reset();
  }

  /** The server that was there is gone; it may be dialled after `pauseMs` and a random bit. */
  lost(nowMs: number, pauseMs: number): void {
    this.nextMs = nowMs + pauseMs + this.#random.next() * JITTER_MS;
  }
}
