/**
 * The way from one host to another.
 *
 * @module
 */
import type { Random } from "../../src/platform/mod.ts";
import type { Ticks } from "./ticks.ts";
import type { Trace } from "./trace.ts";

/** What carries things on a {@link Path} in order and is told when they can move again. */
export interface Carried {
  /** The path is open again: what it held back goes on. */
  released(): void;
  /** The path is faster than it was: nothing takes longer any more than what leaves now. */
  hurried(): void;
}

/** What paths need from the network. */
export interface PathSurroundings {
  /** Time. */
  readonly ticks: Ticks;
  /** Delays and the sizes of pieces. */
  readonly random: Random;
  /** Hears of every byte that arrives. */
  readonly trace: Trace;
}

/** A host as a path sees it. */
export interface PathEnd {
  /** Its address. */
  readonly name: string;
  /** Whether it is connected to anything. */
  readonly up: boolean;
}

/** One direction between two hosts, with its delay and its faults. */
export class Path {
  /** Where it begins. */
  readonly from: PathEnd;
  /** Where it ends. */
  readonly to: PathEnd;
  /** The least time something takes, in milliseconds. */
  delayMs = 1;
  /** Up to so many milliseconds come on top, anew for each piece. */
  jitterMs = 0;
  /** Most bytes that one read gives; Infinity for whatever is there. */
  pieceBytes = Infinity;
  /** What travels here. */
  readonly carried = new Set<Carried>();
  readonly surroundings: PathSurroundings;
  #extraDelayMs = 0;
  /** Since when a fault has silenced it without a break; null when none does. */
  silentSinceMs: number | null = null;
  #silences = 0;

  /** A path that works. */
  constructor(surroundings: PathSurroundings, from: PathEnd, to: PathEnd) {
    this.surroundings = surroundings;
    this.from = from;
    this.to = to;
  }

  /** Whether nothing gets through. */
  get blocked(): boolean {
    return this.#silences > 0 || !this.from.up || !this.to.up;
  }

  /** What a fault adds to the delay. */
  get extraDelayMs(): number {
    return this.#extraDelayMs;
  }

  /** Sets what a fault adds. When it becomes less, that holds for what is under way as well. */
  set extraDelayMs(delayMs: number) {
    const isLess = delayMs < this.#extraDelayMs;
    this.#extraDelayMs = delayMs;
    if (isLess) { for (const carried of this.carried) carried.hurried(); }
  }

  /** How long something takes that leaves now. */
  transitMs(): number {
    const jitter = this.jitterMs === 0
      ? 0
      : Math.floor(this.surroundings.random.next() * (this.jitterMs + 1));
    return this.delayMs + jitter + this.#extraDelayMs;
  }

  /** Nothing gets through until {@link Path.unsilence} was called as often. */
  silence(): void {
    if (this.#silences++ === 0) this.silentSinceMs = this.surroundings.ticks.nowMs;
  }

  /** Takes one {@link Path.silence} back. */
  unsilence(): void {
    if (--this.#silences === 0) this.silentSinceMs = null;
    this.release();
  }

  /** Lets go of what was held back, if nothing blocks the path any more. */
  release(): void {
    if (this.blocked) return;
    for (const carried of [...this.carried]) carried.released();
  }

  /** Sends something that is not repeated if it is lost, such as a reset. */
  send(arrive: () => void): void {
    if (this.blocked) return;
    this.surroundings.ticks.after(this.transitMs(), () => {
      if (!this.blocked) arrive();
    });
  }
}
