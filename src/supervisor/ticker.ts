/**
 * Regular ticks.
 *
 * @module
 */
import type { Clock } from "../platform/mod.ts";

/**
 * Yields at every whole multiple of `periodMs` (more than 0) after iteration began, and ends when
 * `signal` is aborted. It never drifts: the n-th tick is due at n periods after the start, however
 * long the loop's body takes. It never piles up: the ticks that passed during the body are skipped.
 * Each value is the tick's number, counted from 1, so that a gap tells how many were missed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { VirtualClock } from "../platform/mod.ts";
 * import { ticker } from "./ticker.ts";
 *
 * const clock = new VirtualClock();
 * const controller = new AbortController();
 * const ticks: number[] = [];
 * const loop = (async () => {
 *   for await (const tick of ticker(clock, 1_000, controller.signal)) {
 *     ticks.push(tick);
 *     if (tick === 2) await clock.sleep(2_500);
 *   }
 * })();
 * await clock.advance(6_000);
 * controller.abort();
 * await loop;
 * assertEquals(ticks, [1, 2, 5, 6]);
 * ```
 */
export async function* ticker(
  clock: Clock,
  periodMs: number,
  signal: AbortSignal,
): AsyncGenerator<number, void, void> {
  const startMs = clock.monotonic();
  let tick = 0;
  while (!signal.aborted) {
    const elapsedMs = clock.monotonic() - startMs;
    // A timer may fire a little early, hence never the same tick twice.
    tick = Math.max(tick + 1, Math.ceil(elapsedMs / periodMs));
    try {
      await clock.sleep(tick * periodMs - elapsedMs, signal);
    } catch {
      return;
    }
    yield tick;
  }
}
