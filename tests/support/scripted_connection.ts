/**
 * One end of a connection that a test plays by hand.
 *
 * @module
 */
import { type Address, type Connection, ConnectionError } from "../../src/platform/mod.ts";

const ADDRESS: Address = { hostname: "script", port: 0 };

/**
 * A connection that takes as many bytes per write as the test says, when the test says, and remembers
 * them. It delivers nothing.
 */
export class ScriptedConnection implements Connection {
  readonly localAddress = ADDRESS;
  readonly remoteAddress = ADDRESS;
  /** Everything taken so far. */
  taken: number[] = [];
  /** Whether it was closed. */
  closed = false;
  /** How many bytes writes may still take; a write waits while it is 0. */
  #allowance: number;
  readonly #mostPerWrite: () => number;
  #writing: { from: Uint8Array; done: PromiseWithResolvers<number> } | null = null;

  /** Takes at most `allowance` bytes until {@link allow}, in pieces of `mostPerWrite()` or less. */
  constructor(allowance = 0, mostPerWrite: () => number = () => Infinity) {
    this.#allowance = allowance;
    this.#mostPerWrite = mostPerWrite;
  }

  /** Whether a write is waiting. */
  get writing(): boolean {
    return this.#writing !== null;
  }

  /** Takes up to `bytes` more. */
  allow(bytes: number): void {
    this.#allowance += bytes;
    this.#move();
  }

  /** Fails the write that is waiting, and all to come. */
  break(): void {
    this.#allowance = 0;
    this.close();
  }

  #move(): void {
    if (this.#writing === null) return;
    const { from, done } = this.#writing;
    if (this.closed) {
      this.#writing = null;
      done.reject(new ConnectionError("broken pipe"));
      return;
    }
    const count = Math.min(from.length, this.#allowance, this.#mostPerWrite());
    if (count === 0) return;
    this.#allowance -= count;
    for (let i = 0; i < count; i++) this.taken.push(from[i]!);
    this.#writing = null;
    done.resolve(count);
  }

  read(_into: Uint8Array): Promise<number | null> {
    return Promise.resolve(null);
  }

  write(from: Uint8Array): Promise<number> {
    if (this.#writing !== null) return Promise.reject(new Error("two writes at a time"));
    if (from.length === 0) return Promise.reject(new Error("a write of nothing"));
    const done = Promise.withResolvers<number>();
    this.#writing = { from, done };
    this.#move();
    return done.promise;
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
    this.#move();
  }
}
