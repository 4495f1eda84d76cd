/**
 * What happens to a broker, for a program that embeds it.
 *
 * @module
 */
import type { Address } from "../platform/mod.ts";

/** A client, as events show it. */
export interface ClientEvent {
  /** The connection's id. */
  readonly id: number;
  /** The client's address. */
  readonly address: Address;
  /** The name it gave itself; empty when it gave none. */
  readonly name: string;
  /** The user it authenticated as, or null. */
  readonly user: string | null;
}

/** The events of a broker, by name. */
export interface BrokerEvents {
  /** A client said CONNECT and was let in. */
  connected: ClientEvent;
  /** A client's connection ended; `reason` is one of nats-server's close reasons. */
  disconnected: ClientEvent & { readonly reason: string };
  /**
   * A client was not let in. `event` is the id that the log names, `reason` says why in words that were
   * not told to the client, `account` is whose credentials they are, where that is known.
   */
  refused: ClientEvent & {
    readonly event: string;
    readonly reason: string;
    readonly account: string | null;
  };
  /**
   * A server that connected as a route was not let in. `event` is the id that the log names, `id` the
   * connection's, `reason` says why in words.
   */
  routeRefused: {
    readonly id: number;
    readonly address: Address;
    readonly event: string;
    readonly reason: string;
  };
  /**
   * Another server of the cluster is connected, is connected by everything that there is to be, or is
   * lost.
   */
  peer: {
    readonly id: string;
    readonly name: string;
    readonly state: "connected" | "complete" | "lost";
  };
  /** A task threw unexpectedly; the supervisor has dealt with it. */
  panic: { readonly path: string; readonly error: unknown };
  /** The broker has begun to close. */
  closing: { readonly drain: boolean };
  /** Everything is closed. */
  closed: Record<never, never>;
}

/** Tells listeners of events. */
export class Lifecycle {
  readonly #listeners = new Map<keyof BrokerEvents, Set<(event: never) => void>>();
  readonly #onThrow: (error: unknown) => void;

  /** What a listener throws goes to `onThrow`: it never reaches the broker. */
  constructor(onThrow: (error: unknown) => void) {
    this.#onThrow = onThrow;
  }

  /** Calls `listener` for every event of a type, until disposed. */
  on<K extends keyof BrokerEvents>(
    type: K,
    listener: (event: BrokerEvents[K]) => void,
  ): Disposable {
    let listeners = this.#listeners.get(type);
    if (listeners === undefined) this.#listeners.set(type, listeners = new Set());
    // Each call is a registration of its own, even with the same function.
    const entry = (event: never) => listener(event);
    listeners.add(entry);
    return { [Symbol.dispose]: () => void listeners.delete(entry) };
  }

  /** Tells everybody who listens, at once. */
  emit<K extends keyof BrokerEvents>(type: K, event: BrokerEvents[K]): void {
    for (const listener of this.#listeners.get(type) ?? []) {
      try {
        listener(event as never);
      } catch (error) {
        this.#onThrow(error);
      }
    }
  }
}
