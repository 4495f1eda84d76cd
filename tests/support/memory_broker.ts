/**
 * A broker whose clients, time and chance are all in memory, so that what takes two minutes takes a
 * test a millisecond.
 *
 * @module
 */
import { Broker } from "../../mod.ts";
import {
  ConnectionError,
  type MemoryConnection,
  MemoryTransport,
  type Random,
  SeededRandom,
  VirtualClock,
} from "../../src/platform/mod.ts";
import { escape, fromBytes, toBytes } from "./wire_text.ts";

/** What {@link Broker.start} takes. */
export type BrokerSettings = NonNullable<Parameters<typeof Broker.start>[0]>;

/** A client that has ended, as the broker's events tell it. */
export interface EndedClient {
  /** The connection's id. */
  readonly id: number;
  /** Why, in the words of nats-server. */
  readonly reason: string;
}

/** What CONNECT says unless a test wants something else: quiet, and up to date. */
export const QUIET_CONNECT = {
  verbose: false,
  pedantic: false,
  echo: true,
  headers: true,
  no_responders: true,
  protocol: 1,
};

/** Longer than any wait of the broker for somebody who leaves or is made to. */
const CLOSING_MS = 20_000;
/** How long a test waits for what takes real time, in milliseconds. */
const REAL_WAIT_LIMIT_MS = 5000;

/** A broker in memory, and the clock it lives by. */
export class MemoryBroker implements AsyncDisposable {
  /** The broker under test. */
  readonly broker: Broker;
  /** Its time, which only the test moves. */
  readonly clock: VirtualClock;
  /** Lines of its log, without line ends. */
  readonly log: string[];
  /** Clients that have ended, oldest first. */
  readonly ended: EndedClient[] = [];
  /** What it listens and dials by. */
  readonly transport: MemoryTransport;

  private constructor(
    broker: Broker,
    clock: VirtualClock,
    transport: MemoryTransport,
    log: string[],
  ) {
    this.broker = broker;
    this.clock = clock;
    this.log = log;
    this.transport = transport;
    broker.on("disconnected", ({ id, reason }) => this.ended.push({ id, reason }));
  }

  /** Starts a broker. Several of them meet where they are given the same transport and clock. */
  static async start(
    settings: BrokerSettings = {},
    random: Random = new SeededRandom(1),
    transport: MemoryTransport = new MemoryTransport(),
    clock: VirtualClock = new VirtualClock(),
  ): Promise<MemoryBroker> {
    const log: string[] = [];
    const broker = await Broker.start({ host: "memory", ...settings }, {
      transport,
      clock,
      random,
      writeLog: (line) => log.push(line.trimEnd()),
    });
    return new MemoryBroker(broker, clock, transport, log);
  }

  /** Connects a client that has said nothing yet; what the broker greets it with is taken. */
  async connectSilently(): Promise<MemoryClient> {
    const client = await this.connectUngreeted();
    await this.clock.settle();
    client.take();
    return client;
  }

  /** Connects a client that has said nothing and received nothing yet. */
  async connectUngreeted(): Promise<MemoryClient> {
    return new MemoryClient(await this.transport.connect(this.broker.address));
  }

  /**
   * Connects a client that says CONNECT, with {@link QUIET_CONNECT} changed by `options`, and PING;
   * the answers are taken.
   */
  async connect(options: Readonly<Record<string, unknown>> = {}): Promise<MemoryClient> {
    const client = await this.connectSilently();
    client.send(connectFrame(options) + "PING\r\n");
    await this.clock.settle();
    client.take();
    return client;
  }

  /** Sends `text` as one write, and takes all that `client` gets without time passing. */
  async exchange(client: MemoryClient, text: string): Promise<string> {
    client.send(text);
    await this.clock.settle();
    return client.take();
  }

  /** Lets everything happen that needs no time. */
  settle(): Promise<void> {
    return this.clock.settle();
  }

  /** Lets time pass. */
  advance(durationMs: number): Promise<void> {
    return this.clock.advance(durationMs);
  }

  /** Closes the broker, letting time pass for whoever does not leave by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    let closed = false;
    const closing = this.broker.close().then(() => closed = true);
    await this.clock.settle();
    if (!closed) await this.clock.advance(CLOSING_MS);
    await closing;
  }
}

/** `CONNECT` with {@link QUIET_CONNECT} changed by `options`. */
export function connectFrame(options: Readonly<Record<string, unknown>> = {}): string {
  return `CONNECT ${JSON.stringify({ ...QUIET_CONNECT, ...options })}\r\n`;
}

/** One client of a {@link MemoryBroker}. It reads all the time, unless its connection is stalled. */
export class MemoryClient {
  /** Its end of the connection, which can be stalled, reset and closed. */
  readonly connection: MemoryConnection;
  /** How many bytes it has ever received. */
  receivedBytes = 0;
  /** Whether the broker has ended its direction, or the connection broke. */
  ended = false;
  /** Bytes given to {@link MemoryClient.send} that the broker has not taken yet. */
  unsentBytes = 0;
  #received: Uint8Array[] = [];
  #unsent: Promise<void> = Promise.resolve();
  #arrived = Promise.withResolvers<void>();

  /** A client over its end of a connection. */
  constructor(connection: MemoryConnection) {
    this.connection = connection;
    void this.#receive();
  }

  async #receive(): Promise<void> {
    const into = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await this.connection.read(into);
        if (count === null) break;
        this.#received.push(into.slice(0, count));
        this.receivedBytes += count;
        this.#arrived.resolve();
        this.#arrived = Promise.withResolvers();
      }
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
    }
    this.ended = true;
    this.#arrived.resolve();
  }

  /**
   * Writes a byte string or bytes behind everything sent before, as one piece as far as the broker
   * takes it so. A connection that is broken swallows them.
   *
   * @returns what resolves once the broker's side has taken all of it.
   */
  send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? toBytes(data) : data;
    this.unsentBytes += bytes.length;
    return this.#unsent = this.#unsent.then(() => this.#write(bytes));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      for (let from = 0; from < bytes.length;) {
        const count = await this.connection.write(bytes.subarray(from));
        from += count;
        this.unsentBytes -= count;
      }
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
    }
  }

  /** Takes everything received so far, as a byte string. */
  take(): string {
    return fromBytes(this.takeBytes());
  }

  /** Takes everything received so far. */
  takeBytes(): Uint8Array {
    const all = new Uint8Array(this.#received.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const bytes of this.#received) {
      all.set(bytes, at);
      at += bytes.length;
    }
    this.#received = [];
    return all;
  }

  /**
   * For what takes real time, such as the check of a password: waits until what was received and not
   * taken contains `text`, or the connection ended, and takes it.
   *
   * @throws {Error} when neither has happened within five seconds.
   */
  async takeUntil(text: string): Promise<string> {
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      this.#arrived.resolve();
    }, REAL_WAIT_LIMIT_MS);
    try {
      for (let received = "";;) {
        received += this.take();
        if (received.includes(text) || this.ended) return received;
        if (expired) throw new Error(`no ${escape(text)} in ${escape(received)}`);
        await this.#arrived.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Receives nothing any more until {@link MemoryClient.resume}, although it stays connected. */
  stall(): void {
    this.connection.stall("received");
  }

  /** Receives again. */
  resume(): void {
    this.connection.resume("received");
  }

  /** Hangs up. */
  close(): void {
    this.connection.close();
  }
}
