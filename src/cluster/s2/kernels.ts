/**
 * The inner loops of S2, in WebAssembly: 64-bit integers, and 16 bytes at a time.
 *
 * Everybody shares one instance and one memory: a block is encoded or decoded without waiting for
 * anything, and nothing is left in the memory that is needed later. It has half a megabyte, and grows
 * when a block needs more: for one of 4 MiB, the most there are, to 9 MiB. It never shrinks.
 *
 * @module
 */
import { S2Error, type S2Level } from "./format.ts";
import { WASM_BASE64 } from "./kernels_wasm.ts";

/** What `assembly/index.ts` exports. Functions take addresses, and return unsigned ones as signed. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly INPUT: WebAssembly.Global;
  readonly SLACK: WebAssembly.Global;
  readonly nextPosition: WebAssembly.Global;
  maskedCrc32c(from: number, to: number): number;
  encodeFast(start: number, end: number, output: number): number;
  encodeBetter(start: number, end: number, output: number): number;
  encodeBest(start: number, end: number, output: number): number;
  decodeBlock(from: number, fromEnd: number, start: number, end: number): number;
}

/** What `decodeBlock` may find wrong, by its result. */
const PROBLEMS = [
  "",
  "block ends within an element",
  "block ends within a literal",
  "block is longer than it says",
  "copy from outside of the block",
  "block is shorter than it says",
] as const;

const PAGE_BYTES = 65_536;

/** One block in memory, and what can be done with it. Use {@link kernels}. */
export class Kernels {
  readonly #wasm: Exports;
  /** Where the block begins. */
  readonly #start: number;
  /** Where it ends. */
  #end: number;
  /** How many bytes must follow everything. */
  readonly #slack: number;
  #heap: Uint8Array<ArrayBuffer>;

  /** An instance with a memory of its own, and an empty block in it. */
  constructor() {
    const module = new WebAssembly.Module(Uint8Array.fromBase64(WASM_BASE64));
    this.#wasm = new WebAssembly.Instance(module).exports as unknown as Exports;
    this.#start = this.#end = this.#wasm.INPUT.value;
    this.#slack = this.#wasm.SLACK.value;
    this.#heap = this.#view();
  }

  /** How much memory there is, in bytes. */
  get memoryBytes(): number {
    return this.#heap.length;
  }

  /** What the encoders count on from block to block, so that a test can come near its end. */
  get nextPosition(): WebAssembly.Global {
    return this.#wasm.nextPosition;
  }

  /** Takes `block` in, 4 MiB at most. */
  load(block: Uint8Array): void {
    this.#reserve(block.length, 0);
    this.#heap.set(block, this.#start);
  }

  /**
   * Writes the elements of the block, which has 32 bytes at least, at `at` of `target`. Returns the
   * offset behind them, or -1 when they would not be noticeably shorter than the block.
   */
  encode(level: Exclude<S2Level, "uncompressed">, target: Uint8Array, at: number): number {
    const start = this.#start, end = this.#end, output = end + this.#slack, wasm = this.#wasm;
    this.#reserve(end - start, end - start);
    let outputEnd: number;
    if (level === "fast") outputEnd = wasm.encodeFast(start, end, output);
    else if (level === "better") outputEnd = wasm.encodeBetter(start, end, output);
    else outputEnd = wasm.encodeBest(start, end, output);
    if (outputEnd === 0) return -1;
    target.set(this.#heap.subarray(output, outputEnd), at);
    return at + outputEnd - output;
  }

  /**
   * Makes the block what `elements` say, which must be `length` bytes, 4 MiB at most.
   *
   * @throws {S2Error} when they are more or less, or no elements.
   */
  decode(elements: Uint8Array, length: number): void {
    this.#reserve(length, elements.length);
    const source = this.#end + this.#slack;
    this.#heap.set(elements, source);
    const sourceEnd = source + elements.length;
    const problem = this.#wasm.decodeBlock(source, sourceEnd, this.#start, this.#end);
    if (problem !== 0) throw new S2Error(PROBLEMS[problem]!);
  }

  /** Copies the block to `at` of `target`. */
  copyTo(target: Uint8Array, at: number): void {
    target.set(this.#heap.subarray(this.#start, this.#end), at);
  }

  /** The masked CRC-32C of the block, as a signed integer. The block is destroyed by that. */
  takeChecksum(): number {
    return this.#wasm.maskedCrc32c(this.#start, this.#end);
  }

  /** Makes room for a block of `length` bytes, and for `behind` bytes behind it. */
  #reserve(length: number, behind: number): void {
    this.#end = this.#start + length;
    const needed = this.#end + this.#slack + behind + this.#slack;
    if (needed <= this.#heap.length) return;
    this.#wasm.memory.grow(Math.ceil((needed - this.#heap.length) / PAGE_BYTES));
    this.#heap = this.#view();
  }

  #view(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#wasm.memory.buffer as ArrayBuffer);
  }
}

let shared: Kernels | undefined;

/** The instance that all encoders and decoders share. What one of them left in it the next overwrites. */
export function kernels(): Kernels {
  return shared ??= new Kernels();
}
