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
    const text = `${String(this.#ticks.nowMs).padStart(6)} ms  ${line}`;
    this.lines.push(text);
    for (let i = 0; i < text.length; i++) this.#mix(text.charCodeAt(i));
  }

  /** Bytes arrived at one end of a connection. */
  arrived(connection: number, bytes: Uint8Array): void {
    this.bytes += bytes.length;
    this.#mix(this.#ticks.nowMs);
    this.#mix(connection);
    this.#mix(bytes.length);
    for (let i = 0; i < bytes.length; i++) this.#mix(bytes[i]!);
  }

  #mix(word: number): void {
    this.#first = Math.imul(this.#first ^ word, 0x01000193);
    this.#second = Math.imul(this.#second ^ word, 0x85ebca6b) ^ (this.#second >>> 13);
  }
}
