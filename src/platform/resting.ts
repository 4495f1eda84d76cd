/**
 * Long work in slices.
 *
 * @module
 */
import type { Clock } from "./clock.ts";

/**
 * Makes a function to be called often in the course of long work: when the last rest is `sliceMs` ago it
 * lets everything else have its turn, and what it returns resolves then; else it returns undefined.
 */
export function resting(clock: Clock, sliceMs: number): () => Promise<void> | undefined {
  let fromMs = clock.monotonic();
  return () => {
    if (clock.monotonic() - fromMs < sliceMs) return undefined;
    return clock.yield().then(() => {
      fromMs = clock.monotonic();
    });
  };
}
