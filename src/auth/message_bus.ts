/**
 * What identities need of an account: to speak to clients and servers in it.
 *
 * @module
 */

/** A message from the bus. */
export interface BusMessage {
  /** Subject. */
  readonly subject: string;
  /** Where an answer is wanted; null where none is. */
  readonly reply: string | null;
  /** The header block, from `NATS/1.0` to its empty line; null without headers. */
  readonly headers: Uint8Array<ArrayBuffer> | null;
  /** Payload. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** What {@linkcode MessageBus.publish} may be told besides the payload. */
export interface BusPublishOptions {
  /** Where an answer is wanted. */
  readonly reply?: string;
  /** A header block. */
  readonly headers?: Uint8Array<ArrayBuffer>;
}

/** What {@linkcode MessageBus.request} may be told besides the payload. */
export interface BusRequestOptions {
  /** How long the answer may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Gives it up. */
  readonly signal?: AbortSignal;
  /** A header block. */
  readonly headers?: Uint8Array<ArrayBuffer>;
}

/**
 * A client of one account that is within the server. What it subscribes to is known to the other
 * servers of the cluster, and what it publishes gets there.
 */
export interface MessageBus {
  /**
   * Calls `handler` for every message, never from within a publish, until what is returned is disposed.
   * What it throws is logged. With a queue group one member of the group gets each message.
   */
  subscribe(
    subject: string,
    handler: (message: BusMessage) => void,
    queue?: string,
  ): Disposable;
  /** Publishes; returns how many subscribers and servers got it. */
  publish(subject: string, payload: Uint8Array, options?: BusPublishOptions): number;
  /**
   * Publishes and waits for the first answer.
   *
   * @throws {NoRespondersError} when nobody is there to answer.
   * @throws {DOMException} `TimeoutError` when none came in time, or the signal's reason.
   */
  request(subject: string, payload: Uint8Array, options: BusRequestOptions): Promise<BusMessage>;
}

/** Nobody is subscribed to the subject of a request. */
export class NoRespondersError extends Error {
  /** Always `"NoRespondersError"`. */
  override readonly name = "NoRespondersError";
}
