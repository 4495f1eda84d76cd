/**
 * What happened in a simulation, as a number to compare and as lines to read.
 *
 * @module
 */
import type { Ticks } from "./ticks.ts";

/** Collects everything that can be observed of a run: two runs of one seed have equal hashes. */
export class Trace {
  /** Faults and phases, each line with its time. */
  readonly lines: string[] = [];
  /** How many bytes arrived anywhere. */
  bytes = 0;
  /** Lines of protocol to be shown among the faults as they arrive; null for none. */
  watched: RegExp | null = null;
  readonly #ticks: Ticks;
  #first = 0x811c9dc5;
  #second = 0x9e3779b9;

  /** Times are those of `ticks`. */
  constructor(ticks: Ticks) {
    this.#ticks = ticks;
  }

  /** The hash of everything so far. */
  get hash(): string {
    const words = [this.#first, this.#second];
    return words.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /** Something worth a line of the fault log. */
  note(line: string): void {
    const text = `${this.#time()}  ${line}`;
    this.lines.push(text);
    for (let i = 0; i < text.length; i++) this.#mix(text.charCodeAt(i));
  }

  /** Bytes arrived from one host at another, over a connection. */
  arrived(connection: number, from: string, to: string, bytes: Uint8Array): void {
    this.bytes += bytes.length;
    if (this.watched !== null) this.#show(connection, from, to, bytes, this.watched);
    this.#mix(this.#ticks.nowMs);
    this.#mix(connection);
    this.#mix(bytes.length);
    const whole = bytes.length & ~3;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < whole; i += 4) this.#mix(view.getInt32(i));
    for (let i = whole; i < bytes.length; i++) this.#mix(bytes[i]!);
  }

  #show(connection: number, from: string, to: string, bytes: Uint8Array, watched: RegExp): void {
    for (const line of new TextDecoder().decode(bytes).split("\r\n")) {
      const shown = line.length > 200 ? `${line.slice(0, 200)}...` : line;
      if (watched.test(line)) {
        this.lines.push(
          `${this.#time()}  ... over connection ${connection} from ${from} to ${to}: ${shown}`,
        );
      }
    }
  }

  #time(): string {
    return `${String(this.#ticks.nowMs).padStart(6)} ms`;
  }

  #mix(word: number): void {
    this.#first = Math.imul(this.#first ^ word, 0x01000193);
    this.#second = Math.imul(this.#second ^ word, 0x85ebca6b) ^ (this.#second >>> 13);
  }
}
