/**
 * A raw client: bytes out, bytes in, no protocol library in between.
 *
 * Nothing here sleeps. To learn that a server has answered everything, a conversation ends with
 * *fences*: messages with a reserved reply subject, which a server refuses with an error that
 * names the subject, whatever the connection's options, and whether it has sent CONNECT or not. A
 * fence that comes back proves that every answer before it has arrived.
 *
 * @module
 */
import { escape, fromBytes, toBytes } from "./wire_text.ts";

/** Where a server under test listens. */
export interface ServerAddress {
  /** IP address. */
  readonly hostname: string;
  /** TCP port. */
  readonly port: number;
}

/** How long any single wait of a raw client may take, in milliseconds. */
const WAIT_LIMIT_MS = 5000;

/**
 * How many fences end a conversation. Bytes that an unfinished command swallows make the first of
 * them unreadable; five of them (120 bytes) outlast a payload of `max_payload` 100 and its line end,
 * so that either a later fence answers or the server finds an error and closes.
 */
const FENCE_COUNT = 5;

/** What a server sent up to a fence, or up to its closing the connection. */
export interface Answer {
  /** Byte string received, without the answers to fences. */
  readonly text: string;
  /** Whether the server closed the connection. */
  readonly closed: boolean;
  /**
   * How many of the closing fences were answered: all of them, unless an unfinished command
   * swallowed the first ones.
   */
  readonly fences: number;
}

/** One raw connection to a server. */
export class RawClient implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #chunk = new Uint8Array(16_384);
  #received = "";
  #closedByServer = false;
  #nextFence = 0;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    connection.setNoDelay(true);
  }

  /** Opens a connection; the server's INFO is the first thing to be received. */
  static async connect(address: ServerAddress): Promise<RawClient> {
    return new RawClient(await Deno.connect({ ...address, transport: "tcp" }));
  }

  /** Everything received and not yet taken, a byte string. */
  get received(): string {
    return this.#received;
  }

  /** Whether the server has closed the connection. */
  get closedByServer(): boolean {
    return this.#closedByServer;
  }

  /** Writes a byte string. A server that has closed the connection meanwhile is no error. */
  async send(text: string): Promise<void> {
    const bytes = toBytes(text);
    try {
      for (let sent = 0; sent < bytes.length;) {
        sent += await this.#connection.write(bytes.subarray(sent));
      }
    } catch (error) {
      if (!isDisconnect(error)) throw error;
    }
  }

  /** Ends the outbound direction, as a program does whose input has ended. */
  async closeWrite(): Promise<void> {
    await this.#connection.closeWrite();
  }

  /** Takes everything received so far. */
  take(): string {
    const text = this.#received;
    this.#received = "";
    return text;
  }

  /**
   * Receives until `found` accepts what has been received and not taken, or the server closes.
   *
   * @throws {Error} when neither has happened within five seconds; the text says what was received.
   */
  async receiveUntil(found: (received: string) => boolean): Promise<void> {
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      this.#connection.close();
    }, WAIT_LIMIT_MS);
    try {
      while (!this.#closedByServer && !found(this.#received)) {
        const count = await this.#connection.read(this.#chunk);
        if (count === null) this.#closedByServer = true;
        else this.#received += fromBytes(this.#chunk.subarray(0, count));
      }
    } catch (error) {
      if (expired) {
        throw new Error(`no answer within ${WAIT_LIMIT_MS} ms after: ${escape(this.#received)}`);
      }
      if (!isDisconnect(error)) throw error;
      this.#closedByServer = true;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Receives until the server closes the connection and takes everything. */
  async receiveToEnd(): Promise<string> {
    await this.receiveUntil(() => false);
    return this.take();
  }

  /**
   * Receives one line and takes it, line end included.
   *
   * @throws {Error} when the server closes before the line ends.
   */
  async receiveLine(): Promise<string> {
    await this.receiveUntil((received) => received.includes("\n"));
    const end = this.#received.indexOf("\n") + 1;
    if (end === 0) throw new Error(`closed by the server after: ${escape(this.#received)}`);
    const line = this.#received.slice(0, end);
    this.#received = this.#received.slice(end);
    return line;
  }

  /** Sends `text` in one write and takes everything the server answers to it. */
  async exchange(text: string): Promise<Answer> {
    const first = this.#nextFence;
    const last = first + FENCE_COUNT - 1;
    this.#nextFence = last + 1;
    for (let fence = first; fence <= last; fence++) text += fenceCommand(fence);
    await this.send(text);
    const end = fenceAnswer(last);
    await this.receiveUntil((received) => received.includes(end));
    let answer = this.take();
    let fences = 0;
    for (let fence = first; fence <= last; fence++) {
      const without = answer.replace(fenceAnswer(fence), "");
      if (without !== answer) fences++;
      answer = without;
    }
    return { text: answer, closed: this.#closedByServer, fences };
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch (error) {
      // A wait that expired has closed it already.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
}

function fenceCommand(fence: number): string {
  return `PUB fence _R_.fence.${fence} 0\r\n\r\n`;
}

function fenceAnswer(fence: number): string {
  return `-ERR 'Permissions Violation for Publish with Reply of "_R_.fence.${fence}"'\r\n`;
}

function isDisconnect(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.NotConnected;
}
