/**
 * Removing very much without keeping anybody waiting.
 *
 * @module
 */
import type { TouchedOutboxes } from "../connection/mod.ts";
import type { Clock } from "../platform/mod.ts";

/** How long removing may keep everything else waiting, in milliseconds. */
const SLICE_MS = 10;
/** How many removals to do between looks at the clock. */
const REMOVALS_PER_LOOK = 256;

/** Removals that are done one after another, in slices: those of many who leave at once would add up. */
export class Removals {
  readonly #clock: Clock;
  readonly #touched: TouchedOutboxes;
  /** The last of the removals that are under way or wait for their turn. Never rejects. */
  #last: Promise<void> | null = null;
  /** How many items were ever removed, when that was last looked at, and the slice's start. */
  #count = 0;
  #lookedAtMs = -Infinity;
  #sliceFromMs = -Infinity;

  /** Nothing is to be removed yet. `touched` is what removing puts something into. */
  constructor(clock: Clock, touched: TouchedOutboxes) {
    this.#clock = clock;
    this.#touched = touched;
  }

  /**
   * Calls `remove` for each of `items`, behind whatever is being removed; the first slice at once if
   * that is nothing. Rejects with what `remove` throws.
   */
  async inSlices<T>(items: ReadonlyMap<string, T>, remove: (item: T) => void): Promise<void> {
    const before = this.#last;
    const removal = before === null
      ? this.#removeAll(items, remove)
      : before.then(() => this.#removeAll(items, remove));
    const over = this.#last = removal.catch(() => {});
    await removal;
    if (this.#last === over) this.#last = null;
  }

  async #removeAll<T>(items: ReadonlyMap<string, T>, remove: (item: T) => void): Promise<void> {
    for (const item of items.values()) {
      remove(item);
      if (++this.#count % REMOVALS_PER_LOOK !== 0) continue;
      // The slice goes on from one who leaves to the next, as long as they come close together.
      const nowMs = this.#clock.monotonic();
      if (nowMs - this.#lookedAtMs > SLICE_MS) this.#sliceFromMs = nowMs;
      this.#lookedAtMs = nowMs;
      if (nowMs - this.#sliceFromMs < SLICE_MS) continue;
      // Other servers are told of what is gone.
      this.#touched.flushAll();
      await this.#clock.sleep(0);
      this.#sliceFromMs = this.#lookedAtMs = this.#clock.monotonic();
    }
    this.#touched.flushAll();
  }
}
