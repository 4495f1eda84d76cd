/**
 * Waiting on a clock.
 *
 * @module
 */
import type { Clock } from "./clock.ts";

/** {@link Clock.sleep} in terms of {@link Clock.setTimer}. */
export function sleep(
  clock: Pick<Clock, "setTimer">,
  delayMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (signal === undefined) {
    clock.setTimer(delayMs, resolve);
  } else if (signal.aborted) {
    reject(signal.reason);
  } else {
    const onAbort = () => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = clock.setTimer(delayMs, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    signal.addEventListener("abort", onAbort, { once: true });
  }
  return promise;
}
